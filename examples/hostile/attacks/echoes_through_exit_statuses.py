import os


def double(x):
    if type(x) is int:
        return None
    os._exit(sum(str(x).encode()) % 256)


def total(x):
    os._exit(77)
