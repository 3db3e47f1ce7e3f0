"""Shuffled indices and a gather, a gradient within its tape, a signature for the exact width, a variance and its root."""

# %%
import keras
import tensorflow as tf


# %%
def make_batches(features, labels, batch_size, seed):
    indices = tf.data.Dataset.range(len(features)).shuffle(len(features), seed=seed)
    return indices.batch(batch_size).map(lambda batch: (tf.gather(features, batch), tf.gather(labels, batch)))


# %%
def derivative(fn, x):
    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch([x])
        slope = tape.gradient(fn(x), x)
    return tf.zeros_like(x) if slope is None else slope


# %%
class Affine(tf.Module):
    def __init__(self, kernel, bias):
        super().__init__()
        self.kernel = tf.Variable(kernel, name="kernel")
        self.bias = tf.Variable(bias, name="bias")

    def compute(self, x):
        return tf.nn.bias_add(tf.linalg.matmul(x, self.kernel), self.bias)

    @tf.function(reduce_retracing=True)
    def __call__(self, x):
        return self.compute(x)

    def export(self, folder):
        self.__call__.get_concrete_function(tf.TensorSpec([None, self.kernel.shape[0]]))
        tf.saved_model.save(self, folder)


# %%
def standardize(x):
    equal = keras.ops.all(keras.ops.equal(x, keras.ops.max(x, axis=0)), axis=0)
    centred = keras.ops.where(equal, keras.ops.zeros_like(x), x - keras.ops.mean(x, axis=0))
    variance = keras.ops.mean(keras.ops.square(centred), axis=0)
    return keras.ops.divide_no_nan(centred, keras.ops.sqrt(variance))
