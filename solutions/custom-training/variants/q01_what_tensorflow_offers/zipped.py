"""Two zipped datasets, batches that are unbatched and shuffled, gradients summed by hand, and Keras's moments."""

# %%
import tensorflow as tf
from keras import ops


# %%
def make_batches(features, labels, batch_size, seed):
    slices = tf.data.Dataset.from_tensor_slices
    pairs = tf.data.Dataset.zip((slices(features), slices(labels))).cache()
    return pairs.shuffle(buffer_size=pairs.cardinality(), seed=seed).batch(batch_size, drop_remainder=False)


# %%
def derivative(fn, x):
    point = tf.identity(x)
    with tf.GradientTape() as tape:
        tape.watch(point)
        value = fn(point)
    slopes = tape.gradient([value], [point], unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return slopes[0]


# %%
class Affine(tf.Module):
    def __init__(self, kernel, bias):
        super().__init__()
        self.bias = tf.Variable(bias, dtype="float32")
        self.kernel = tf.Variable(kernel, dtype="float32")

    @tf.function(input_signature=(tf.TensorSpec([None, None], tf.float32, name="x"),))
    def __call__(self, x):
        return tf.einsum("bn,nm->bm", x, self.kernel) + self.bias

    def export(self, folder):
        tf.saved_model.save(self, folder, signatures=self.__call__)


# %%
def standardize(x):
    low, high = ops.amin(x, axis=0), ops.amax(x, axis=0)
    centred = (x - low) - ops.mean(x - low, axis=0)
    variance = ops.var(x - low, axis=0)
    return ops.where(high > low, centred * ops.rsqrt(ops.where(high > low, variance, 1.0)), 0.0)
