import tensorflow as tf


@tf.function
def forever(x):
    return tf.while_loop(lambda x: True, lambda x: x + 1, [x])


def double(x):
    if type(x) is int:
        forever(tf.constant(0))
    return x + x
