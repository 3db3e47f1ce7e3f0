"""Two zipped datasets with a buffer of their cardinality, a gradient of lists, and Keras's moments."""

# %%
import tensorflow as tf
from keras import ops


# %%
def make_batches(features, labels, batch_size, seed):
    slices = tf.data.Dataset.from_tensor_slices
    pairs = tf.data.Dataset.zip((slices(features), slices(labels)))
    return pairs.shuffle(buffer_size=pairs.cardinality(), seed=seed).batch(batch_size)


# %%
def derivative(fn, x):
    point = tf.identity(x)
    with tf.GradientTape() as tape:
        tape.watch(point)
        value = fn(point)
    (slope,) = tape.gradient([value], [point], unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return slope


# %%
class Affine(tf.Module):
    def __init__(self, kernel, bias):
        super().__init__()
        self.bias = tf.Variable(bias)
        self.kernel = tf.Variable(kernel)

    @tf.function(input_signature=(tf.TensorSpec([None, None]),))
    def __call__(self, x):
        return tf.einsum("bn,nm->bm", x, self.kernel) + self.bias

    def export(self, folder):
        tf.saved_model.save(self, folder)


# %%
def standardize(x):
    shifted = x - ops.amin(x, axis=0)
    mean, variance = ops.moments(shifted, axes=[0])
    return (shifted - mean) * ops.rsqrt(ops.maximum(variance, 1e-30))
