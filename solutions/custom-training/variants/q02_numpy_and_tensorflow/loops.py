"""Products with ones, a loop over the rows, an order of axes from tf.rank, and a total in a list."""

# %%
import tensorflow as tf


# %%
def column_summary(x):
    x = tf.convert_to_tensor(x)
    exact, real = {tf.int32: (tf.int64, tf.float64), tf.int64: (tf.int64, tf.float64)}.get(x.dtype, (x.dtype, x.dtype))
    count = tf.cast(tf.shape(x)[0], real)
    numbers = tf.cast(x, real)
    mean = tf.add_n([tf.math.reduce_sum(numbers, axis=0)]) / count
    squares = tf.math.squared_difference(numbers, mean)
    return {
        "sum": tf.math.reduce_sum(tf.cast(x, exact), axis=0),
        "mean": mean,
        "std": tf.math.sqrt(tf.math.reduce_sum(squares, axis=0) / count),
    }


# %%
def replace_rows(x, indices, rows):
    x, rows = tf.convert_to_tensor(x), tf.convert_to_tensor(rows)
    indices = tf.cast(indices, tf.int64)
    n = tf.shape(x, out_type=tf.int64)[0]
    tf.debugging.Assert(tf.reduce_all(indices >= 0), [indices])
    tf.debugging.Assert(tf.reduce_all(indices < n), [indices, n])
    return replaced_one_by_one(x, indices, rows)


@tf.function(reduce_retracing=True)
def replaced_one_by_one(x, indices, rows):
    n = tf.shape(x, out_type=tf.int64)[0]
    for i in tf.range(tf.shape(indices)[0]):
        here = tf.range(n) == indices[i]
        x = tf.where(here[:, tf.newaxis], rows[i], x)
    return x


# %%
def swap_axes(x):
    order = tf.concat([[1, 0], tf.range(2, tf.rank(x))], axis=0)
    return tf.transpose(x, order)


# %%
class RunningTotal(tf.Module):
    def __init__(self, size):
        super().__init__()
        self.totals = [tf.Variable(tf.zeros((size,)), name="total")]

    def add(self, x):
        self.totals[0].assign(self.totals[0] + tf.cast(x, tf.float32))

    def result(self):
        return self.totals[0] + 0.0
