"""A plain loop over the outputs, and a confusion matrix as the state, which a record of the threshold accompanies."""

# %%
import functools

import tensorflow as tf
from tensorflow import keras


# %%
def share(tolerance, y_true, y_pred):
    y_true, y_pred = tf.convert_to_tensor(y_true), tf.convert_to_tensor(y_pred)
    count = tf.zeros_like(y_pred[:, 0])
    for k in range(y_pred.shape[1]):
        error = y_true[:, k] - y_pred[:, k]
        count += tf.where((error <= tolerance) & (error >= -tolerance), 1.0, 0.0)
    return count / y_pred.shape[1]


def within(tolerance):
    function = functools.partial(share, tolerance)
    function.__name__ = "within"
    return function


# %%
class StreamingF1(keras.metrics.Metric):
    def __init__(self, threshold=0.5, name="f1", **kwargs):
        super().__init__(name=name, **kwargs)
        self.threshold = float(threshold)
        self.matrix = self.add_weight(shape=(2, 2), initializer="zeros", name="matrix")

    def update_state(self, y_true, y_pred, sample_weight=None):
        labels = tf.cast(tf.reshape(y_true, [-1]), tf.int32)
        predictions = tf.cast(tf.reshape(y_pred, [-1]) > self.threshold, tf.int32)
        weights = None if sample_weight is None else tf.reshape(tf.convert_to_tensor(sample_weight), [-1])
        counts = tf.math.confusion_matrix(labels, predictions, 2, weights=weights, dtype=tf.float32)
        self.matrix.assign(self.matrix + counts)

    def result(self):
        matrix = tf.convert_to_tensor(self.matrix)
        hits, wrong = matrix[1, 1], matrix[0, 1] + matrix[1, 0]
        return tf.cond(hits > 0, lambda: hits / (hits + wrong / 2), lambda: tf.constant(0.0))

    def reset_state(self):
        self.matrix.assign(tf.zeros((2, 2)))

    def get_config(self):
        return super().get_config() | {"threshold": self.threshold}
