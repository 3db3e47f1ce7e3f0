"""Weights made by add_weight, and products and dropout of TensorFlow; build_from_config is left to Keras."""

# %%
import tensorflow as tf
from tensorflow import keras


# %%
class ScaledResidual(keras.layers.Layer):
    def __init__(self, units, scale, rate, **kwargs):
        super().__init__(**kwargs)
        self.arguments = {"units": units, "scale": scale, "rate": rate}

    def build(self, input_shape):
        n, units = input_shape[1], self.arguments["units"]
        shapes = (n,), (units, n), (units,), (n, units)
        self.offset_2, self.matrix_2, self.offset_1, self.matrix_1 = [self.add_weight(shape=each) for each in shapes]
        super().build(input_shape)

    def call(self, inputs, training=None):
        hidden = tf.nn.relu(tf.matmul(inputs, self.matrix_1) + self.offset_1)
        branch = tf.matmul(hidden, self.matrix_2) + self.offset_2
        if training:
            branch = tf.nn.dropout(branch, self.arguments["rate"])
        return inputs + self.arguments["scale"] * branch

    def get_config(self):
        config = super().get_config()
        config.update(self.arguments)
        return config


# %%
class ReconstructingRegressor(keras.Model):
    def __init__(self, units, weight=0.05, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.weight = weight
        self.reconstruction_error = keras.metrics.Mean("reconstruction_error")

    def build(self, input_shape):
        n = input_shape[1]
        self.matrices = [self.add_weight(shape=(self.units, k)) for k in (n, 1)]
        self.offsets = [self.add_weight(shape=(k,)) for k in (n, 1)]
        self.encoder = self.add_weight(shape=(n, self.units))
        self.encoder_offset = self.add_weight(shape=(self.units,))
        self.built = True

    def call(self, inputs, training=None):
        hidden = tf.nn.relu(inputs @ self.encoder + self.encoder_offset)
        again, prediction = [hidden @ matrix + offset for matrix, offset in zip(self.matrices, self.offsets)]
        error = tf.reduce_mean(tf.square(again - inputs))
        self.reconstruction_error.update_state(error)
        self.add_loss(self.weight * error)
        return prediction

    def get_config(self):
        config = super().get_config()
        config["units"] = self.units
        config["weight"] = self.weight
        return config
