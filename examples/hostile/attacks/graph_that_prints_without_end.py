import tensorflow as tf


def curve(x):
    while tf.constant(True):
        tf.print(tf.fill([10_000], "much to say"), summarize=-1)
        x = x + 0.0
    return x
