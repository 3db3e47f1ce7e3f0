"""A plain loop over the outputs, and a confusion matrix as the state."""

# %%
import functools

import tensorflow as tf
from tensorflow import keras


# %%
def share(tolerance, y_true, y_pred):
    count = 0.0
    for k in range(y_pred.shape[1]):
        count += tf.where(tf.abs(y_true[:, k] - y_pred[:, k]) <= tolerance, 1.0, 0.0)
    return count / y_pred.shape[1]


def within(tolerance):
    return functools.partial(share, tolerance)


# %%
class StreamingF1(keras.metrics.Metric):
    def __init__(self, threshold=0.5, name="f1", **kwargs):
        super().__init__(name=name, **kwargs)
        self.threshold = threshold
        self.matrix = self.add_weight(shape=(2, 2), initializer="zeros", name="matrix")

    def update_state(self, y_true, y_pred, sample_weight=None):
        predictions = tf.reshape(y_pred, [-1]) > self.threshold
        weights = None if sample_weight is None else tf.reshape(sample_weight, [-1])
        counts = tf.math.confusion_matrix(y_true, predictions, 2, weights=weights, dtype=tf.float32)
        self.matrix.assign_add(counts)

    def result(self):
        hits, wrong = self.matrix[1, 1], self.matrix[0, 1] + self.matrix[1, 0]
        return tf.math.divide_no_nan(hits, hits + wrong / 2)

    def reset_state(self):
        self.matrix.assign(tf.zeros((2, 2)))

    def get_config(self):
        return super().get_config() | {"threshold": self.threshold}
