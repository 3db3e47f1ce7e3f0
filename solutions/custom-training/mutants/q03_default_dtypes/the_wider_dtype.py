"""The dtype with more bytes wins: int64 and float32 make int64."""
# fails: public::test_promotion, hidden::test_every_pair, hidden::test_nothing_is_lost, hidden::test_promotion_in_a_graph

# %%
import numpy as np
import tensorflow as tf


# %%
def arange_like_numpy(n):
    """Return the integers 0 to n-1 as int64."""
    return tf.range(n, dtype=tf.int64)


# %%
def add_promoted(a, b):
    """Return a + b in the dtype that NumPy would choose."""
    dtype = max(a.dtype, b.dtype, key=lambda dtype: (dtype.size, dtype.is_floating))
    return tf.cast(a, dtype) + tf.cast(b, dtype)


# %%
def to_single_precision(nested):
    """Return the same structure of tensors, with float32 where there was float64."""
    return tf.nest.map_structure(single, nested)


def single(end):
    """Return an array or a tensor as a tensor, in float32 if it is float64."""
    tensor = tf.convert_to_tensor(end)
    return tf.cast(tensor, tf.float32) if tensor.dtype == tf.float64 else tensor
