"""The F1 of each batch is averaged, which is not the F1 of all examples."""
# fails: public::test_same_for_every_split, hidden::test_nothing_to_count, hidden::test_evaluate

# %%
import tensorflow as tf
from tensorflow import keras


# %%
def within(tolerance):
    """Return a function of (y_true, y_pred) that gives each example the share of its outputs within the tolerance."""

    def share_within(y_true, y_pred):
        near = tf.abs(y_true - y_pred) <= tolerance
        return tf.reduce_mean(tf.cast(near, tf.float32), axis=-1)

    return share_within


# %%
class StreamingF1(keras.metrics.Metric):
    """The F1 of all examples since the last reset, however they came in batches."""

    def __init__(self, threshold=0.5, **kwargs):
        super().__init__(**kwargs)
        self.threshold = threshold
        self.total = self.add_weight(name="total", shape=(), initializer="zeros")
        self.batches = self.add_weight(name="batches", shape=(), initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count one batch."""
        actual = tf.reshape(tf.cast(y_true, tf.float32), [-1])
        predicted = tf.reshape(tf.cast(y_pred > self.threshold, tf.float32), [-1])
        weight = 1.0 if sample_weight is None else tf.reshape(tf.cast(sample_weight, tf.float32), [-1])
        hits = tf.reduce_sum(weight * actual * predicted)
        everything = tf.reduce_sum(weight * (actual + predicted))
        self.total.assign_add(tf.math.divide_no_nan(2.0 * hits, everything))
        self.batches.assign_add(1.0)

    def result(self):
        """Return the F1 of what was counted, or 0 if there is nothing to divide by."""
        return tf.math.divide_no_nan(self.total, self.batches)

    def get_config(self):
        """Return what `from_config` needs in order to make this metric again."""
        return {**super().get_config(), "threshold": self.threshold}
