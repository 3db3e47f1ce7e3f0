# %%
import math

import tensorflow as tf
from tensorflow import keras


# %%
def log_cosh(y_true, y_pred):
    """log(cosh(e)) = log((exp(e) + exp(-e)) / 2) = softplus(2e) - e - log(2), and softplus never overflows."""
    y_pred = tf.convert_to_tensor(y_pred)
    e = y_pred - tf.cast(y_true, y_pred.dtype)
    return tf.reduce_mean(tf.math.softplus(2 * e) - e - math.log(2), axis=-1)


# quick look: should be [0.4338, 1.3250]
log_cosh([[1.0], [2.0]], [[0.0], [4.0]])


# %%
class QuantileLoss(keras.losses.Loss):
    def __init__(self, quantile=0.5, **kwargs):
        if not 0 < quantile < 1:
            raise ValueError(f"quantile must lie between 0 and 1, got {quantile}")
        super().__init__(**kwargs)
        self.quantile = float(quantile)

    def call(self, y_true, y_pred):
        y_pred = tf.convert_to_tensor(y_pred)
        missing = tf.cast(y_true, y_pred.dtype) - y_pred
        # the part that we are too low, and the part that we are too high
        under, over = tf.nn.relu(missing), tf.nn.relu(-missing)
        return tf.reduce_mean(self.quantile * under + (1.0 - self.quantile) * over, axis=-1)

    def get_config(self):
        return dict(super().get_config(), quantile=self.quantile)


print(float(QuantileLoss(0.9)([[1.0], [2.0]], [[0.0], [4.0]])), "should be 0.55")
