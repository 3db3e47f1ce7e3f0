"""tf.while_loop and tf.cond instead of AutoGraph, a stateless generator with its own counter, weights for state."""

# %%
import tensorflow as tf
from tensorflow import keras


# %%
def make_noisy(seed):
    drawn = tf.Variable(0, dtype=tf.int32)

    def noisy(x):
        x = tf.convert_to_tensor(x)
        return x + tf.random.stateless_normal(tf.shape(x), seed=tf.stack([seed, drawn.assign_add(1)]))

    return noisy


# %%
@tf.function(autograph=False)
def logistic_orbit(values, y):
    values = tf.convert_to_tensor(values)
    _, last = tf.while_loop(
        lambda i, y: i < tf.shape(values)[0],
        lambda i, y: (i + 1, values[i] * y * (1 - y)),
        (0, tf.convert_to_tensor(y)),
    )
    return last


# %%
class AuditedDouble(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.calls = self.add_weight(name="calls", shape=(), dtype="int32", initializer="zeros", trainable=False)

    def call(self, inputs):
        self.calls.assign(self.calls + 1)
        return inputs + inputs


# %%
class Total(tf.Module):
    def __init__(self):
        super().__init__()
        self.running = None

    @tf.function(reduce_retracing=True)
    def __call__(self, x):
        if self.running is None:
            self.running = tf.Variable(tf.zeros([]))
        self.running.assign(self.running + tf.reduce_sum(x))
        return self.running.read_value()


def make_total():
    return Total()


# %%
def trace_once(fn):
    graph = tf.function(lambda x, factor: fn(x, factor), reduce_retracing=True)

    def call(x, factor):
        return graph(tf.convert_to_tensor(x, tf.float32), tf.constant(float(factor)))

    return call


# %%
@tf.function(autograph=False, input_signature=[tf.TensorSpec([None])])
def limit_to_one(x):
    largest = tf.norm(x, ord=float("inf"))
    return tf.cond(largest > 1, lambda: x / largest, lambda: tf.identity(x))
