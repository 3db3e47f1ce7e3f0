# %%
import numpy as np
import tensorflow as tf


# %%
def arange_like_numpy(n):
    """Return the integers 0 to n-1 as int64."""
    raise NotImplementedError("arange_like_numpy")


# %%
def add_promoted(a, b):
    """Return a + b in the dtype that NumPy would choose."""
    raise NotImplementedError("add_promoted: find the common dtype, then cast both")


# %%
def to_single_precision(nested):
    """Return the same structure of tensors, with float32 where there was float64."""
    raise NotImplementedError("to_single_precision: what do you do with a dictionary, a list, a tuple, and an end?")
