import ctypes
import os
import posix
import subprocess

libc = ctypes.CDLL(None)


def hunt():
    yield dict(os.environ)
    yield dict(posix.environ)
    names = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
    number = 0
    while names and names[number]:
        yield names[number]
        number += 1
    for name in ("environ", "cmdline", "auxv"):
        try:
            with open(f"/proc/self/{name}", "rb") as file:
                yield file.read()
        except OSError:
            pass
    try:
        yield subprocess.run(["/usr/bin/env"], capture_output=True, check=False).stdout
    except OSError:
        pass
