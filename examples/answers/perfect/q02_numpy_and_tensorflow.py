import tensorflow as tf


# %%
def column_summary(x):
    """Return the sum, the mean and the standard deviation of each column, as NumPy would."""
    x = tf.convert_to_tensor(x)
    if x.dtype.is_integer:
        summands = tf.cast(x, tf.int64)
        numbers = tf.cast(x, tf.float64)
    else:
        summands = x
        numbers = x
    mean = tf.reduce_mean(numbers, axis=0)
    variance = tf.reduce_mean(tf.square(numbers - mean), axis=0)
    return {"sum": tf.reduce_sum(summands, axis=0), "mean": mean, "std": tf.sqrt(variance)}


# %%
def replace_rows(x, indices, rows):
    """Return x with some of its rows replaced."""
    x = tf.convert_to_tensor(x)
    rows = tf.cast(tf.convert_to_tensor(rows, dtype_hint=x.dtype), x.dtype)
    indices = tf.cast(tf.convert_to_tensor(indices, dtype_hint=tf.int64), tf.int64)
    number_of_rows = tf.shape(x, out_type=tf.int64)[0]
    checks = [
        tf.debugging.assert_non_negative(indices, message="replace_rows: an index is negative"),
        tf.debugging.assert_less(indices, number_of_rows, message="replace_rows: an index is too large"),
    ]
    # When run directly the checks have been made by now, and there is nothing (None) to wait for.
    with tf.control_dependencies([check for check in checks if check is not None]):
        checked_indices = tf.identity(indices)
    # Which row of "x, and below it the new rows" belongs where? At first each to its own place.
    sources = tf.range(number_of_rows, dtype=tf.int64)
    new_sources = number_of_rows + tf.range(tf.shape(indices, out_type=tf.int64)[0], dtype=tf.int64)
    sources = tf.tensor_scatter_nd_update(sources, checked_indices[:, tf.newaxis], new_sources)
    result = tf.gather(tf.concat([x, rows], axis=0), sources)
    return tf.ensure_shape(result, x.shape)


# %%
def swap_axes(x):
    """Return x with its first two axes swapped."""
    x = tf.convert_to_tensor(x)
    other_axes = list(range(2, x.shape.rank))
    return tf.transpose(x, perm=[1, 0] + other_axes)


# %%
class RunningTotal(tf.Module):
    """Adds up vectors."""

    def __init__(self, size):
        super().__init__()
        self.total = tf.Variable(tf.zeros([size], dtype=tf.float32), trainable=False, name="total")

    def add(self, x):
        """Add a vector to the total."""
        self.total.assign_add(tf.convert_to_tensor(x, dtype=tf.float32))

    def result(self):
        """Return the total so far, as a tensor of its own."""
        return tf.identity(self.total.read_value())
