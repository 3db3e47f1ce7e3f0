"""A submission whose functions end in every way, and objects that would pass any check."""

import ctypes
import os
import pathlib
import threading
import time

import numpy as np
import tensorflow as tf


def good():
    return 3


def wrong():
    return 4


def error():
    print("PRINTED-TEXT")
    raise ValueError("STUDENT-TEXT")


def status():
    os._exit(77)


def printer():
    print("PRINTED-TEXT")
    return 5


def forever():
    while True:
        pass


def sleeper():
    time.sleep(1000)


def numpy_bomb():
    return np.ones(20 * 10**9 // 8)


def tensor_bomb():
    return tf.ones([20 * 10**9 // 4])


def leaves():
    os._exit(0)


def segfault():
    ctypes.string_at(0)


def aborts():
    os.abort()


def nothing():
    pass


def a_list():
    return ["a", None]


def a_dict():
    return {"a": 1}


def a_string():
    return "zeros"


def an_object():
    return object()


def a_nested():
    return [[1], [1, 2]]


def a_huge():
    return 10**10_000


def many():
    return list(range(200_000))


def dies_later():
    threading.Timer(0.3, os._exit, [1]).start()
    return 3


def write(path, text):
    pathlib.Path(path).write_text(text)


def draw():
    return [float(np.random.random()), float(tf.random.uniform(()))]


record = []


def given():
    return [repr(value) for value in record if "0.7234" in repr(value)]


def seen(name, answer=True):
    def method(self, *args, **kwargs):
        record.append((name, args, kwargs))
        return answer(self, *args) if callable(answer) else answer

    return method


COMPARISONS = {f"__{name}__": seen(name) for name in ["eq", "ne", "lt", "le", "gt", "ge", "bool", "contains"]}
ARITHMETIC = {
    f"__{name}__": seen(name, lambda self, *_: self)
    for name in [
        "add",
        "radd",
        "sub",
        "rsub",
        "mul",
        "rmul",
        "truediv",
        "rtruediv",
        "abs",
        "neg",
        "and",
        "rand",
        "matmul",
        "rmatmul",
    ]
}
SHOWN = {
    "__repr__": seen("repr", "0.7234561"),
    "__str__": seen("str", "0.7234561"),
    "__hash__": lambda self: 1,
    "__format__": seen("format", "0.7234561"),
    "__float__": seen("float", 0.0),
    "max": seen("max", 0.0),
    "__len__": lambda s: 3,
    "__iter__": lambda s: iter([s, s, s]),
    "__getitem__": lambda s, i: s,
    "shape": (3,),
    "dtype": np.dtype("f8"),
    "ndim": 1,
}
ARRAYS = {
    "__array_wrap__": seen("wrap", lambda self, *a: a[0]),
    "__array_priority__": 1e9,
    "__array_finalize__": None,
    "__array_ufunc__": seen("ufunc", lambda *_: np.True_),
    "__array_function__": seen("function", lambda *_: np.True_),
}


def lying(cls):
    return {"__class__": property(lambda self: cls)}


ALL = COMPARISONS | ARITHMETIC | SHOWN
CLASSES = {
    "wraps": type("W", (), ALL | ARRAYS),
    "compares": type("C", (), ALL),
    "float_like": type("F", (float,), ALL),
    "array_like": type("A", (), ALL | {"__array__": seen("array", lambda *_: np.zeros(3))}),
    "ndarray_like": type("N", (np.ndarray,), COMPARISONS | ARITHMETIC | {"__array_ufunc__": ARRAYS["__array_ufunc__"]}),
    "number_like": type("G", (np.float64,), COMPARISONS | ARITHMETIC | {"tobytes": seen("tobytes", bytes(8))}),
    "tensor_like": type("T", (), ALL | lying(tf.Tensor) | {"numpy": seen("numpy", lambda *_: np.zeros(3))}),
    "lies": type("L", (), ALL | lying(float)),
    "callable": type("K", (), ALL | {"__call__": seen("call"), "__getattr__": lambda self, name: self}),
}


def hostile(kind):
    return CLASSES[kind](3) if kind == "ndarray_like" else CLASSES[kind]()
