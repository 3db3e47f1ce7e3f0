# %%
import numpy as np
import tensorflow as tf
from tensorflow import keras


# %%
def log_cosh(y_true, y_pred):
    """Return the mean of log(cosh(y_pred - y_true)) over the last axis, one number per example."""
    raise NotImplementedError("log_cosh: find a form that does not overflow")


# %%
class QuantileLoss(keras.losses.Loss):
    """Charge `quantile` for each unit that a prediction is too low, and `1 - quantile` for each that it is too high."""

    def __init__(self, quantile=0.5, **kwargs):
        super().__init__(**kwargs)
        raise NotImplementedError("QuantileLoss: keep the quantile, if it makes sense")

    def call(self, y_true, y_pred):
        """Return one number per example: the mean cost over the last axis."""
        raise NotImplementedError("QuantileLoss.call")

    def get_config(self):
        """Return what `from_config` needs in order to make this loss again."""
        raise NotImplementedError("QuantileLoss.get_config")
