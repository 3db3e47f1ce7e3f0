import os
import types


class Trap(types.ModuleType):
    def __getattr__(self, name):
        if name == "wait":
            while True:
                pass
        os._exit(3)


np = Trap("numpy")
half = type("half", (float,), {"__truediv__": lambda *_: os._exit(3), "__rmul__": lambda *_: os._exit(3)})(0.5)
raise ValueError("now the rest")
quarter = half / 2
big = 10**10**10
many = [0] * 10**11
ended = os._exit(3)
kind = type(half)(3)


def double(x):
    return x + x


def total(x):
    return (x**2).sum()
