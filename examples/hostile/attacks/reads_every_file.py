import os
import time

FIRST = ("/tmp", "/home", "/root", "/srv", "/mnt", "/run", "/var", "/etc", "/")
SKIPPED = {"/proc", "/sys", "/usr", "/lib", "/lib64", "/bin", "/sbin", "/dev"}


def hunt():
    end = time.monotonic() + 1.5
    for place in FIRST:
        for folder, below, names in os.walk(place):
            below[:] = [name for name in below if os.path.join(folder, name) not in SKIPPED and "-packages" not in name]
            for name in names:
                if time.monotonic() > end:
                    return
                try:
                    path = os.path.join(folder, name)
                    with open(path if os.path.isfile(path) else "", "rb") as file:
                        yield file.read(1 << 16)
                except OSError:
                    pass
