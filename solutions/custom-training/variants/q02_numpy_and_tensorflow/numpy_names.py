"""TensorFlow's own NumPy interface, rows stitched together by their indices, and an `add` that is traced by itself."""

# %%
import tensorflow as tf
import tensorflow.experimental.numpy as tnp


# %%
def column_summary(x):
    return dict(sum=tnp.sum(x, axis=0), mean=tnp.mean(x, axis=0), std=tnp.std(x, axis=0))


# %%
def replace_rows(x, indices, rows):
    indices = tf.cast(indices, tf.int64)
    n = tf.shape(x)[0]
    tf.debugging.Assert(tf.reduce_all((0 <= indices) & (indices < tf.cast(n, tf.int64))), [n])
    return tf.dynamic_stitch([tf.range(n), tf.cast(indices, tf.int32)], [x, rows])


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
