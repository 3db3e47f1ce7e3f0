import ctypes
import fcntl
import os
import time

libc = ctypes.CDLL(None, use_errno=True)
NAMES = sorted(entry.path for entry in os.scandir("/usr/bin") if entry.is_file(follow_symlinks=False))[:20]
watch = libc.inotify_init1(os.O_NONBLOCK)
for name in (*NAMES, "/usr/bin", os.path.dirname(os.__file__)):
    libc.inotify_add_watch(watch, name.encode(), 0x20)
files = [os.open(name, os.O_RDONLY) for name in NAMES]
busy, end = 0, time.monotonic() + 2.5
while time.monotonic() < end:
    for file in files:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(file, fcntl.LOCK_UN)
        except BlockingIOError:
            busy += 1
    time.sleep(0.001)
try:
    heard = os.read(watch, 65536) if watch >= 0 else b""
except OSError:
    heard = b""
if heard or busy:
    print("BREACH: heard of files that others have opened or locked:", len(heard), busy)
