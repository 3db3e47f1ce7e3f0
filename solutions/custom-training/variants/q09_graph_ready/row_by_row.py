"""One row at a time, by a map in the graph, in Keras 3's operations; the shape restored by a reshape."""

# %%
import tensorflow as tf
from keras import ops
from tensorflow import keras


# %%
def rank_row(row):
    difference = ops.sign(ops.expand_dims(row, 1) - row)
    # Each smaller value adds 1, each equal one 1/2, and the value itself is equal to itself.
    return ops.sum((difference + 1.0) / 2.0, 1) - 0.5


class NormalizedRanks(keras.layers.Layer):
    def call(self, inputs):
        ranks = tf.map_fn(rank_row, inputs)
        return ranks / max(inputs.shape[1] - 1, 1)


# %%
def rank(value, row):
    return (sum((other < value) + (other <= value) for other in row) - 1) / 2


def rank_all(batch):
    rows = batch.numpy().tolist()
    return [[[rank(value, row) / max(len(row) - 1, 1) for value in row] for row in rows]]


class PythonRanks(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.supports_jit = False

    def call(self, inputs):
        return tf.reshape(tf.py_function(rank_all, [inputs], ["float32"]), tf.shape(inputs))
