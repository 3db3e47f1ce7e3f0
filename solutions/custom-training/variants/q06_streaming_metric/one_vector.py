"""Two counts in one vector, summed by Keras 3's operations, with the state reset by hand and the name spelled out."""

# %%
from keras import ops
from tensorflow import keras


# %%
def within(tolerance):
    def metric(y_true, y_pred):
        near = ops.absolute(ops.subtract(y_true, y_pred)) <= tolerance
        return ops.mean(near, axis=-1)

    return metric


# %%
class StreamingF1(keras.metrics.Metric):
    def __init__(self, threshold=0.5, name="f1", **kwargs):
        super().__init__(name=name, **kwargs)
        self.threshold = threshold
        self.counts = self.add_weight(name="counts", shape=(2,), initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        actual = ops.cast(ops.ravel(y_true), "float32")
        predicted = ops.cast(ops.ravel(y_pred) > self.threshold, "float32")
        weight = 1.0 if sample_weight is None else ops.ravel(sample_weight)
        both, either = ops.sum(weight * actual * predicted), ops.sum(weight * (actual + predicted))
        self.counts.assign_add(ops.stack([both, either]))

    def result(self):
        return ops.divide_no_nan(2.0 * self.counts[0], self.counts[1])

    def reset_state(self):
        self.counts.assign([0.0, 0.0])

    def get_config(self):
        config = super().get_config()
        config["threshold"] = self.threshold
        return config
