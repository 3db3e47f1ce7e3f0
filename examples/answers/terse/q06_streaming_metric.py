from keras import ops
from tensorflow import keras


# %%
def within(tolerance):
    """Return a function of (y_true, y_pred) that gives each example the share of its outputs within the tolerance."""

    def share_within(y_true, y_pred):
        y_pred = ops.convert_to_tensor(y_pred)
        miss = ops.abs(ops.cast(y_true, y_pred.dtype) - y_pred)
        return ops.mean(ops.cast(ops.less_equal(miss, tolerance), "float32"), axis=-1)

    return share_within


# %%
@keras.utils.register_keras_serializable()
class StreamingF1(keras.metrics.Metric):
    """The F1 of all examples since the last reset, however they came in batches."""

    def __init__(self, threshold=0.5, **kwargs):
        super().__init__(**kwargs)
        self.threshold = float(threshold)
        # [true positives, labelled ones + predicted ones]; 2 TP + FP + FN is the second
        self.counts = self.add_weight(shape=(2,), initializer="zeros", dtype="float64", name="counts")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count one batch."""
        flat = lambda v: ops.cast(ops.reshape(ops.convert_to_tensor(v), (-1,)), "float64")
        truth, weight = flat(y_true), 1.0 if sample_weight is None else flat(sample_weight)
        claim = flat(ops.greater(ops.convert_to_tensor(y_pred), self.threshold))
        self.counts.assign_add(ops.stack([ops.sum(weight * truth * claim), ops.sum(weight * (truth + claim))]))

    def result(self):
        """Return the F1 of what was counted, or 0 if there is nothing to divide by."""
        hits, ones = self.counts[0], self.counts[1]
        return ops.cast(ops.divide_no_nan(2 * hits, ones), "float32")

    def get_config(self):
        """Return what `from_config` needs in order to make this metric again."""
        return {**super().get_config(), "threshold": self.threshold}
