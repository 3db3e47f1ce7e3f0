"""The deviation by its formula, a mask and a where after two assertions, axes by their letters, and an identity."""

# %%
import tensorflow as tf


# %%
def column_summary(x):
    dtype = tf.as_dtype(x.dtype)
    total = tf.reduce_sum(tf.cast(x, "int64" if dtype.is_integer else dtype), 0)
    x = tf.cast(x, tf.float64 if dtype.is_integer else dtype)
    mean = tf.math.reduce_mean(x, 0)
    return {"sum": total, "mean": mean, "std": tf.sqrt(tf.reduce_mean((x - mean) ** 2, 0))}


# %%
def replace_rows(x, indices, rows):
    count = tf.shape(x, out_type=tf.int64)[0]
    indices = tf.cast(indices, tf.int64)
    with tf.control_dependencies([tf.debugging.assert_non_negative(indices), tf.debugging.assert_less(indices, count)]):
        new = tf.scatter_nd(indices[:, None], rows, tf.shape(x, out_type=tf.int64))
    replaced = tf.reduce_any(indices[:, None] == tf.range(count), axis=0)
    return tf.where(replaced[:, None], new, x)


# %%
def swap_axes(x):
    return tf.einsum("ij...->ji...", x)


# %%
class RunningTotal(tf.Module):
    def __init__(self, size):
        super().__init__()
        self.state = tf.Variable(tf.zeros(size), name="state")

    def add(self, x):
        self.state.assign_add(x)

    def result(self):
        return tf.identity(self.state)
