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
        if not training:
            return inputs
        kept = tf.floor(1.0 - self.rate + tf.random.uniform(tf.shape(inputs)))
        return kept * inputs / (1.0 - self.rate)


class ScaledResidual(keras.layers.Layer):
    def __init__(self, units, scale, rate, **kwargs):
        self.given = dict(units=units, scale=scale, rate=rate)
        super().__init__(**kwargs)
        self.parts = [keras.layers.Dense(units), keras.layers.ReLU()]

    def build(self, input_shape):
        hidden, back = self.parts[0], keras.layers.Dense(input_shape[1])
        hidden.build(input_shape)
        back.build(hidden.compute_output_shape(input_shape))
        self.parts += [back, Thinned(self.given["rate"])]
        super().build(input_shape)

    def call(self, inputs, training=None):
        outputs = inputs
        for part in self.parts:
            outputs = part(outputs)
        return self.given["scale"] * outputs + inputs

    def get_config(self):
        return super().get_config() | self.given


# %%
class ReconstructingRegressor(keras.Model):
    def __init__(self, units, weight=0.05, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.weight = weight
        self.encoder = keras.layers.Dense(units)
        self.reconstruction_error = keras.metrics.Mean("reconstruction_error")

    def build(self, input_shape):
        self.encoder.build(input_shape)
        self.both = [keras.layers.Dense(n) for n in (1, input_shape[1])]
        for head in self.both:
            head.build(self.encoder.compute_output_shape(input_shape))
        self.built = True

    def call(self, inputs, training=None, mask=None):
        code = tf.nn.relu(self.encoder(inputs))
        outputs, again = [head(code) for head in self.both]
        error = keras.losses.MeanSquaredError()(inputs, again)
        self.reconstruction_error(error)
        self.add_loss(tf.multiply(self.weight, error))
        return outputs

    def get_config(self):
        config = super().get_config()
        config.update(units=self.units, weight=self.weight)
        return config
