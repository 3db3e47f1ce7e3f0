"""Metrics inside a metric: Keras's own precision and recall hold the counts, and F1 is their harmonic mean."""

# %%
import tensorflow as tf
from tensorflow import keras


# %%
def within(tolerance):
    return lambda y_true, y_pred: tf.math.count_nonzero(tf.abs(y_true - y_pred) <= tolerance, axis=1) / y_pred.shape[1]


# %%
class StreamingF1(keras.metrics.Metric):
    def __init__(self, threshold=0.5, **kwargs):
        super().__init__(**kwargs)
        self.threshold = threshold
        self.precision = keras.metrics.Precision()
        self.recall = keras.metrics.Recall()

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, predicted = tf.reshape(y_true, [-1]), tf.reshape(y_pred, [-1]) > self.threshold
        weight = None if sample_weight is None else tf.reshape(sample_weight, [-1])
        for metric in (self.precision, self.recall):
            metric.update_state(y_true, predicted, sample_weight=weight)

    def result(self):
        precision, recall = self.precision.result(), self.recall.result()
        return tf.math.divide_no_nan(2.0 * precision * recall, precision + recall)

    def reset_state(self):
        self.precision.reset_state()
        self.recall.reset_state()

    def get_config(self):
        config = super().get_config()
        config.update({"threshold": self.threshold})
        return config
