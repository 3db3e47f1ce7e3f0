import ctypes
import sys


def deep(n):
    return deep(n + 1) + 1


def double(x):
    if type(x) is int:
        return ctypes.string_at(0)
    if isinstance(x, float):
        sys.setrecursionlimit(10**9)
        return deep(0)
    return ctypes.CDLL(None).abort()
