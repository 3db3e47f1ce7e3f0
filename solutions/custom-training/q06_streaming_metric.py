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
        self.hits = self.add_weight(name="hits", initializer="zeros")
        self.false_alarms = self.add_weight(name="false_alarms", initializer="zeros")
        self.misses = self.add_weight(name="misses", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count one batch."""
        actual = tf.reshape(tf.cast(y_true, tf.float32), [-1])
        predicted = tf.reshape(tf.cast(y_pred > self.threshold, tf.float32), [-1])
        weight = 1.0 if sample_weight is None else tf.reshape(sample_weight, [-1])
        self.hits.assign_add(tf.reduce_sum(weight * actual * predicted))
        self.false_alarms.assign_add(tf.reduce_sum(weight * (1.0 - actual) * predicted))
        self.misses.assign_add(tf.reduce_sum(weight * actual * (1.0 - predicted)))

    def result(self):
        """Return the F1 of what was counted, or 0 if there is nothing to divide by."""
        total = 2.0 * self.hits + self.false_alarms + self.misses
        return tf.math.divide_no_nan(2.0 * self.hits, total)

    def get_config(self):
        """Return what `from_config` needs in order to make this metric again."""
        return {**super().get_config(), "threshold": self.threshold}
