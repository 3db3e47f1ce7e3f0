import tensorflow as tf
from keras import ops


# %%
def make_batches(features, labels, batch_size, seed):
    """Return a dataset of batches of pairs, in a new order for each epoch that the seed decides."""
    pairs = tf.data.Dataset.from_tensor_slices((features, labels))
    return pairs.shuffle(max(len(pairs), 1), seed=seed, reshuffle_each_iteration=True).batch(batch_size).prefetch(1)


# %%
def derivative(fn, x):
    """Return the derivative of fn at each element of x."""
    x = tf.convert_to_tensor(x, tf.float32)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = tf.cast(fn(x), tf.float32)  # fn may return a plain number
    return tf.convert_to_tensor(tape.gradient(y, x, unconnected_gradients="zero"))


# %%
class Affine(tf.Module):
    """Computes x @ kernel + bias, here and wherever it is exported to."""

    def __init__(self, kernel, bias):
        super().__init__()
        self.kernel, self.bias = (
            tf.Variable(v, dtype=tf.float32, name=k) for k, v in (("kernel", kernel), ("bias", bias))
        )

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32)])
    def __call__(self, x):
        """Return x @ kernel + bias, of shape (batch, m)."""
        return tf.einsum("bn,nm->bm", x, self.kernel) + self.bias

    def export(self, folder):
        """Write a SavedModel that others can load and call."""
        tf.saved_model.save(self, str(folder))


# %%
def standardize(x):
    """Return the columns of x with mean 0 and standard deviation 1, in operations of keras.ops alone."""
    nonzero = lambda s: ops.where(ops.equal(s, 0), ops.ones_like(s), s)
    low = ops.min(x, axis=0, keepdims=True)
    # in units of the range: exactly 0 where all are equal, and squares stay in range
    unit = (ops.subtract(x, low)) / nonzero(ops.max(x, axis=0, keepdims=True) - low)
    centered = unit - ops.mean(unit, axis=0, keepdims=True)
    return centered / nonzero(ops.sqrt(ops.mean(ops.square(centered), axis=0, keepdims=True)))
