# %%
import tensorflow as tf
from tensorflow import keras


# %%
def make_noisy(seed):
    """Return a function that adds standard normal noise to a vector."""
    generator = tf.random.Generator.from_seed(seed)

    @tf.function
    def noisy(x):
        return x + generator.normal(tf.shape(x))

    return noisy


# %%
def logistic_orbit(values, y):
    """Return what y = v * y * (1 - y) makes of y, for each v of a vector in turn."""
    for v in values:
        y = v * y * (1 - y)
    return y


# %%
class AuditedDouble(keras.layers.Layer):
    """Doubles its inputs, and counts how often."""

    def __init__(self):
        super().__init__()
        self.calls = tf.Variable(0, trainable=False)

    def call(self, inputs):
        """Return twice the inputs."""
        self.calls.assign_add(1)
        return 2 * inputs


# %%
def make_total():
    """Return a function that adds the sum of a vector to a running total, and returns the total."""
    running = tf.Variable(0.0)

    @tf.function
    def total(x):
        return running.assign_add(tf.reduce_sum(x))

    return total


# %%
def trace_once(fn):
    """Return a function that computes fn(x, factor) in a graph, for any vector x and any number."""
    return tf.function(fn, input_signature=[tf.TensorSpec([None]), tf.TensorSpec([])])


# %%
def limit_to_one(x):
    """Return a vector divided by its largest absolute value, if that is more than 1."""
    largest = tf.reduce_max(tf.abs(x))
    if largest > 1:
        return x / largest
    return x
