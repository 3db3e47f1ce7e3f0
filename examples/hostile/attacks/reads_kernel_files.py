import glob
import os

FILES = ("/dev/mem", "/dev/kmem", "/dev/port", "/proc/kcore", "/proc/kmsg", "/proc/kallsyms", "/proc/keys", "/proc/key-users",
         "/proc/sched_debug", "/proc/timer_list", "/proc/vmallocinfo", "/proc/slabinfo", "/proc/net/unix", "/proc/net/tcp",
         "/sys/kernel/debug", "/sys/fs/cgroup", "/sys/kernel/security", "/proc/config.gz", "/etc/shadow", "/etc/hosts",
         "/run", "/var", "/boot")  # fmt: skip


def hunt():
    for path in (
        *FILES,
        *glob.glob("/dev/sd*"),
        *glob.glob("/dev/nvme*"),
        *glob.glob("/dev/vd*"),
        *glob.glob("/dev/loop*"),
    ):
        try:
            if os.path.isdir(path):
                yield os.listdir(path)
                continue
            with open(path, "rb", buffering=0) as file:
                os.set_blocking(file.fileno(), False)
                yield file.read(1 << 16)
        except (OSError, TypeError):
            pass


for path in (*FILES[:5], "/sys/fs/cgroup/cgroup.procs", "/etc/shadow"):
    try:
        with open(path, "rb") as file:
            os.set_blocking(file.fileno(), False)
            if file.read(1):
                print("BREACH: reads", path)
    except (OSError, TypeError):
        pass
