"""A list of arrays becomes one tensor."""
# fails: public::test_single_precision, hidden::test_deep_structures, hidden::test_the_given_structure_stays

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
    return tf.cast(a, dtype) + tf.cast(b, dtype)


# %%
def to_single_precision(nested):
    """Return the same structure of tensors, with float32 where there was float64."""
    if isinstance(nested, dict):
        return {key: to_single_precision(value) for key, value in nested.items()}
    if isinstance(nested, tuple):
        return tuple(to_single_precision(value) for value in nested)
    return single(nested)


def single(end):
    """Return an array or a tensor as a tensor, in float32 if it is float64."""
    tensor = tf.convert_to_tensor(end)
    return tf.cast(tensor, tf.float32) if tensor.dtype == tf.float64 else tensor
