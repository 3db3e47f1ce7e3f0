# %%
from bisect import bisect_left, bisect_right

import numpy as np
import tensorflow as tf
from tensorflow import keras


# %%
class NormalizedRanks(keras.layers.Layer):
    """The rank of each value in its row, between 0 and 1, in TensorFlow's operations."""

    def call(self, inputs):
        """Return the ranks of inputs of shape (batch, n), in the same shape."""
        value, others = inputs[:, :, tf.newaxis], inputs[:, tf.newaxis, :]
        lower = tf.reduce_sum(tf.cast(others < value, tf.float32), axis=-1)
        not_above = tf.reduce_sum(tf.cast(others <= value, tf.float32), axis=-1)
        highest = tf.cast(tf.shape(inputs)[1] - 1, tf.float32)
        return tf.math.divide_no_nan((lower + not_above - 1.0) / 2.0, highest)


# %%
def ranks_of_row(row):
    """Return the normalized ranks of a list of numbers."""
    ordered, highest = sorted(row), max(len(row) - 1, 1)
    return [(bisect_left(ordered, value) + bisect_right(ordered, value) - 1) / 2 / highest for value in row]


def ranks_of_batch(batch):
    """Return the normalized ranks of each row of a tensor, as an array: a list would be taken for several results."""
    return np.array([ranks_of_row(row) for row in batch.numpy().tolist()])


class PythonRanks(keras.layers.Layer):
    """The same in ordinary Python, through tf.py_function."""

    def __init__(self):
        super().__init__()
        self.supports_jit = False

    def call(self, inputs):
        """Return the ranks of inputs of shape (batch, n), in the same shape."""
        ranks = tf.py_function(ranks_of_batch, [inputs], tf.float32)
        return tf.ensure_shape(ranks, inputs.shape)
