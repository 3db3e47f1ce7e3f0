"""`call` computes in NumPy, which works until `fit` traces it."""
# fails: hidden::test_learns_a_quantile

# %%
import math

import numpy as np
import tensorflow as tf
from tensorflow import keras


# %%
def log_cosh(y_true, y_pred):
    """Return the mean of log(cosh(y_pred - y_true)) over the last axis, one number per example."""
    size = tf.abs(y_pred - y_true)
    return tf.reduce_mean(size + tf.math.softplus(-2.0 * size) - math.log(2.0), axis=-1)


# %%
class QuantileLoss(keras.losses.Loss):
    """Charge `quantile` for each unit that a prediction is too low, and `1 - quantile` for each that it is too high."""

    def __init__(self, quantile=0.5, **kwargs):
        if not 0 < quantile < 1:
            raise ValueError(f"quantile must lie strictly between 0 and 1, but is {quantile}")
        super().__init__(**kwargs)
        self.quantile = quantile

    def call(self, y_true, y_pred):
        """Return one number per example: the mean cost over the last axis."""
        error = y_true - y_pred
        return np.mean(np.maximum(self.quantile * error, (self.quantile - 1) * error), axis=-1)

    def get_config(self):
        """Return what `from_config` needs in order to make this loss again."""
        return {**super().get_config(), "quantile": self.quantile}
