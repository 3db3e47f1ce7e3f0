# %%
def within(tolerance):
    def share_within(y_true, y_pred):
        y_pred = tf.convert_to_tensor(y_pred)
        hit = tf.abs(tf.cast(y_true, y_pred.dtype) - y_pred) <= tolerance
        return tf.reduce_mean(tf.cast(hit, tf.float32), axis=-1)

    return share_within


# %%
class StreamingF1(keras.metrics.Metric):
    # F1 = 2 TP / (predicted ones + actual ones), since TP + FP are the predicted ones and TP + FN the actual ones.

    def __init__(self, threshold=0.5, name="streaming_f1", **kwargs):
        super().__init__(name=name, **kwargs)
        self.threshold = threshold
        self.both = self.add_weight(name="both", shape=(), initializer="zeros")
        self.ones = self.add_weight(name="ones", shape=(), initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        actual = flat(y_true)
        predicted = tf.cast(flat(y_pred) > self.threshold, tf.float32)
        weight = tf.ones_like(actual) if sample_weight is None else flat(sample_weight)
        self.both.assign_add(tf.reduce_sum(weight * actual * predicted)
        self.ones.assign_add(tf.reduce_sum(weight * (actual + predicted)))

    def result(self):
        return tf.math.divide_no_nan(2 * tf.convert_to_tensor(self.both), tf.convert_to_tensor(self.ones))

    def get_config(self):
        config = super().get_config()
        config["threshold"] = float(self.threshold)
        return config


def flat(x):
    return tf.reshape(tf.cast(x, tf.float32), [-1])


# %%
m = StreamingF1()
m.update_state([1, 1], [0.9, 0.8])
m.update_state([0, 0], [0.6, 0.2])
print("F1 of the epoch:", m.result().numpy())
