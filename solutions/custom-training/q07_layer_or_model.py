# %%
import tensorflow as tf
from tensorflow import keras


# %%
class ScaledResidual(keras.layers.Layer):
    """The inputs plus a scaled branch of two dense layers, with dropout on the branch."""

    def __init__(self, units, scale, rate, **kwargs):
        super().__init__(**kwargs)
        self.units, self.scale, self.rate = units, scale, rate
        self.hidden = keras.layers.Dense(units, activation="relu")
        self.dropout = keras.layers.Dropout(rate)

    def build(self, input_shape):
        """Make every weight for inputs of this shape."""
        self.back = keras.layers.Dense(input_shape[1])
        self.hidden.build(input_shape)
        self.back.build(self.hidden.compute_output_shape(input_shape))
        super().build(input_shape)

    def call(self, inputs, training=None):
        """Return inputs + scale * branch; only training drops out."""
        branch = self.dropout(self.back(self.hidden(inputs)), training=training)
        return inputs + self.scale * branch

    def get_config(self):
        """Return what `from_config` needs in order to make this layer again."""
        return {**super().get_config(), "units": self.units, "scale": self.scale, "rate": self.rate}


# %%
class ReconstructingRegressor(keras.Model):
    """Predicts one number, and pays for what it forgets of its inputs."""

    def __init__(self, units, weight=0.05, **kwargs):
        super().__init__(**kwargs)
        self.units, self.weight = units, weight
        self.hidden = keras.layers.Dense(units, activation="relu")
        self.prediction = keras.layers.Dense(1)
        self.reconstruction_error = keras.metrics.Mean(name="reconstruction_error")

    def build(self, input_shape):
        """Make every weight for inputs of this shape."""
        self.reconstruction = keras.layers.Dense(input_shape[1])
        self.hidden.build(input_shape)
        shape = self.hidden.compute_output_shape(input_shape)
        self.prediction.build(shape)
        self.reconstruction.build(shape)
        self.built = True

    def call(self, inputs):
        """Return the prediction, having added the reconstruction loss and updated the metric."""
        hidden = self.hidden(inputs)
        error = tf.reduce_mean(tf.square(self.reconstruction(hidden) - inputs))
        self.add_loss(self.weight * error)
        self.reconstruction_error.update_state(error)
        return self.prediction(hidden)

    def get_config(self):
        """Return what `from_config` needs in order to make this model again."""
        return {**super().get_config(), "units": self.units, "weight": self.weight}
