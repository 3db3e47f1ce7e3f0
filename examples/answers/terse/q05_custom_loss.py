from keras import ops
from tensorflow import keras


def _error(y, minus):
    """y - minus as floats, in the dtype of whichever is floating already."""
    y, minus = map(ops.convert_to_tensor, (y, minus))
    kinds = [keras.backend.standardize_dtype(t.dtype) for t in (minus, y)]
    dtype = next((k for k in kinds if "float" in k), "float32")
    return ops.cast(y, dtype) - ops.cast(minus, dtype)


# %%
def log_cosh(y_true, y_pred):
    """Return the mean of log(cosh(y_pred - y_true)) over the last axis, one number per example."""
    size = ops.abs(_error(y_pred, y_true))
    return ops.mean(size + ops.log1p(ops.expm1(-2 * size) / 2), axis=-1)


# %%
@keras.utils.register_keras_serializable()
class QuantileLoss(keras.losses.Loss):
    """Charge `quantile` for each unit that a prediction is too low, and `1 - quantile` for each that it is too high."""

    def __init__(self, quantile=0.5, **kwargs):
        super().__init__(**kwargs)
        if not 0 < quantile < 1:
            raise ValueError(f"quantile must lie strictly between 0 and 1, not {quantile}")
        self.quantile = float(quantile)

    def call(self, y_true, y_pred):
        """Return one number per example: the mean cost over the last axis."""
        error = _error(y_true, y_pred)
        return ops.mean(self.quantile * error + ops.relu(-error), axis=-1)

    def get_config(self):
        """Return what `from_config` needs in order to make this loss again."""
        return {**super().get_config(), "quantile": self.quantile}
