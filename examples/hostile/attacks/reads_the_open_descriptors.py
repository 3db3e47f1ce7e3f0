import fcntl
import os
import socket
import stat


def hunt():
    for number in range(1024):
        try:
            mode = os.fstat(number).st_mode
        except OSError:
            continue
        try:
            yield os.readlink(f"/proc/self/fd/{number}").encode()
            if stat.S_ISSOCK(mode):
                with socket.socket(fileno=os.dup(number)) as copy:
                    yield copy.recv(1 << 20, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            elif stat.S_ISREG(mode):
                yield os.pread(number, 1 << 20, 0)
        except OSError:
            pass


def own_pipes():
    """The pipes that this process reads itself: its output goes into one."""
    for number in range(3, 1024):
        try:
            if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
                yield os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            pass


own = set(own_pipes())
for number in (*range(3), *range(101, 1024)):
    try:
        target = os.readlink(f"/proc/self/fd/{number}")
        fcntl.fcntl(number, fcntl.F_GETFD)
    except OSError:
        continue
    elsewhere = target.startswith(("socket:", "/tmp/gradetape", "pipe:")) and target not in own
    if elsewhere and number < 3 or "gradetape-" in target:
        print("BREACH: descriptor", number, "is", target)
