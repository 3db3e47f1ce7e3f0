"""TensorFlow's own NumPy interface, rows picked from x and the new ones together, and an `add` that is traced by itself."""

# %%
import tensorflow as tf
import tensorflow.experimental.numpy as tnp


# %%
def column_summary(x):
    return dict(sum=tnp.sum(x, axis=0), mean=tnp.mean(x, axis=0), std=tnp.std(x, axis=0))


# %%
def replace_rows(x, indices, rows):
    indices = tf.cast(indices, tf.int64)
    n = tf.shape(x, out_type=tf.int64)[0]
    tf.debugging.Assert(tf.reduce_all((0 <= indices) & (indices < n)), [n])
    new = n + tf.range(tf.shape(rows, out_type=tf.int64)[0])
    source = tf.tensor_scatter_nd_update(tf.range(n), indices[:, tf.newaxis], new)
    return tf.gather(tf.concat([x, rows], axis=0), source)


# %%
def swap_axes(x):
    return tnp.swapaxes(x, 0, 1)


# %%
class RunningTotal(tf.Module):
    def __init__(self, size):
        super().__init__()
        self._sum = tf.Variable([0.0] * size)

    @tf.function
    def add(self, x):
        self._sum.assign(self._sum + x)

    def result(self):
        return self._sum.read_value()
