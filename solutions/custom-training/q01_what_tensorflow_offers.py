# %%
import tensorflow as tf
from keras import ops


# %%
def make_batches(features, labels, batch_size, seed):
    """Return a dataset of batches of pairs, in a new order for each epoch that the seed decides."""
    examples = tf.data.Dataset.from_tensor_slices((features, labels))
    return examples.shuffle(len(features), seed=seed).batch(batch_size)


# %%
def derivative(fn, x):
    """Return the derivative of fn at each element of x."""
    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = fn(x)
    return tape.gradient(y, x, unconnected_gradients="zero")


# %%
class Affine(tf.Module):
    """Computes x @ kernel + bias, here and wherever it is exported to."""

    def __init__(self, kernel, bias):
        super().__init__()
        self.kernel = tf.Variable(kernel)
        self.bias = tf.Variable(bias)

    @tf.function(input_signature=[tf.TensorSpec((None, None), tf.float32)])
    def __call__(self, x):
        """Return x @ kernel + bias, of shape (batch, m)."""
        return x @ self.kernel + self.bias

    def export(self, folder):
        """Write a SavedModel that others can load and call."""
        tf.saved_model.save(self, folder)


# %%
def standardize(x):
    """Return the columns of x with mean 0 and standard deviation 1, in operations of keras.ops alone."""
    equal = ops.equal(ops.max(x, axis=0), ops.min(x, axis=0))
    return ops.where(equal, 0.0, (x - ops.mean(x, axis=0)) / ops.std(x, axis=0))
