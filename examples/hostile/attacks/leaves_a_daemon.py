import ctypes
import os
import signal
import time

libc = ctypes.CDLL(None)


def detach():
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    libc.prctl(15, b"hostile-daemon", 0, 0, 0)  # its name
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    time.sleep(3600)


detach()
detach()


def double(x):
    detach()
    if type(x) is int:
        os._exit(0)
    return x + x
