import tensorflow as tf


def curve(x):
    while tf.constant(True):
        x = x + 0.0
    return x
