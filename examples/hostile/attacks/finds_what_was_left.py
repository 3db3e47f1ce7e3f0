import ctypes
import os
import socket

libc = ctypes.CDLL(None, use_errno=True)
LEFT = "left-by-a-hostile-notebook"
for folder in ("/tmp", "/dev/shm", "/home", os.curdir, "/var/tmp", "/dev/mqueue", "/run/lock"):
    if os.path.lexists(os.path.join(folder, LEFT)):
        print("BREACH: a file in", folder)
if any(
    function(0x7EF7, *size, 0) >= 0 for function, size in ((libc.shmget, [0]), (libc.semget, [0]), (libc.msgget, []))
):
    print("BREACH: shared memory, semaphores or a queue")
if libc.syscall(249, b"user", LEFT.encode(), None, 0) >= 0:
    print("BREACH: a key")
try:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect("\0" + LEFT)
        print("BREACH: a socket")
except OSError:
    pass
