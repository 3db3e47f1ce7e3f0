"""One row at a time, by a map in the graph, in Keras 3's operations; the shape restored by a reshape."""

# %%
import tensorflow as tf
from keras import ops
from tensorflow import keras


# %%
def rank_row(row):
    difference = ops.sign(ops.expand_dims(row, 1) - ops.expand_dims(row, 0))
    # Each smaller value adds 1, each equal one 1/2, and the value itself is equal to itself.
    return ops.sum((difference + 1.0) / 2.0, axis=1) - 0.5


class NormalizedRanks(keras.layers.Layer):
    def call(self, inputs):
        ranks = tf.map_fn(rank_row, inputs)
        return ranks / max(inputs.shape[1] - 1, 1)


# %%
def rank_all(batch):
    rows = [[float(value) for value in row] for row in batch]
    below = [[sum(other < value for other in row) for value in row] for row in rows]
    above = [[sum(other > value for other in row) for value in row] for row in rows]
    n = len(rows[0])
    if n == 1:
        return tf.zeros_like(batch)
    ranks = [[(b + n - 1 - a) / 2 / (n - 1) for b, a in zip(*pair)] for pair in zip(below, above)]
    return tf.constant(ranks, tf.float32)


class PythonRanks(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.supports_jit = False

    def call(self, inputs):
        return tf.reshape(tf.py_function(rank_all, [inputs], "float32"), tf.shape(inputs))
