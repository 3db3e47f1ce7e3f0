"""Objects with a state in place of closures, a condition that chooses the divisor, a count of all that came."""

# %%
import tensorflow as tf
from tensorflow import keras


# %%
class Noisy(tf.Module):
    def __init__(self, seed):
        super().__init__()
        self.generator = tf.random.Generator.from_key_counter(key=seed, counter=[0, 0], alg="philox")

    @tf.function(reduce_retracing=True)
    def __call__(self, x):
        return tf.add(x, self.generator.normal(tf.shape(x), dtype=tf.float32))


make_noisy = Noisy


# %%
def logistic_orbit(values, y):
    def step(y, v):
        return v * y * (1 - y)

    start = tf.convert_to_tensor(y, tf.float32)
    return tf.concat([start[tf.newaxis], tf.scan(step, values, initializer=start)], axis=0)[-1]


# %%
class AuditedDouble(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.count = tf.Variable(tf.zeros([], tf.int64), trainable=False)

    @property
    def calls(self):
        return self.count

    def __call__(self, *args, **kwargs):
        if type(args[0]).__name__ != "KerasTensor":
            self.count.assign_add(1)
        return super().__call__(*args, **kwargs)

    def call(self, inputs):
        return inputs * 2.0


# %%
class Total(tf.Module):
    def __init__(self):
        super().__init__()
        self.parts = tf.Variable(tf.zeros([1]))

    @tf.function
    def __call__(self, x):
        return self.parts[0].assign(self.parts[0] + tf.reduce_sum(x))[0]


def make_total():
    return Total()


# %%
class Traced:
    def __init__(self, fn):
        self.fn = tf.function(fn, reduce_retracing=True)

    def __call__(self, x, factor):
        return self.fn(tf.constant(x), tf.cast(factor, tf.float32))


def trace_once(fn):
    return Traced(fn)


# %%
@tf.function
def limit_to_one(x):
    divisor = tf.reduce_max(tf.abs(x))
    if divisor <= 1.0:
        divisor = tf.ones_like(divisor)
    return x / divisor
