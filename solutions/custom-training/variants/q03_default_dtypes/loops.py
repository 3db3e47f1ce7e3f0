"""A cumulative sum of ones, a rule for dtypes in words, and a stack of what is left to convert."""

# %%
import tensorflow as tf


# %%
def arange_like_numpy(n):
    return tf.cumsum(tf.ones([n], tf.int64), exclusive=True)


# %%
def add_promoted(a, b):
    dtypes = {a.dtype, b.dtype}
    if any(dtype.is_floating for dtype in dtypes):
        common = tf.float32 if dtypes == {tf.float32} else tf.float64
    else:
        common = tf.int64 if tf.int64 in dtypes else tf.int32
    return tf.math.add(tf.cast(a, common), tf.cast(b, common))


# %%
def to_single_precision(nested):
    result = {}
    to_do = [(nested, result, "all")]
    while to_do:
        part, parent, place = to_do.pop()
        if isinstance(part, dict):
            parent[place] = dict.fromkeys(part)
            to_do += [(value, parent[place], key) for key, value in part.items()]
        elif isinstance(part, list):
            parent[place] = [None] * len(part)
            to_do += [(value, parent[place], index) for index, value in enumerate(part)]
        elif isinstance(part, tuple):
            parent[place] = tuple(to_single_precision(list(part)))
        else:
            parent[place] = tf.cast(part, tf.float32 if part.dtype == tf.float64 else part.dtype)
    return result["all"]
