import os
import signal


def double(x):
    if type(x) is int:
        os.kill(os.getpid(), signal.SIGSTOP)
    return x + x
