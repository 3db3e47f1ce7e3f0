"""Sums by a count, a fold over the rows, a loop over the axes, and a total in a dictionary."""

# %%
import tensorflow as tf


# %%
def column_summary(x):
    x = tf.convert_to_tensor(x)
    exact, real = {tf.int32: (tf.int64, tf.float64), tf.int64: (tf.int64, tf.float64)}.get(x.dtype, (x.dtype, x.dtype))
    count = tf.cast(tf.shape(x)[0], real)
    numbers = tf.cast(x, real)
    mean = tf.math.reduce_sum(numbers, axis=0) / count
    squares = tf.math.squared_difference(numbers, mean)
    return {
        "sum": tf.math.reduce_sum(tf.cast(x, exact), axis=0),
        "mean": mean,
        "std": tf.math.sqrt(tf.math.reduce_sum(squares, axis=0) / count),
    }


# %%
def replace_rows(x, indices, rows):
    indices = tf.cast(indices, tf.int64)
    n = tf.shape(x, out_type=tf.int64)[0]
    tf.debugging.assert_greater(indices, tf.constant(-1, tf.int64))
    tf.debugging.assert_less_equal(indices, n - 1)

    def with_row(replaced, new):
        index, row = new
        return tf.where((tf.range(n) == index)[:, tf.newaxis], row, replaced)

    return tf.foldl(with_row, (indices, rows), initializer=x)


# %%
def swap_axes(x):
    x = tf.convert_to_tensor(x)
    axes = [1, 0]
    for axis in range(2, x.shape.rank):
        axes.append(axis)
    return tf.transpose(x, axes)


# %%
class RunningTotal(tf.Module):
    def __init__(self, size):
        super().__init__()
        self.totals = {"all": tf.Variable(tf.zeros((size,)), name="total")}

    def add(self, x):
        self.totals["all"].assign(self.totals["all"] + x)

    def result(self):
        return 1.0 * self.totals["all"]
