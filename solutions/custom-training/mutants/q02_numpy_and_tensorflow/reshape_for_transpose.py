"""A reshape gives the right shape and the wrong places."""
# fails: public::test_swap_axes, hidden::test_unknown_sizes, hidden::test_arguments_are_left_alone

# %%
import tensorflow as tf


# %%
def column_summary(x):
    """Return the sum, the mean and the standard deviation of each column, as NumPy would."""
    x = tf.convert_to_tensor(x)
    terms, numbers = (tf.cast(x, tf.int64), tf.cast(x, tf.float64)) if x.dtype.is_integer else (x, x)
    return {
        "sum": tf.reduce_sum(terms, axis=0),
        "mean": tf.reduce_mean(numbers, axis=0),
        "std": tf.math.reduce_std(numbers, axis=0),
    }


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
    shape = tf.shape(x)
    return tf.reshape(x, tf.concat([shape[1::-1], shape[2:]], axis=0))


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
