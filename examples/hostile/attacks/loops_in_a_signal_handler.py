import signal
import time


def forever(*_):
    while True:
        pass


signal.signal(signal.SIGALRM, forever)


def double(x):
    if type(x) is int:
        signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
        time.sleep(1)
    return x + x
