"""A fold, a maximum in place of the condition, a random operation with its own seed, and objects with a state."""

# %%
import tensorflow as tf
from tensorflow import keras


# %%
def make_noisy(seed):
    generator = tf.random.Generator.from_state(tf.random.create_rng_state(seed, "philox"), alg="philox")
    return lambda x: x + generator.normal(shape=tf.shape(x), mean=0.0, stddev=1.0)


# %%
def logistic_orbit(values, y):
    return tf.foldl(lambda y, v: v * y * (1 - y), values, initializer=tf.cast(y, tf.float32))


# %%
class AuditedDouble(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.calls = tf.Variable(0.0, trainable=False, name="calls")

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
