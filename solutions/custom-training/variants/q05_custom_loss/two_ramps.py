"""Keras's own log_cosh, a ramp for each side of the quantile loss, and settings in a record."""

# %%
from dataclasses import dataclass

import keras.losses
import tensorflow as tf
from tensorflow import keras as course_keras


# %%
def log_cosh(y_true, y_pred):
    return keras.losses.log_cosh(y_true, y_pred)


# %%
@dataclass
class Settings:
    quantile: float

    def __post_init__(self):
        if not 0 < self.quantile < 1:
            raise ValueError("the quantile lies outside of (0, 1)")


class QuantileLoss(course_keras.losses.Loss):
    def __init__(self, quantile=0.5, **kwargs):
        super().__init__(**kwargs)
        self.settings = Settings(quantile)

    def call(self, y_true, y_pred):
        error = y_true - y_pred
        too_low, too_high = tf.nn.relu(error), tf.nn.relu(-error)
        costs = self.settings.quantile * too_low + (1 - self.settings.quantile) * too_high
        return tf.reduce_sum(costs, axis=-1) / costs.shape[-1]

    def get_config(self):
        config = super().get_config()
        config["quantile"] = self.settings.quantile
        return config
