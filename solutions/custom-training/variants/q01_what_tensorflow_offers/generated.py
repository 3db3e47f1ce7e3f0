"""A generator that draws its own permutations, a derivative in a graph, a property for a tf.function, and columns."""

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

    return tf.data.Dataset.from_generator(
        examples, output_signature=tuple(tf.TensorSpec(part.shape[1:], part.dtype) for part in (features, labels))
    ).batch(batch_size)


# %%
@tf.function
def slope_at(fn, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = fn(x) + 0.0 * x
    return tape.gradient(y, x)


def derivative(fn, x):
    return slope_at(fn, tf.cast(x, tf.float32))


# %%
class Affine(tf.Module):
    def __init__(self, kernel, bias):
        super().__init__()
        self.kernel, self.bias = (tf.Variable(part) for part in (kernel, bias))
        rows = tf.TensorSpec([None, len(kernel)])
        self.function = tf.function(self.compute, input_signature=[rows])

    def compute(self, x):
        return tf.matmul(x, self.kernel) + self.bias

    @property
    def __call__(self):
        return self.function

    def export(self, folder):
        tf.saved_model.save(self, folder)


# %%
def standardize(x):
    return ops.transpose(ops.stack([standardized(x[:, column]) for column in range(x.shape[1])]))


def standardized(column):
    shifted = column - column[0]
    centred = shifted - ops.mean(shifted)
    return centred / ops.maximum(ops.sqrt(ops.mean(centred**2)), 1e-30)
