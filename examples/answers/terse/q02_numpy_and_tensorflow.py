import tensorflow as tf


# %%
def column_summary(x):
    """Return the sum, the mean and the standard deviation of each column, as NumPy would."""
    x = tf.convert_to_tensor(x)
    exact, real = (tf.int64, tf.float64) if x.dtype.is_integer else (x.dtype, x.dtype)
    values = tf.cast(x, real)
    return {
        "sum": tf.reduce_sum(tf.cast(x, exact), 0),
        "mean": tf.reduce_mean(values, 0),
        "std": tf.math.reduce_std(values, 0),
    }


# %%
def replace_rows(x, indices, rows):
    """Return x with some of its rows replaced."""
    x, indices = tf.convert_to_tensor(x), tf.cast(indices, tf.int64)
    rows = tf.cast(rows, x.dtype)
    n, m = (tf.shape(t, out_type=tf.int64)[0] for t in (x, rows))
    with tf.control_dependencies(
        [
            tf.debugging.assert_non_negative(indices, message="negative index"),
            tf.debugging.assert_less(indices, n, message="index too large"),
        ]
    ):
        indices = tf.identity(indices)
    source = tf.tensor_scatter_nd_update(tf.range(n), indices[:, None], n + tf.range(m))
    return tf.ensure_shape(tf.gather(tf.concat([x, rows], 0), source), x.shape)


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
        self.total = tf.Variable(tf.zeros([size]), trainable=False)

    def add(self, x):
        """Add a vector to the total."""
        self.total.assign_add(x)

    def result(self):
        """Return the total so far."""
        return tf.identity(self.total)
