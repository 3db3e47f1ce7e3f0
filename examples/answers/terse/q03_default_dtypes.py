import numpy as np
import tensorflow as tf


# %%
def arange_like_numpy(n):
    """Return the integers 0 to n-1 as int64."""
    return tf.range(max(n, 0), dtype=tf.int64)


# %%
def add_promoted(a, b):
    """Return a + b in the dtype that NumPy would choose."""
    a, b = map(tf.convert_to_tensor, (a, b))
    dtype = tf.as_dtype(np.promote_types(a.dtype.as_numpy_dtype, b.dtype.as_numpy_dtype))
    return tf.add(*(tf.cast(t, dtype) for t in (a, b)))


# %%
def _single(end):
    composite = isinstance(end, (tf.RaggedTensor, tf.SparseTensor))
    tensor = end if composite else tf.convert_to_tensor(end)
    return tf.cast(tensor, tf.float32) if tensor.dtype == tf.float64 else tensor


def to_single_precision(nested):
    """Return the same structure of tensors, with float32 where there was float64."""
    if isinstance(nested, dict):
        return {k: to_single_precision(v) for k, v in nested.items()}
    if isinstance(nested, (list, tuple)):
        ends = [to_single_precision(v) for v in nested]
        return type(nested)(*ends) if hasattr(nested, "_fields") else tuple(ends) if isinstance(nested, tuple) else ends
    return _single(nested)
