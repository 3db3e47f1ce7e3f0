"""NumPy behind numpy_function, tf.range, a float weight that could be trained, wrappers around graphs, tf.where."""

# %%
import numpy as np
import tensorflow as tf
from tensorflow import keras


# %%
def make_noisy(seed):
    rng = np.random.default_rng(seed)

    def draw(size):
        return rng.normal(size=size).astype("float32")

    def noisy(x):
        return x + tf.numpy_function(draw, [tf.shape(x)[0]], tf.float32)

    return noisy


# %%
def logistic_orbit(values, y):
    for i in tf.range(tf.shape(values)[0]):
        y *= values[i] * (1 - y)
    return y


# %%
class AuditedDouble(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.calls = self.add_weight(shape=(), initializer="zeros")

    def call(self, inputs):
        self.calls.assign_add(1.0)
        return tf.add_n([inputs, inputs])


# %%
def make_total():
    running = tf.Variable(0.0)

    @tf.function(input_signature=[tf.TensorSpec(None)])
    def add(x):
        running.assign_add(tf.reduce_sum(x))
        return tf.identity(running)

    def total(x):
        return add(tf.convert_to_tensor(x))

    return total


# %%
def trace_once(fn):
    graph = tf.function(fn).get_concrete_function(tf.TensorSpec([None], tf.float32), tf.TensorSpec([], tf.float32))

    def traced(vector, number):
        return graph(tf.convert_to_tensor(vector), tf.constant(number, tf.float32))

    return traced


# %%
def limit_to_one(x):
    largest = tf.reduce_max(tf.abs(x))
    return tf.where(largest > 1, x / largest, x)
