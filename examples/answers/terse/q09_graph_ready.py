import numpy as np
import tensorflow as tf
from tensorflow import keras


# %%
class NormalizedRanks(keras.layers.Layer):
    """The rank of each value in its row, between 0 and 1, in TensorFlow's operations."""

    def call(self, inputs):
        """Return the ranks of inputs of shape (batch, n), in the same shape."""
        ordered = tf.sort(inputs, axis=-1)
        below, upto = (tf.searchsorted(ordered, inputs, side=side) for side in ("left", "right"))
        steps = tf.maximum(tf.shape(inputs)[-1] - 1, 1)
        ranks = tf.cast(below + upto - 1, tf.float32) / tf.cast(2 * steps, tf.float32)
        return tf.ensure_shape(ranks, inputs.shape)

    def compute_output_shape(self, input_shape):
        return input_shape


# %%
def _row_ranks(row):
    _, where, count = np.unique(row, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count + 1) / 2)[where] / max(len(row) - 1, 1)


def _ranks(x):
    x = x.numpy()
    return np.array([_row_ranks(row) for row in x], "float32").reshape(x.shape)


class PythonRanks(keras.layers.Layer):
    """The same in ordinary Python, through tf.py_function."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_jit = False  # XLA cannot call back into Python

    def call(self, inputs):
        """Return the ranks of inputs of shape (batch, n), in the same shape."""
        ranks = tf.py_function(_ranks, [tf.stop_gradient(inputs)], tf.float32)
        return tf.ensure_shape(ranks, inputs.shape)

    def compute_output_shape(self, input_shape):
        return input_shape
