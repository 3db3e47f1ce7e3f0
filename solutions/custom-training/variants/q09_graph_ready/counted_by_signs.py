"""Two comparisons in Keras 3's operations with both sums in one; a dictionary of ranks in Python's own lists."""

# %%
import tensorflow as tf
from keras import ops
from tensorflow import keras


# %%
class NormalizedRanks(keras.layers.Layer):
    def call(self, inputs):
        columns = ops.expand_dims(inputs, -1)
        at_least, above = columns >= ops.expand_dims(inputs, -2), columns > ops.expand_dims(inputs, -2)
        places = ops.sum(ops.cast(at_least, "float32") + ops.cast(above, "float32"), axis=-1)
        return (places - 1.0) / (2.0 * max(inputs.shape[1] - 1, 1))


# %%
class PythonRanks(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.supports_jit = False

    def call(self, inputs):
        width = inputs.shape[1]

        def ranks(batch):
            result = []
            for row in batch.numpy():
                places = {}
                for place, value in enumerate(sorted(row)):
                    places.setdefault(value, []).append(place)
                shares = {value: sum(taken) / len(taken) for value, taken in places.items()}
                result.append([shares[value] / (width - 1) if width > 1 else 0.0 for value in row])
            return [result]

        (outputs,) = tf.py_function(ranks, inp=[inputs], Tout=[tf.float32])
        return tf.ensure_shape(outputs, (None, width))
