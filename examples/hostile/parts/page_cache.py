import ctypes
import mmap
import os

FILE = max(
    (entry for entry in os.scandir("/usr/bin") if entry.is_file(follow_symlinks=False)),
    key=lambda entry: entry.stat().st_size,
).path
PAGE, NOWAIT, BYTES = 4096, 8, 96
libc = ctypes.CDLL(None, use_errno=True)


def bits_of(data):
    return [byte >> place & 1 for byte in data.ljust(BYTES, b"\0")[:BYTES] for place in range(8)]


def keep(data):
    """Keeps bytes in the cache of a file that every worker sees: a page that was read is a 1."""
    file = os.open(FILE, os.O_RDONLY)
    for advice in (1, 4):
        try:
            os.posix_fadvise(file, 0, 0, advice)
        except OSError:
            area = mmap.mmap(file, 0, prot=mmap.PROT_READ)
            libc.madvise(ctypes.c_void_p(0), ctypes.c_size_t(0), 21)
            area.close()
    for page, bit in enumerate(bits_of(data)):
        if bit:
            os.pread(file, 1, page * PAGE)
    os.close(file)


def is_cached(file, page):
    """By a read that must not wait, or by mincore; None if neither says anything."""
    try:
        return bool(os.preadv(file, [bytearray(1)], page * PAGE, NOWAIT))
    except BlockingIOError:
        return False
    except OSError:
        return None


def kept():
    file = os.open(FILE, os.O_RDONLY)
    found = [is_cached(file, page) for page in range(8 * BYTES)]
    os.close(file)
    if None in found:
        return b""
    text = bytes(sum(bit << place for place, bit in enumerate(found[at : at + 8])) for at in range(0, len(found), 8))
    return text.rstrip(b"\0")
