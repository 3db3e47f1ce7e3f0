import ctypes
import glob
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
READ_ONLY, FAILED = 0o10000, ctypes.c_void_p(-1).value


def hunt():
    for path in glob.glob("/dev/shm/*") + glob.glob("/dev/mqueue/*") + glob.glob("/proc/sysvipc/*"):
        with open(path, "rb") as file:
            yield file.read(1 << 20)
    for number in range(256):
        address = libc.shmat(number, None, READ_ONLY)
        if address not in (None, FAILED):
            print("BREACH: shared memory of others", number)
            yield ctypes.string_at(address, 4096)
