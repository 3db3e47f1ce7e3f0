import tensorflow as tf
from tensorflow import keras


# %%
def make_noisy(seed):
    """Return a function that adds standard normal noise to a vector."""
    generator = tf.random.Generator.from_seed(seed)
    return lambda x: x + generator.normal(tf.shape(x))


# %%
def logistic_orbit(values, y):
    """Return what y = v * y * (1 - y) makes of y, for each v of a vector in turn."""
    values, y = (tf.convert_to_tensor(t, tf.float32) for t in (values, y))
    return tf.foldl(lambda y, v: v * y * (1 - y), values, initializer=y)


# %%
class AuditedDouble(keras.layers.Layer):
    """Doubles its inputs, and counts how often."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.calls = tf.Variable(0, dtype=tf.int64, trainable=False)

    def call(self, inputs):
        """Return twice the inputs."""
        self.calls.assign_add(1)
        return inputs + inputs


# %%
def make_total():
    """Return a function that adds the sum of a vector to a running total, and returns the total."""
    running = tf.Variable(0.0, trainable=False)
    return tf.function(lambda x: running.assign_add(tf.reduce_sum(x)).read_value(), reduce_retracing=True)


# %%
def trace_once(fn):
    """Return a function that computes fn(x, factor) in a graph, for any vector x and any number."""
    specs = [tf.TensorSpec(shape, tf.float32) for shape in ([None], [])]
    graph = tf.function(lambda x, factor: fn(x, factor), input_signature=specs)

    def call(x, factor):
        factor = factor if tf.is_tensor(factor) else float(factor)
        return graph(tf.convert_to_tensor(x, tf.float32), tf.cast(factor, tf.float32))

    return call


# %%
def limit_to_one(x):
    """Return a vector divided by its largest absolute value, if that is more than 1."""
    x = tf.convert_to_tensor(x, tf.float32)
    largest = tf.reduce_max(tf.abs(x))
    return x / tf.where(largest > 1, largest, 1.0)
