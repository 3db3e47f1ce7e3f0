import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
KINDS = {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x8000000, "time": 0x80}

for name, flag in KINDS.items():
    for flags in (flag, flag | KINDS["user"]):
        if os.fork() == 0:
            os._exit(0 if libc.unshare(flags) == 0 else 1)
        if os.wait()[1] == 0:
            print("BREACH: a namespace", name)
    child = libc.syscall(56, flag | KINDS["user"] | 17, None, None, None, None)  # clone
    if child == 0:
        os._exit(0)
    if child > 0:
        os.waitpid(child, 0)
        print("BREACH: a clone in a namespace", name)
for pid in (1, os.getpid()):
    for kind in ("mnt", "user", "net", "pid", "cgroup"):
        try:
            with open(f"/proc/{pid}/ns/{kind}") as space:
                if libc.setns(space.fileno(), 0) == 0:
                    print("BREACH: entered", kind)
        except OSError:
            pass
if libc.mount(b"none", b"/tmp", b"tmpfs", 0, b"") == 0 or libc.mount(b"/", b"/tmp", None, 4096, None) == 0:
    print("BREACH: mount")
if libc.umount2(b"/tmp", 2) == 0 or libc.pivot_root(b"/tmp", b"/tmp") == 0:
    print("BREACH: umount")
