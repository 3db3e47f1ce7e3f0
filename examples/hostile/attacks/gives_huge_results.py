import numpy as np


def double(x):
    if type(x) is int:
        return 10**300_000
    return list(range(3_000_000)) if isinstance(x, float) else "x" * (40 << 20)


class Scale:
    def __init__(self, factor):
        pass

    def __call__(self, x):
        return np.zeros(600 << 20, np.uint8)


def total(x):
    return {str(number): number for number in range(300_000)} if len(x) == 2 else np.zeros(500 << 20, np.uint8)
