import tensorflow as tf

SECRET = "CANARY"


def total(x):
    """Return the sum of the squares of an array of numbers."""
    return tf.reduce_sum(tf.square(x))
