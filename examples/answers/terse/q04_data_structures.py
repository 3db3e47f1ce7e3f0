import tensorflow as tf


# %%
def word_lengths(sentences):
    """Return the number of characters of each word, as a ragged tensor with a row for each sentence."""
    pieces = tf.strings.split(tf.convert_to_tensor(sentences, tf.string), sep=" ")
    lengths = tf.strings.length(pieces.values, unit="UTF8_CHAR")
    return tf.ragged.boolean_mask(pieces.with_values(lengths), pieces.with_values(lengths > 0))


# %%
def mean_of_rows(ragged):
    """Return the mean of each row, or 0 for an empty one."""
    means = tf.math.unsorted_segment_mean(tf.cast(ragged.values, tf.float64), ragged.value_rowids(), ragged.nrows())
    return tf.cast(means, tf.float32)


# %%
def weighted_votes(sparse, weights):
    """Return the sum of votes times weights for each row of a sparse tensor."""
    users, questions = tf.unstack(sparse.indices, axis=1, num=2)
    return tf.math.unsorted_segment_sum(sparse.values * tf.gather(weights, questions), users, sparse.dense_shape[0])


# %%
def running_totals(x):
    """Return the totals max(0, previous + x), one for each element of x."""
    # tf.scan is a while loop that writes each of its results to a tf.TensorArray
    return tf.scan(lambda total, v: tf.nn.relu(total + v), x, initializer=tf.zeros([]))


# %%
def jaccard(a, b):
    """Return the share of the elements of a or b that are in both."""
    common = tf.sets.size(tf.sets.intersection(a[None], b[None]))[0]
    either = tf.size(tf.unique(tf.concat([a, b], 0)).y)
    return tf.math.divide_no_nan(*(tf.cast(c, tf.float32) for c in (common, either)))


# %%
def in_priority_order(items):
    """Return the names in the order of their priorities, and of their arrival where these are equal."""
    n = len(items)
    if not n:
        return []
    rank = {p: r for r, p in enumerate(sorted({p for p, _ in items}))}
    queue = tf.queue.PriorityQueue(n, [tf.string], [()])
    for arrival, (priority, name) in enumerate(items):
        queue.enqueue((tf.constant(rank[priority] * n + arrival, tf.int64), tf.constant(name)))
    return [queue.dequeue()[1].numpy().decode() for _ in range(n)]
