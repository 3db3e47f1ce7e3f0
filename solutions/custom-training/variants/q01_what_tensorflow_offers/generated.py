"""A generator that draws its own permutations, a loop over elements, a property for a tf.function, and loops over columns."""

# %%
import numpy as np
import tensorflow as tf
from keras import ops


# %%
def make_batches(features, labels, batch_size, seed):
    permutations = np.random.default_rng(seed)

    def examples():
        for index in permutations.permutation(len(labels)):
            yield features[index], labels[index]

    signature = tuple(tf.TensorSpec(part.shape[1:], tf.as_dtype(part.dtype)) for part in (features, labels))
    return tf.data.Dataset.from_generator(examples, output_signature=signature).batch(batch_size)


# %%
@tf.function(reduce_retracing=True)
def slope_at(fn, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.math.reduce_sum(fn(x) + 0.0 * x)
    return tape.gradient(total, x)


def derivative(fn, x):
    return slope_at(fn, tf.cast(x, tf.float32))


# %%
class Affine(tf.Module):
    def __init__(self, kernel, bias):
        super().__init__()
        self.kernel, self.bias = (tf.Variable(part, trainable=True) for part in (kernel, bias))
        rows = tf.TensorSpec([None, len(kernel)], tf.float32)
        self.function = tf.function(self.compute, input_signature=[rows])

    def compute(self, x):
        return tf.matmul(x, self.kernel) + self.bias

    @property
    def __call__(self):
        return self.function

    def export(self, folder):
        tf.saved_model.save(self, str(folder))


# %%
def standardize(x):
    return ops.stack([standardized(x[:, column]) for column in range(x.shape[1])], axis=1)


def standardized(column):
    low, high = ops.min(column), ops.max(column)
    unit = (column - low) / ops.where(high > low, high - low, 1.0)
    centred = unit - ops.mean(unit)
    return centred / ops.where(high > low, ops.sqrt(ops.mean(centred**2)), 1.0)
