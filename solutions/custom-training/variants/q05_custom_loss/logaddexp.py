"""log(cosh) by a stable log-sum-exp, the quantile loss from an absolute value, and arguments spelled out."""

# %%
import math

import tensorflow as tf
from tensorflow import keras


# %%
def log_cosh(y_true, y_pred):
    both_sides = tf.reduce_logsumexp([y_pred - y_true, y_true - y_pred], axis=0)
    return tf.reduce_mean(both_sides - math.log(2.0), axis=-1)


# %%
@keras.utils.register_keras_serializable()
class QuantileLoss(keras.losses.Loss):
    def __init__(self, quantile=0.5, reduction="sum_over_batch_size", name="quantile_loss"):
        super().__init__(reduction=reduction, name=name)
        if not (quantile > 0 and quantile < 1):
            raise ValueError("0 < quantile < 1, please")
        self.tilt = tf.constant(quantile - 0.5)

    def call(self, y_true, y_pred):
        error = y_true - y_pred
        return tf.reduce_mean(self.tilt * error + 0.5 * tf.abs(error), axis=-1)

    def get_config(self):
        config = super().get_config()
        config.update(quantile=float(self.tilt) + 0.5)
        return config
