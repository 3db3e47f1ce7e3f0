import copy

import numpy as np
import tensorflow as tf


# %%
def arange_like_numpy(n):
    """Return the integers 0 to n-1 as int64."""
    # np.arange of a negative number is empty, where tf.range would raise.
    return tf.range(max(n, 0), dtype=tf.int64)


# %%
def add_promoted(a, b):
    """Return a + b in the dtype that NumPy would choose."""
    a = tf.convert_to_tensor(a)
    b = tf.convert_to_tensor(b)
    # NumPy itself knows its table; it is asked about dtypes only, so that this works while tracing, too.
    common = tf.as_dtype(np.result_type(a.dtype.as_numpy_dtype, b.dtype.as_numpy_dtype))
    # Cast before adding: after it, the digits would be lost already.
    return tf.cast(a, common) + tf.cast(b, common)


# %%
def to_single_precision(nested):
    """Return the same structure of tensors, with float32 where there was float64."""
    if isinstance(nested, dict):
        converted = copy.copy(nested)  # keeps the kind of dictionary and the order of its keys
        for key, value in nested.items():
            converted[key] = to_single_precision(value)
        return converted
    if isinstance(nested, list):
        return [to_single_precision(value) for value in nested]
    if isinstance(nested, tuple):
        values = [to_single_precision(value) for value in nested]
        if hasattr(nested, "_fields"):  # a namedtuple takes its values one by one
            return type(nested)(*values)
        return tuple(values)

    if isinstance(nested, (tf.RaggedTensor, tf.SparseTensor)):
        tensor = nested
    else:
        tensor = tf.convert_to_tensor(nested)
    if tensor.dtype == tf.float64:
        tensor = tf.cast(tensor, tf.float32)
    return tensor
