"""Words by map_flat_values, means by segments, a product by gathering, a scan, differences of sets, a queue for each priority."""

# %%
import tensorflow as tf


# %%
def word_lengths(sentences):
    words = tf.strings.split(sentences)
    return words.with_flat_values(tf.strings.length(words.flat_values, "UTF8_CHAR"))


# %%
def mean_of_rows(ragged):
    means = tf.reduce_mean(tf.cast(ragged, tf.float32), axis=-1)
    return tf.where(ragged.row_lengths() == 0, 0.0, means)


# %%
def weighted_votes(sparse, weights):
    weighted = sparse.values * tf.gather(weights, sparse.indices[:, 1])
    return tf.math.unsorted_segment_sum(weighted, sparse.indices[:, 0], sparse.dense_shape[0])


# %%
@tf.function
def running_totals(x):
    return tf.scan(lambda total, value: tf.nn.relu(total + value), x, initializer=tf.constant(0.0))


# %%
def jaccard(a, b):
    a, b = tf.unique(a).y, tf.unique(b).y
    only_a = len(tf.sets.difference([a], [b]).values)
    both, either = len(a) - only_a, only_a + len(b)
    return tf.constant(both / either if either else 0.0)


# %%
def in_priority_order(items):
    names = []
    for wanted in sorted({priority for priority, _ in items}):
        queue = tf.queue.FIFOQueue(capacity=len(items), dtypes=[tf.string], shapes=[[]])
        queue.enqueue_many([[name for priority, name in items if priority == wanted]])
        names += [name.decode() for name in queue.dequeue_many(queue.size()).numpy()]
    return names
