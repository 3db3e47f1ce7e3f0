import tensorflow as tf
from tensorflow import keras


# %%
def make_noisy(seed):
    """Return a function that adds standard normal noise to a vector."""
    # TensorFlow's own generator keeps its state in a variable, so that a graph moves it on, too.
    generator = tf.random.Generator.from_seed(seed)

    @tf.function(input_signature=[tf.TensorSpec(shape=[None], dtype=tf.float32)])
    def noisy(x):
        return x + generator.normal(shape=tf.shape(x), dtype=tf.float32)

    return noisy


# %%
def logistic_orbit(values, y):
    """Return what y = v * y * (1 - y) makes of y, for each v of a vector in turn."""
    values = tf.convert_to_tensor(values, dtype=tf.float32)
    y = tf.convert_to_tensor(y, dtype=tf.float32)
    length = tf.shape(values)[0]

    def not_finished(i, y):
        return i < length

    def next_y(i, y):
        return i + 1, values[i] * y * (1 - y)

    _, last_y = tf.while_loop(not_finished, next_y, [tf.constant(0), y])
    return last_y


# %%
class AuditedDouble(keras.layers.Layer):
    """Doubles its inputs, and counts how often."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.calls = self.add_weight(name="calls", shape=(), dtype="int64", initializer="zeros", trainable=False)

    def call(self, inputs):
        """Return twice the inputs."""
        self.calls.assign_add(1)
        return 2 * inputs


# %%
def make_total():
    """Return a function that adds the sum of a vector to a running total, and returns the total."""
    running = tf.Variable(0.0, trainable=False)

    @tf.function(input_signature=[tf.TensorSpec(shape=[None], dtype=tf.float32)])
    def total(x):
        running.assign_add(tf.reduce_sum(x))
        return running.read_value()

    return total


# %%
def trace_once(fn):
    """Return a function that computes fn(x, factor) in a graph, for any vector x and any number."""
    vector = tf.TensorSpec(shape=[None], dtype=tf.float32)
    scalar = tf.TensorSpec(shape=[], dtype=tf.float32)

    @tf.function(input_signature=[vector, scalar])
    def in_graph(x, factor):
        return fn(x, factor)

    def with_number(x, factor):
        # The number becomes a tensor before the graph's function sees it: to that, all numbers are alike.
        if not tf.is_tensor(factor):
            factor = float(factor)
        return in_graph(tf.convert_to_tensor(x, dtype=tf.float32), tf.cast(factor, tf.float32))

    return with_number


# %%
def limit_to_one(x):
    """Return a vector divided by its largest absolute value, if that is more than 1."""
    x = tf.convert_to_tensor(x, dtype=tf.float32)
    largest = tf.reduce_max(tf.abs(x))
    # Choose the divisor in the graph; to divide by 1 changes nothing.
    divisor = tf.where(largest > 1.0, largest, 1.0)
    return x / divisor
