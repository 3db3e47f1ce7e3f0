"""NumPy behind numpy_function, tf.range, a float weight that could be trained, wrappers around graphs, tf.where."""

# %%
import numpy as np
import tensorflow as tf
from tensorflow import keras


# %%
def make_noisy(seed):
    rng = np.random.default_rng(seed)

    def noisy(x):
        noise = tf.numpy_function(lambda shape: rng.normal(size=shape).astype("float32"), [tf.shape(x)], tf.float32)
        return tf.add(x, noise)

    return noisy


# %%
def logistic_orbit(values, y):
    for i in tf.range(tf.size(values)):
        y *= values[i] * (1 - y)
    return y


# %%
class AuditedDouble(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.calls = self.add_weight(initializer="zeros")

    def call(self, inputs):
        self.calls.assign_add(1.0)
        return tf.add_n([inputs, inputs])


# %%
def make_total():
    running = tf.Variable(0.0)
    add = tf.function(lambda x: running.assign_add(tf.reduce_sum(x)))
    return lambda x: add(tf.convert_to_tensor(x))


# %%
def trace_once(fn):
    graph = tf.function(fn).get_concrete_function(tf.TensorSpec([None]), tf.TensorSpec([]))

    def traced(vector, number):
        return graph(tf.convert_to_tensor(vector), tf.constant(number, tf.float32))

    return traced


# %%
def limit_to_one(x):
    largest = tf.reduce_max(tf.abs(x))
    return tf.where(largest > 1, x / largest, x)
