# %%
import tensorflow as tf
from keras import ops


# %%
def make_batches(features, labels, batch_size, seed):
    """Return a dataset of batches of pairs, in a new order for each epoch that the seed decides."""
    raise NotImplementedError("make_batches: a dataset has methods for each of these steps, and their order matters")


# %%
def derivative(fn, x):
    """Return the derivative of fn at each element of x."""
    raise NotImplementedError("derivative: record the computation on a tape")


# %%
class Affine(tf.Module):
    """Computes x @ kernel + bias, here and wherever it is exported to."""

    def __init__(self, kernel, bias):
        super().__init__()
        raise NotImplementedError("Affine: make the two variables")

    def __call__(self, x):
        """Return x @ kernel + bias, of shape (batch, m)."""
        raise NotImplementedError("Affine.__call__: a tf.function with a signature")

    def export(self, folder):
        """Write a SavedModel that others can load and call."""
        raise NotImplementedError("Affine.export")


# %%
def standardize(x):
    """Return the columns of x with mean 0 and standard deviation 1, in operations of keras.ops alone."""
    raise NotImplementedError("standardize: and what becomes of a column of equal values?")
