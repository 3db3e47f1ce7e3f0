"""tf.while_loop and tf.cond instead of AutoGraph, a stateless generator with its own counter, weights for state."""

# %%
import tensorflow as tf
from tensorflow import keras


# %%
def make_noisy(seed):
    drawn = tf.Variable(seed)

    def noisy(x):
        return x + tf.random.stateless_normal(tf.shape(x), seed=tf.stack([seed, drawn.assign_add(1)]))

    return noisy


# %%
def logistic_orbit(values, y):
    _, last = tf.while_loop(
        lambda i, y: i < tf.size(values),
        lambda i, y: (i + 1, values[i] * y * (1 - y)),
        (0, y),
    )
    return last


# %%
class AuditedDouble(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.calls = self.add_weight(initializer="zeros")

    def call(self, inputs):
        self.calls.assign(self.calls + 1)
        return inputs + inputs


# %%
class Total:
    running = None

    @tf.function
    def __call__(self, x):
        if self.running is None:
            self.running = tf.Variable(0.0)
        self.running.assign(self.running + tf.reduce_sum(x))
        return self.running


def make_total():
    return Total()


# %%
def trace_once(fn):
    graph = tf.function(lambda x, factor: fn(x, factor), reduce_retracing=True)

    def call(x, factor):
        return graph(tf.convert_to_tensor(x), tf.constant(float(factor)))

    return call


# %%
@tf.function
def limit_to_one(x):
    largest = tf.norm(x, ord=float("inf"))
    return tf.cond(largest > 1, lambda: x / largest, lambda: x)
