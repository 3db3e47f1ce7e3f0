# %%
import numpy as np
import tensorflow as tf
from tensorflow import keras


# %%
class NormalizedRanks(keras.layers.Layer):
    """The rank of each value in its row, between 0 and 1, in TensorFlow's operations."""

    def call(self, inputs):
        """Return the ranks of inputs of shape (batch, n), in the same shape."""
        raise NotImplementedError("NormalizedRanks.call")


# %%
class PythonRanks(keras.layers.Layer):
    """The same in ordinary Python, through tf.py_function."""

    def call(self, inputs):
        """Return the ranks of inputs of shape (batch, n), in the same shape."""
        raise NotImplementedError("PythonRanks.call")
