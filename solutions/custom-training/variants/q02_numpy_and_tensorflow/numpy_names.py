"""TensorFlow's own NumPy interface, rows picked from x and the new ones together, and functions traced by themselves."""

# %%
import tensorflow as tf
import tensorflow.experimental.numpy as tnp


# %%
def column_summary(x):
    return dict(sum=tnp.sum(x, axis=0), mean=tnp.mean(x, axis=0), std=tnp.std(x, axis=0))


# %%
def replace_rows(x, indices, rows):
    x = tf.convert_to_tensor(x)
    rows = tf.cast(rows, x.dtype)
    indices = tf.cast(indices, tf.int64)
    n = tf.shape(x, out_type=tf.int64)[0]
    tf.debugging.Assert(tf.reduce_all((0 <= indices) & (indices < n)), [indices, n])
    new = n + tf.range(tf.shape(rows, out_type=tf.int64)[0])
    source = tf.tensor_scatter_nd_update(tf.range(n), tf.expand_dims(indices, 1), new)
    return tf.gather(tf.concat([x, rows], axis=0), source)


# %%
def swap_axes(x):
    return tnp.swapaxes(x, 0, 1)


# %%
class RunningTotal(tf.Module):
    def __init__(self, size):
        super().__init__("total")
        self._sum = tf.Variable([0.0] * size, trainable=False)

    @tf.function
    def add(self, x):
        return self._sum.assign(self._sum + x)

    @tf.function
    def result(self):
        return self._sum.read_value()
