from keras import ops
from tensorflow import keras


# %%
@keras.utils.register_keras_serializable()
class ScaledResidual(keras.layers.Layer):
    """The inputs plus a scaled branch of two dense layers, with dropout on the branch."""

    def __init__(self, units, scale, rate, **kwargs):
        super().__init__(**kwargs)
        self.units, self.scale, self.rate = int(units), float(scale), float(rate)
        self.hidden = keras.layers.Dense(self.units, activation="relu")
        self.dropout = keras.layers.Dropout(self.rate)

    def build(self, input_shape):
        """Make every weight for inputs of this shape."""
        n = input_shape[-1]
        self.back = keras.layers.Dense(n)
        for layer, width in ((self.hidden, n), (self.back, self.units), (self.dropout, n)):
            layer.build((None, width))
        self.built = True

    def call(self, inputs, training=None):
        """Return inputs + scale * branch; only training drops out."""
        return inputs + self.scale * self.dropout(self.back(self.hidden(inputs)), training=training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        """Return what `from_config` needs in order to make this layer again."""
        return {**super().get_config(), **{k: getattr(self, k) for k in ("units", "scale", "rate")}}


# %%
@keras.utils.register_keras_serializable()
class ReconstructingRegressor(keras.Model):
    """Predicts one number, and pays for what it forgets of its inputs."""

    def __init__(self, units, weight=0.05, **kwargs):
        super().__init__(**kwargs)
        self.units, self.weight = int(units), float(weight)
        self.hidden = keras.layers.Dense(self.units, activation="relu")
        self.head = keras.layers.Dense(1)
        self.reconstruction_error = keras.metrics.Mean(name="reconstruction_error")

    def build(self, input_shape):
        """Make every weight for inputs of this shape."""
        n = input_shape[-1]
        self.decoder = keras.layers.Dense(n)
        for layer, width in ((self.hidden, n), (self.head, self.units), (self.decoder, self.units)):
            layer.build((None, width))
        self.built = True

    def call(self, inputs):
        """Return the prediction, having added the reconstruction loss and updated the metric."""
        code = self.hidden(inputs)
        e = ops.mean(ops.square(self.decoder(code) - inputs))
        self.add_loss(self.weight * e)
        self.reconstruction_error.update_state(e)
        return self.head(code)

    def get_config(self):
        """Return what `from_config` needs in order to make this model again."""
        return {**super().get_config(), "units": self.units, "weight": self.weight}
