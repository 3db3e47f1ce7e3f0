import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.ioctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_char_p]
for path in ("/dev/tty", "/dev/console", "/dev/pts/0", "/dev/pts/1", "/dev/tty0", "/dev/ptmx"):
    try:
        terminal = os.open(path, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        continue
    print("BREACH: opened", path)
    for request in (0x5412, 0x1_0000_5412, 0x541C):  # TIOCSTI, the same beyond 32 bits, TIOCLINUX
        if libc.ioctl(terminal, request, b"x") == 0:
            print("BREACH: typed into", path)
for number in range(3):
    for request in (0x5412, 0x1_0000_5412):
        if libc.ioctl(number, request, b"x") == 0:
            print("BREACH: typed into descriptor", number)
