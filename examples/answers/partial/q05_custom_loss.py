# %%
import tensorflow as tf
from tensorflow import keras


# %%
# log(cosh(x)) is nearly |x| - log(2) for large x, and nearly x**2 / 2 for small x
def log_cosh(y_true, y_pred):
    x = y_pred - y_true
    return tf.reduce_mean(tf.abs(x) + tf.math.log1p(tf.exp(-2.0 * tf.abs(x))) - tf.math.log(2.0), axis=-1)


# %%
class QuantileLoss(keras.losses.Loss):
    def __init__(self, quantile=0.5, **kwargs):
        super().__init__(**kwargs)
        self.quantile = quantile

    def call(self, y_true, y_pred):
        error = y_true - y_pred
        return tf.reduce_mean(tf.maximum(self.quantile * error, (self.quantile - 1) * error), axis=-1)

    # TODO: get_config? it seems to work without
