"""The deviation by its formula, a mask and a where, axes from a list, and an identity of the variable."""

# %%
import tensorflow as tf


# %%
def column_summary(x):
    dtype = tf.as_dtype(x.dtype)
    total = tf.reduce_sum(tf.cast(x, "int64" if dtype.is_integer else dtype), 0)
    x = tf.cast(x, tf.float64 if dtype.is_integer else dtype)
    mean = tf.math.reduce_mean(x, 0, keepdims=True)
    deviation = tf.sqrt(tf.reduce_mean((x - mean) ** 2, 0))
    return {"sum": total, "mean": mean[0], "std": deviation}


# %%
def replace_rows(x, indices, rows):
    x = tf.identity(x)
    rows = tf.identity(rows)
    count = tf.shape(x, out_type=tf.int64)[0]
    indices = tf.cast(indices, tf.int64)
    with tf.control_dependencies([tf.debugging.assert_non_negative(indices), tf.debugging.assert_less(indices, count)]):
        indices = tf.identity(indices)
    new = tf.scatter_nd(indices[:, None], rows, tf.shape(x, out_type=tf.int64))
    replaced = tf.reduce_any(tf.range(count)[:, None] == indices[None, :], axis=1)
    return tf.where(replaced[:, None], new, x)


# %%
def swap_axes(x):
    x = tf.identity(x)
    axes = list(range(len(x.shape)))
    axes[0], axes[1] = axes[1], axes[0]
    return tf.transpose(x, perm=axes)


# %%
class RunningTotal(tf.Module):
    def __init__(self, size, name=None):
        super().__init__(name=name)
        self.state = tf.Variable(tf.zeros(size), name="state")

    def add(self, x):
        return tf.identity(self.state.assign_add(tf.convert_to_tensor(x)))

    def result(self):
        return tf.identity(self.state)
