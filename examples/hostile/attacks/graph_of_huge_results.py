import tensorflow as tf


def curve(x):
    return tf.tile(x * (x + 3), [1 << 24])


# %%
def twice(text):
    return tf.strings.reduce_join(tf.fill([1 << 27], text))
