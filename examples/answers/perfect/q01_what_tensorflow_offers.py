import os

import tensorflow as tf
from keras import ops


# %%
def make_batches(features, labels, batch_size, seed):
    """Return a dataset of batches of pairs, in a new order for each epoch that the seed decides."""
    number_of_examples = len(features)
    dataset = tf.data.Dataset.from_tensor_slices((features, labels))
    # Shuffle single examples before they are batched, with a buffer that holds all of them:
    # only then can any example come first. (A buffer of size 0 is not allowed.)
    dataset = dataset.shuffle(max(number_of_examples, 1), seed=seed, reshuffle_each_iteration=True)
    return dataset.batch(batch_size)


# %%
def derivative(fn, x):
    """Return the derivative of fn at each element of x."""
    point = tf.convert_to_tensor(x, dtype=tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(point)
        # A constant fn may return a plain Python number, so make a tensor of it.
        value = tf.convert_to_tensor(fn(point))
    if not value.dtype.is_floating:
        return tf.zeros_like(point)  # whole numbers cannot depend smoothly on anything
    # Outside this tape, but still inside an outer one if there is one: that gives second derivatives.
    slope = tape.gradient(value, point, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return tf.convert_to_tensor(slope)


# %%
class Affine(tf.Module):
    """Computes x @ kernel + bias, here and wherever it is exported to."""

    def __init__(self, kernel, bias):
        super().__init__()
        self.kernel = tf.Variable(kernel, dtype=tf.float32, name="kernel")
        self.bias = tf.Variable(bias, dtype=tf.float32, name="bias")

    @tf.function(input_signature=[tf.TensorSpec(shape=[None, None], dtype=tf.float32)])
    def __call__(self, x):
        """Return x @ kernel + bias, of shape (batch, m)."""
        return x @ self.kernel + self.bias

    def export(self, folder):
        """Write a SavedModel that others can load and call."""
        tf.saved_model.save(self, os.fspath(folder))


# %%
def standardize(x):
    """Return the columns of x with mean 0 and standard deviation 1, in operations of keras.ops alone."""
    # Compare the extremes: the mean of equal values may be rounded, so that the deviations are not exactly 0.
    is_constant = ops.equal(ops.max(x, axis=0, keepdims=True), ops.min(x, axis=0, keepdims=True))
    centered = ops.subtract(x, ops.mean(x, axis=0, keepdims=True))
    # Once more takes away what the rounding of a large mean has left.
    centered = centered - ops.mean(centered, axis=0, keepdims=True)
    centered = ops.where(is_constant, 0.0, centered)
    # Bring the largest deviation to 1 first, so that no square is too small or too large for float32.
    largest = ops.max(ops.absolute(centered), axis=0, keepdims=True)
    scaled = centered / ops.where(is_constant, 1.0, largest)
    deviation = ops.sqrt(ops.mean(ops.square(scaled), axis=0, keepdims=True))
    return scaled / ops.where(is_constant, 1.0, deviation)
