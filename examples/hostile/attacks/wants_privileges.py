import ctypes
import os
import resource
import subprocess

libc = ctypes.CDLL(None, use_errno=True)


def tries(name, function, *args):
    try:
        if function(*args) in (None, 0):
            print("BREACH:", name)
    except (OSError, ValueError):
        pass


tries("root", os.setuid, 0)
tries("root's group", os.setgid, 0)
tries("other groups", os.setgroups, [0])
tries("higher priority", os.setpriority, os.PRIO_PROCESS, 0, -20)
tries("real time", os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(50))
tries("more processes", resource.setrlimit, resource.RLIMIT_NOFILE, (1 << 20, 1 << 20))
tries("core dumps", resource.setrlimit, resource.RLIMIT_CORE, (1 << 30, 1 << 30))
tries("capabilities", libc.prctl, 47, 2, 21, 0, 0)
tries("new privileges", libc.prctl, 38, 0, 0, 0, 0)
tries("the machine's name", libc.sethostname, b"hostile", 7)
for text, path in (("-1000", "/proc/self/oom_score_adj"), ("0", "/proc/self/oom_score_adj"), ("hostile", "/proc/sys/kernel/hostname"),
                   ("1", "/proc/sys/kernel/core_pattern"), ("b", "/proc/sysrq-trigger"), ("0 0 1", "/proc/self/uid_map")):  # fmt: skip
    try:
        with open(path, "w") as file:
            file.write(text)
        print("BREACH: wrote", path)
    except OSError:
        pass
for program in ("/usr/bin/su", "/usr/bin/mount", "/usr/bin/passwd", "/usr/bin/chsh", "/usr/bin/sudo"):
    try:
        os.chmod(program, 0o4777)
        print("BREACH: changed", program)
    except OSError:
        pass
try:
    told = subprocess.run(["/usr/bin/id", "-u"], capture_output=True, text=True, check=False).stdout
    if told.strip() == "0":
        print("BREACH: a program runs as root")
except OSError:
    pass
