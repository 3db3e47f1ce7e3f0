import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


def peek(pid, address, size):
    room = ctypes.create_string_buffer(size)
    ours, theirs = Vector(ctypes.cast(room, ctypes.c_void_p).value, size), Vector(address, size)
    got = libc.process_vm_readv(pid, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0)
    return room.raw[:got] if got > 0 else b""


def hunt():
    address = id(os.environ)  # the fork shares the layout of its parents
    own = {os.getpid(), *map(int, os.listdir("/proc/self/task"))}
    for pid in {1, 2, os.getppid(), *range(3, 300)} - own:
        data = peek(pid, address & ~0xFFF, 4096)
        if data:
            print("BREACH: the memory of process", pid)
        yield data
        try:
            with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
                memory.seek(address)
                yield memory.read(4096)
                print("BREACH: the memory of process", pid)
        except OSError:
            pass


for request in (16, 0x4206):  # PTRACE_ATTACH, PTRACE_SEIZE
    for target in (1, os.getppid()):
        if libc.ptrace(request, target, 0, 0) == 0:
            print("BREACH: traces process", target)
