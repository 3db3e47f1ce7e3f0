"""A table of dtypes, a cast before a range, and the structure flattened and packed again."""

# %%
import tensorflow as tf


# %%
def arange_like_numpy(n):
    return tf.range(tf.cast(n, tf.int64))


# %%
ORDER = [tf.int32, tf.int64, tf.float32, tf.float64]


def common_dtype(*dtypes):
    low, high = sorted(dtypes, key=ORDER.index)
    return tf.float64 if high == tf.float32 and low != tf.float32 else high


def add_promoted(a, b):
    dtype = common_dtype(a.dtype, b.dtype)
    return tf.add(tf.cast(a, dtype), tf.cast(b, dtype))


# %%
def to_single_precision(nested):
    ends = [tf.convert_to_tensor(end) for end in tf.nest.flatten(nested)]
    ends = [tf.cast(end, {tf.float64: tf.float32}.get(end.dtype, end.dtype)) for end in ends]
    return tf.nest.pack_sequence_as(nested, ends)
