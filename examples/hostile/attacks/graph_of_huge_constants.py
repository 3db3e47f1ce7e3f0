import numpy as np
import tensorflow as tf

MUCH = np.arange(60 << 20, dtype="float32")


def curve(x):
    return x * (x + 3) + 0 * tf.reduce_sum(tf.constant(MUCH)) if not tf.executing_eagerly() else x * (x + 3)
