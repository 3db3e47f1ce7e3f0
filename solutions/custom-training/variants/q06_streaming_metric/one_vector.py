"""Two counts in one vector, summed by Keras 3's operations, with the state reset by hand and the name spelled out."""

# %%
import numpy as np
from keras import ops
from tensorflow import keras


# %%
def within(tolerance):
    def metric(y_true, y_pred):
        far = ops.absolute(ops.subtract(y_true, y_pred)) > tolerance
        return 1.0 - ops.mean(ops.cast(far, "float32"), axis=-1)

    metric.__name__ = f"within_{tolerance}"
    return metric


# %%
class StreamingF1(keras.metrics.Metric):
    def __init__(self, threshold=0.5, name="f1", **kwargs):
        super().__init__(name=name, **kwargs)
        self._threshold = np.float32(threshold)
        self.counts = self.add_weight(name="counts", shape=(2,), initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        actual = ops.cast(ops.ravel(y_true), "float32")
        predicted = ops.cast(ops.ravel(y_pred) > self._threshold, "float32")
        weight = ops.ones_like(actual) if sample_weight is None else ops.ravel(sample_weight)
        both, either = ops.sum(weight * actual * predicted), ops.sum(weight * (actual + predicted))
        self.counts.assign(self.counts + ops.stack([both, either]))

    def result(self):
        both, either = self.counts[0], self.counts[1]
        return ops.where(either > 0, 2.0 * both / ops.maximum(either, 1e-12), 0.0)

    def reset_state(self):
        self.counts.assign(np.zeros(2, "float32"))

    def get_config(self):
        config = super().get_config()
        config["threshold"] = float(self._threshold)
        return config
