# %%
import tensorflow as tf


# %%
def word_lengths(sentences):
    """Return the number of characters of each word, as a ragged tensor with a row for each sentence."""
    return tf.strings.length(tf.strings.split(sentences), unit="UTF8_CHAR")


# %%
def mean_of_rows(ragged):
    """Return the mean of each row, or 0 for an empty one."""
    totals = tf.reduce_sum(tf.cast(ragged, tf.float32), axis=1)
    return tf.math.divide_no_nan(totals, tf.cast(ragged.row_lengths(), tf.float32))


# %%
def weighted_votes(sparse, weights):
    """Return the sum of votes times weights for each row of a sparse tensor."""
    return tf.sparse.sparse_dense_matmul(sparse, weights[:, tf.newaxis])[:, 0]


# %%
def running_totals(x):
    """Return the totals max(0, previous + x), one for each element of x."""
    count = tf.size(x)
    totals, total = tf.TensorArray(tf.float32, size=count), 0.0
    for number in tf.range(count):
        total = tf.maximum(0.0, total + x[number])
        totals = totals.write(number, total)
    return totals.stack()


# %%
def jaccard(a, b):
    """Return the share of the elements of a or b that are in both."""
    sets = a[tf.newaxis], b[tf.newaxis]
    both = tf.sets.size(tf.sets.intersection(*sets))
    either = tf.sets.size(tf.sets.union(*sets))
    return tf.math.divide_no_nan(tf.cast(both, tf.float32), tf.cast(either, tf.float32))[0]


# %%
def in_priority_order(items):
    """Return the names in the order of their priorities, and of their arrival where these are equal."""
    queue = tf.queue.PriorityQueue(len(items), [tf.string], [()])
    for arrival, (priority, name) in enumerate(items):
        queue.enqueue((priority * len(items) + arrival, name))
    return [queue.dequeue()[1].numpy().decode() for _ in items]
