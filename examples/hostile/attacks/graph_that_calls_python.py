import numpy as np
import tensorflow as tf


def in_python(x):
    return np.asarray(x * (x + 3), np.float32)


def curve(x):
    y = tf.data.Dataset.from_tensors(x).map(lambda x: tf.numpy_function(in_python, [x], tf.float32))
    return tf.ensure_shape(y.get_single_element(), [None])


# %%
class Counter:
    def __init__(self):
        self.total = 0.0

    def add(self, x):
        def in_python(x):
            self.total += float(np.sum(x))
            return np.float32(self.total)

        return tf.py_function(in_python, [x], tf.float32)

    def result(self):
        return tf.numpy_function(lambda: np.float32(self.total), [], tf.float32)
