import tensorflow as tf
from tensorflow import keras


# %%
@keras.utils.register_keras_serializable(package="custom_training")
class ScaledResidual(keras.layers.Layer):
    """The inputs plus a scaled branch of two dense layers, with dropout on the branch."""

    def __init__(self, units, scale, rate, **kwargs):
        super().__init__(**kwargs)
        self.units = int(units)
        self.scale = float(scale)
        self.rate = float(rate)
        self.hidden = keras.layers.Dense(self.units, activation="relu", name="hidden")
        self.dropout = keras.layers.Dropout(self.rate, name="dropout")
        self.back_to_n = None  # made in build, since it needs n

    def build(self, input_shape):
        """Make every weight for inputs of this shape."""
        n = int(input_shape[-1])
        self.hidden.build((None, n))
        self.back_to_n = keras.layers.Dense(n, name="back_to_n")
        self.back_to_n.build((None, self.units))
        self.built = True

    def call(self, inputs, training=None):
        """Return inputs + scale * branch; only training drops out."""
        branch = self.back_to_n(self.hidden(inputs))
        branch = self.dropout(branch, training=training)
        return inputs + self.scale * branch

    def get_config(self):
        """Return what `from_config` needs in order to make this layer again."""
        config = super().get_config()
        config.update({"units": self.units, "scale": self.scale, "rate": self.rate})
        return config


# %%
@keras.utils.register_keras_serializable(package="custom_training")
class ReconstructingRegressor(keras.Model):
    """Predicts one number, and pays for what it forgets of its inputs."""

    def __init__(self, units, weight=0.05, **kwargs):
        super().__init__(**kwargs)
        self.units = int(units)
        self.weight = float(weight)
        self.hidden = keras.layers.Dense(self.units, activation="relu", name="hidden")
        self.prediction = keras.layers.Dense(1, name="prediction")
        self.reconstruction = None  # made in build, since it needs n
        self.reconstruction_error = keras.metrics.Mean(name="reconstruction_error")

    def build(self, input_shape):
        """Make every weight for inputs of this shape."""
        n = int(input_shape[-1])
        self.hidden.build((None, n))
        self.prediction.build((None, self.units))
        self.reconstruction = keras.layers.Dense(n, name="reconstruction")
        self.reconstruction.build((None, self.units))
        self.built = True

    def call(self, inputs):
        """Return the prediction, having added the reconstruction loss and updated the metric."""
        features = self.hidden(inputs)
        restored = self.reconstruction(features)
        error = tf.reduce_mean(tf.square(restored - tf.cast(inputs, restored.dtype)))
        self.add_loss(self.weight * error)
        self.reconstruction_error.update_state(error)
        return self.prediction(features)

    def get_config(self):
        """Return what `from_config` needs in order to make this model again."""
        config = super().get_config()
        config.update({"units": self.units, "weight": self.weight})
        return config
