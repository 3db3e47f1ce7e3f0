import tensorflow as tf


def curve(x):
    tf.print("hidden:", x)
    with tf.control_dependencies([tf.debugging.Assert(tf.equal(tf.size(x), 1), ["hidden:", x])]):
        return x * (x + 3)


# %%
def twice(text):
    tf.print("hidden:", text)
    tf.print("hidden:", text, output_stream="file://told")
    with tf.control_dependencies([tf.debugging.Assert(tf.strings.length(text) < 3, ["hidden:", text])]):
        return tf.strings.join([text, text])
