"""NumPy's own integers, TensorFlow's NumPy interface, and a recursion by hand."""

# %%
import numpy as np
import tensorflow as tf
import tensorflow.experimental.numpy as tnp


# %%
def arange_like_numpy(n):
    return tf.constant(np.arange(n, dtype=np.int64))


# %%
def add_promoted(a, b):
    return tnp.add(a, b)


# %%
def to_single_precision(nested):
    if isinstance(nested, dict):
        return {key: to_single_precision(value) for key, value in nested.items()}
    if isinstance(nested, (list, tuple)):
        return type(nested)([to_single_precision(value) for value in nested])
    if nested.dtype == tf.float64:
        return tf.cast(nested, tf.float32)
    return tf.constant(nested)
