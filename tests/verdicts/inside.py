"""A submission that tries what the sandbox forbids."""

import asyncio
import contextlib
import ctypes
import fcntl
import os
import resource
import socket
import subprocess
import threading
import time
from multiprocessing import shared_memory
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)


def connects(family, *address):
    try:
        with socket.socket(socket.AF_UNIX if family == "unix" else socket.AF_INET) as probe:
            probe.settimeout(1)
            probe.connect(address[0] if family == "unix" else address)
    except OSError:
        return False
    return True


def interfaces():
    try:
        return [name for _, name in socket.if_nameindex()]
    except OSError:
        return []


def exists(path):
    return os.path.lexists(path)


def reads(path):
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def environment():
    return dict(os.environ)


def descriptors():
    found = []
    for number in range(1024):
        try:
            fcntl.fcntl(number, fcntl.F_GETFD)
        except OSError:
            continue
        found.append(number)
    return found


def changes(path):
    """Which attributes of a file could be changed."""
    found = []
    for change, *values in ((os.chmod, 0o777), (os.utime, (1, 1)), (os.setxattr, "user.x", b"x")):
        with contextlib.suppress(OSError):
            change(path, *values)
            found.append(values)
    return found


def writes(folder):
    try:
        Path(folder, "probe").write_text("x")
        Path(folder, "probe").unlink()
    except OSError as error:
        return type(error).__name__
    return "written"


def leaves(path):
    Path(path).write_text("x")
    with contextlib.suppress(FileExistsError):
        shared_memory.SharedMemory("gradetape-test", create=True, size=100)


def locks(folder):
    """Leaves a file in a folder that not even its owner may enter."""
    Path(folder, "locked", "deeper").mkdir(parents=True)
    Path(folder, "locked", "deeper", "file").write_text("x")
    Path(folder, "locked").chmod(0)


def shared(name):
    return Path("/dev/shm", name).exists()


def mounts():
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [(line.split()[4], line.split()[5].split(",")) for line in lines]


def status():
    lines = Path("/proc/self/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def processes():
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


def refused(result):
    return "refused" if result != 0 else "done"


def mounts_something():
    return refused(libc.mount(b"none", b"/tmp", b"tmpfs", 0, b""))


def becomes_root():
    return refused(libc.setresuid(0, 0, 0))


def traces_its_parent():
    return refused(libc.ptrace(16, 1, 0, 0))


def signals_its_parent():
    return refused(libc.kill(1, 9))


def limits_its_parent():
    """Its own limits and priority are its own affair; core dumps go to a handler of the machine's."""
    os.nice(1)
    os.sched_setaffinity(0, os.sched_getaffinity(0))
    resource.setrlimit(resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))
    parent, core = os.getppid(), resource.RLIMIT_CORE
    attempts = (
        lambda: resource.prlimit(parent, resource.RLIMIT_CPU, (1 << 30, 1 << 30)),
        lambda: resource.setrlimit(core, (0, 0)),
        lambda: os.setpriority(os.PRIO_PROCESS, parent, 1),
        lambda: os.setpriority(os.PRIO_USER, 0, 1),
        lambda: os.sched_setaffinity(parent, os.sched_getaffinity(0)),
    )
    if resource.getrlimit(core) != (1, 1):
        return f"core dumps of {resource.getrlimit(core)}"
    return "done" if any(map(works, attempts)) else "refused"


def asks_how_its_threads_are_scheduled():
    """As TensorFlow does, which writes into the output if it may not."""
    return os.sched_getscheduler(threading.get_native_id()), os.sched_getparam(threading.get_native_id()).sched_priority


def works(attempt):
    try:
        attempt()
    except OSError:
        return False
    return True


def changes_root():
    return refused(libc.chroot(b"/tmp"))


def fills(folder, megabytes):
    path = Path(folder, "filler")
    try:
        with path.open("wb") as file:
            for _ in range(megabytes):
                file.write(bytes(1 << 20))
    except OSError as error:
        return error.strerror
    finally:
        path.unlink(missing_ok=True)
    return "filled"


def litters(folder):
    made = []
    try:
        for number in range(100_000):
            path = Path(folder, f"litter-{number}")
            path.touch()
            made.append(path)
    except OSError as error:
        return error.strerror
    finally:
        for path in made:
            path.unlink()
    return "littered"


def forks(times):
    made = []
    try:
        for _ in range(times):
            pid = os.fork()
            if pid == 0:
                os.read(waiting, 1)
                os._exit(0)
            made.append(pid)
    except OSError:
        pass
    for pid in made:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    return len(made)


waiting, _kept = os.pipe()
os.set_inheritable(waiting, False)


def burns(times):
    """Processes that never rest, each in a session of its own, which may have a share of the processors."""
    together, start = os.pipe()
    for _ in range(times):
        if os.fork() == 0:
            os.setsid()
            os.close(start)
            os.read(together, 1)
            while True:
                pass
    os.close(start)
    os.close(together)


def computes(seconds):
    """How much of the time it had a processor."""
    began, used = time.monotonic(), time.process_time()
    while time.monotonic() < began + seconds:
        pass
    return (time.process_time() - used) / seconds


def opens(times):
    files = []
    try:
        for _ in range(times):
            files.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
    for file in files:
        os.close(file)
    return len(files)


def daemon(seconds):
    subprocess.Popen(["/bin/sh", "-c", f"(setsid sleep {seconds} &)"], start_new_session=True).wait()


def leaves_with(status):
    os._exit(status)


def its_own():
    """The pipe's and those of the event loop in which the cells run."""
    loop = asyncio.get_event_loop()
    ends = (loop._selector, loop._ssock, loop._csock)
    return sorted((waiting, _kept, *(end.fileno() for end in ends)))
