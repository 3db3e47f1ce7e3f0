"""NumPy computes the summary, which works until it is traced."""
# fails: hidden::test_unknown_sizes

# %%
import numpy as np
import tensorflow as tf


# %%
def column_summary(x):
    """Return the sum, the mean and the standard deviation of each column, as NumPy would."""
    return {name: tf.constant(getattr(np, name)(np.asarray(x), axis=0)) for name in ("sum", "mean", "std")}


# %%
def replace_rows(x, indices, rows):
    """Return x with some of its rows replaced."""
    x, indices = tf.convert_to_tensor(x), tf.convert_to_tensor(indices)
    tf.debugging.assert_non_negative(indices)
    tf.debugging.assert_less(indices, tf.shape(x, out_type=indices.dtype)[0])
    return tf.tensor_scatter_nd_update(x, indices[:, tf.newaxis], rows)


# %%
def swap_axes(x):
    """Return x with its first two axes swapped."""
    x = tf.convert_to_tensor(x)
    return tf.transpose(x, [1, 0, *range(2, x.shape.rank)])


# %%
class RunningTotal(tf.Module):
    """Adds up vectors."""

    def __init__(self, size):
        super().__init__()
        self.total = tf.Variable(tf.zeros([size]))

    def add(self, x):
        """Add a vector to the total."""
        self.total.assign_add(x)

    def result(self):
        """Return the total so far."""
        return tf.convert_to_tensor(self.total)
