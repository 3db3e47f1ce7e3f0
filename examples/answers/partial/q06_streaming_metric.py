# %%
import tensorflow as tf
from tensorflow import keras


# %%
def within(tolerance):
    def metric(y_true, y_pred):
        return tf.reduce_mean(tf.cast(tf.abs(y_true - y_pred) <= tolerance, tf.float32), axis=-1)

    return metric


# %%
# I did not have the time to find out how to keep the counts, so this is the mean over the batches.
class StreamingF1(keras.metrics.Metric):
    def __init__(self, threshold=0.5, **kwargs):
        super().__init__(**kwargs)
        self.threshold = threshold
        self.total = self.add_weight(name="total", initializer="zeros")
        self.batches = self.add_weight(name="batches", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = tf.cast(tf.reshape(y_true, [-1]), tf.float32)
        y_pred = tf.cast(tf.reshape(y_pred, [-1]) > self.threshold, tf.float32)
        f1 = tf.math.divide_no_nan(2 * tf.reduce_sum(y_true * y_pred), tf.reduce_sum(y_true) + tf.reduce_sum(y_pred))
        self.total.assign_add(f1)
        self.batches.assign_add(1.0)

    def result(self):
        return tf.math.divide_no_nan(tf.convert_to_tensor(self.total), tf.convert_to_tensor(self.batches))

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}
