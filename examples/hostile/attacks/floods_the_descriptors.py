import os
import subprocess


def double(x):
    print("flood " * 10**6)
    for number in (1, 2):
        for _ in range(1000):
            os.write(number, b"flood" * 10_000)
    return x + x


try:
    subprocess.run("head -c 100000000 /dev/zero; head -c 100000000 /dev/zero >&2", shell=True, check=False)
except OSError:
    pass
