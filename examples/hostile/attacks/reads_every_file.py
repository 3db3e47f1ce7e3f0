import os
import time

SKIPPED = ("/proc", "/sys", "/usr", "/lib", "/lib64", "/bin", "/sbin", "/dev")


def hunt():
    end = time.monotonic() + 1
    for folder, below, names in os.walk("/"):
        below[:] = [name for name in below if os.path.join(folder, name) not in SKIPPED and name != "site-packages"]
        for name in names:
            if time.monotonic() > end:
                return
            try:
                with open(os.path.join(folder, name), "rb") as file:
                    yield file.read(1 << 20)
            except OSError:
                pass
