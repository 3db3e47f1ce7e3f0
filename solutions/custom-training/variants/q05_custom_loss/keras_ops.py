"""Everything in Keras 3's backend-independent operations, and the costs picked by a condition."""

# %%
import math

from keras import ops
from tensorflow import keras


# %%
def log_cosh(y_true, y_pred):
    error = ops.subtract(y_pred, y_true)
    return ops.mean(error + ops.softplus(-2.0 * error) - math.log(2.0), axis=-1)


# %%
class QuantileLoss(keras.losses.Loss):
    def __init__(self, quantile=0.5, **kwargs):
        super().__init__(**kwargs)
        if not 0.0 < quantile < 1.0:
            raise ValueError("the quantile is a share of the examples: more than 0, less than 1")
        self.weights = (quantile, 1.0 - quantile)

    def call(self, y_true, y_pred):
        too_low, too_high = self.weights
        error = y_true - y_pred
        costs = ops.where(error > 0, too_low * error, -too_high * error)
        return ops.mean(costs, axis=-1)

    def get_config(self):
        return dict(super().get_config(), quantile=self.weights[0])
