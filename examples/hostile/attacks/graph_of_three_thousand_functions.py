import tensorflow as tf


def curve(x):
    for number in range(3000):
        x = tf.function(lambda x, number=number: x + number)(x)
    return x
