import ctypes
import time


def hunt():
    end = time.monotonic() + 1
    with open("/proc/self/maps") as file:
        spans = [
            line.split() for line in file if line.split()[1].startswith("rw") and "[" not in line.replace("[heap]", "")
        ]
    for span, *_ in spans:
        start, stop = (int(edge, 16) for edge in span.split("-"))
        for at in range(start, stop, 4 << 20):
            if time.monotonic() > end:
                return
            yield ctypes.string_at(at, min(4 << 20, stop - at))


try:
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        memory.seek(id(hunt))
        memory.read(100)
except OSError:
    pass
