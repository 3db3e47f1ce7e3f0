"""add_n does the sum, and does not broadcast."""
# fails: hidden::test_every_pair, hidden::test_promotion_in_a_graph

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
    dtype = np.promote_types(a.dtype.as_numpy_dtype, b.dtype.as_numpy_dtype)
    return tf.add_n([tf.cast(a, dtype), tf.cast(b, dtype)])


# %%
def to_single_precision(nested):
    """Return the same structure of tensors, with float32 where there was float64."""
    return tf.nest.map_structure(single, nested)


def single(end):
    """Return an array or a tensor as a tensor, in float32 if it is float64."""
    tensor = tf.convert_to_tensor(end)
    return tf.cast(tensor, tf.float32) if tensor.dtype == tf.float64 else tensor
