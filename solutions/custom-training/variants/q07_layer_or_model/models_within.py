"""The branch is a Sequential with its dropout inside, and the model's heads are made as soon as n is known."""

# %%
from keras import ops
from tensorflow import keras


# %%
@keras.utils.register_keras_serializable("coursework")
class ScaledResidual(keras.layers.Layer):
    def __init__(self, units, scale, rate, **kwargs):
        super().__init__(**kwargs)
        self.units, self.scale, self.rate = units, scale, rate

    def build(self, input_shape):
        self.branch = keras.Sequential(
            [
                keras.Input(input_shape[1:]),
                keras.layers.Dense(self.units),
                keras.layers.ReLU(),
                keras.layers.Dense(input_shape[1]),
                keras.layers.Dropout(self.rate),
            ]
        )
        super().build(input_shape)

    def call(self, inputs, training=False):
        return keras.layers.add([inputs, self.scale * self.branch(inputs, training=training)])

    def get_config(self):
        return dict(super().get_config(), units=self.units, scale=self.scale, rate=self.rate)


# %%
class ReconstructingRegressor(keras.Model):
    def __init__(self, units, weight=0.05, **kwargs):
        super().__init__(**kwargs)
        self.units, self.weight = units, weight
        self.reconstruction_error = keras.metrics.Mean(name="reconstruction_error")

    def build(self, input_shape):
        n = input_shape[1]
        inputs = keras.Input((n,))
        hidden = keras.layers.Dense(self.units, "relu")(inputs)
        heads = [keras.layers.Dense(1)(hidden), keras.layers.Dense(n)(hidden)]
        self.two_heads = keras.Model(inputs, heads)
        self.built = True

    def call(self, inputs):
        prediction, reconstruction = self.two_heads(inputs)
        error = ops.mean(ops.square(ops.subtract(inputs, reconstruction)))
        self.add_loss(self.weight * error)
        self.reconstruction_error(error)
        return prediction

    def get_config(self):
        return dict(super().get_config(), units=self.units, weight=self.weight)
