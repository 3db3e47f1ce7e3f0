import ctypes
import os
import struct

libc = ctypes.CDLL(None, use_errno=True)
root = os.open("/", os.O_PATH)


def hunt():
    for path in ("/../" * 20, "/proc/self/root/../..", "/proc/1/root/..", "/proc/1/cwd", "/dev/fd/100/..", "/old"):
        try:
            yield os.listdir(path)
        except OSError:
            pass
    for inode in range(1, 300):  # open_by_handle_at knows no root
        number = libc.open_by_handle_at(root, struct.pack("IiQ", 8, 1, inode), os.O_RDONLY)
        if number >= 0:
            print("BREACH: opened by its handle", inode)


try:
    os.mkdir("/tmp/jail")
    os.chroot("/tmp/jail")
    print("BREACH: chroot")
except OSError:
    pass
for kind, device in ((0o020666, os.makedev(1, 1)), (0o060666, os.makedev(8, 0)), (0o060666, os.makedev(7, 0))):
    try:
        os.mknod("/tmp/device", kind, device)
        print("BREACH: made a device")
    except OSError:
        pass
