import ctypes
import mmap

import numpy as np

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p


def hunt():
    yield np.empty(64 << 20, np.uint8)[:: 1 << 12].tobytes()
    for size in (64, 1 << 10, 1 << 16, 1 << 20):
        for _ in range(50):
            address = libc.malloc(size)
            yield ctypes.string_at(address, size)
    with mmap.mmap(-1, 16 << 20) as fresh:
        yield fresh.read()
