"""Keras tells the parts whether this is training, a mask is drawn by hand, and a loss of Keras gives the error."""

# %%
import tensorflow as tf
from tensorflow import keras


# %%
class Thinned(keras.layers.Layer):
    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        kept = tf.random.uniform(tf.shape(inputs)) >= self.rate
        return tf.where(kept, inputs, tf.zeros_like(inputs)) / (1.0 - self.rate)


class ScaledResidual(keras.layers.Layer):
    def __init__(self, units, scale, rate, **kwargs):
        self.given = dict(units=units, scale=scale, rate=rate)
        super().__init__(**kwargs)
        self.parts = [keras.layers.Dense(units), keras.layers.ReLU()]

    def build(self, input_shape):
        *batch, n = input_shape
        self.parts += [keras.layers.Dense(n), Thinned(self.given["rate"])]
        for part, width in zip(self.parts, (n, self.given["units"], self.given["units"], n)):
            part.build((*batch, width))
        super().build(input_shape)

    def call(self, inputs, training=None):
        outputs = inputs
        for part in self.parts:
            outputs = part(outputs)
        return tf.math.multiply_no_nan(outputs, self.given["scale"]) + inputs

    def get_config(self):
        return super().get_config() | dict(self.given)


# %%
class ReconstructingRegressor(keras.Model):
    def __init__(self, units, weight=0.05, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.weight = weight
        self.encoder = keras.Sequential([keras.layers.Dense(units), keras.layers.Activation("relu")])
        self.reconstruction_error = keras.metrics.Mean("reconstruction_error")
        self.squared = keras.losses.MeanSquaredError()

    def build(self, input_shape):
        n = int(input_shape[1])
        self.encoder.build((None, n))
        self.both = keras.layers.Dense(1), keras.layers.Dense(n)
        for head in self.both:
            head.build((None, self.units))
        self.built = True

    def call(self, inputs, training=None, mask=None):
        code = self.encoder(inputs)
        outputs, again = [head(code) for head in self.both]
        error = self.squared(inputs, again)
        self.reconstruction_error(error)
        self.add_loss(tf.multiply(self.weight, error))
        return outputs

    def get_config(self):
        config = super().get_config()
        config.update(units=self.units, weight=self.weight)
        return config
