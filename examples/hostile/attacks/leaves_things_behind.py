import ctypes
import os
import socket
import subprocess
from multiprocessing import shared_memory

libc = ctypes.CDLL(None, use_errno=True)
LEFT = "left-by-a-hostile-notebook"
for folder in ("/tmp", "/dev/shm", "/home", os.curdir, "/var/tmp", "/dev/mqueue", "/run/lock"):
    try:
        with open(os.path.join(folder, LEFT), "w") as file:
            file.write(LEFT)
    except OSError:
        pass
try:
    kept = shared_memory.SharedMemory(LEFT, create=True, size=100)
except OSError:
    pass
segment = libc.shmget(0x7EF7, 4096, 0o1666)
semaphore = libc.semget(0x7EF7, 1, 0o1666)
queue = libc.msgget(0x7EF7, 0o1666)
libc.syscall(248, b"user", LEFT.encode(), b"x", 1, -4)  # add_key to the user's keyring
try:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("\0" + LEFT)
    listener.listen()
except OSError:
    pass
try:
    subprocess.run(["crontab", "-"], input=b"* * * * * touch /tmp/owned\n", check=False, capture_output=True)
except OSError:
    pass
