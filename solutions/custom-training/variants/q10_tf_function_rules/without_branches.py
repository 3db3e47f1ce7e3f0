"""A fold, a maximum in place of the condition, a generator made from a state, a tf.function with a signature."""

# %%
import tensorflow as tf
from tensorflow import keras


# %%
def make_noisy(seed):
    philox = tf.random.Algorithm.PHILOX
    generator = tf.random.Generator.from_state(tf.random.create_rng_state(seed, philox), philox)
    return lambda x: x + generator.normal(tf.shape(x))


# %%
def logistic_orbit(values, y):
    return tf.foldl(lambda y, v: v * y * (1 - y), values, initializer=y)


# %%
class AuditedDouble(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.calls = tf.Variable(0.0)

    def call(self, inputs):
        self.calls.assign_add(tf.ones_like(self.calls))
        return tf.multiply(inputs, 2.0)


# %%
def make_total():
    running = tf.Variable(tf.constant(0, tf.float32))
    return tf.function(lambda x: running.assign_add(tf.math.reduce_sum(x)), input_signature=[tf.TensorSpec((None,))])


# %%
def trace_once(fn):
    @tf.function(input_signature=(tf.TensorSpec((None,)), tf.TensorSpec(())))
    def graph(x, factor):
        return fn(x, factor)

    return graph


# %%
def limit_to_one(x):
    return x / tf.maximum(1.0, tf.reduce_max(tf.abs(x)))
