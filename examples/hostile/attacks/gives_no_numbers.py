import numpy as np
import tensorflow as tf


def double(x):
    return float("nan") if type(x) is int else float("inf") if isinstance(x, float) else np.full(50, np.nan)


class Scale(tf.Module):
    def __init__(self, factor):
        super().__init__()

    def __call__(self, x):
        return x * float("nan")


def total(x):
    return -np.inf if len(x) == 2 else np.datetime64("NaT")
