"""Spaces cleaned up by an expression, a while loop, a scatter, comparisons for sets, and arrivals in the lower bits."""

# %%
import tensorflow as tf


# %%
def word_lengths(sentences):
    tidy = tf.strings.strip(tf.strings.regex_replace(sentences, " +", " "))
    words = tf.strings.split(tidy, " ")
    words = tf.ragged.boolean_mask(words, words != "")
    return tf.map_fn(
        lambda row: tf.strings.length(row, unit="UTF8_CHAR"),
        words,
        fn_output_signature=tf.RaggedTensorSpec([None], tf.int32, ragged_rank=0),
    )


# %%
def mean_of_rows(ragged):
    lengths = tf.maximum(ragged.row_lengths(), 1)
    sums = tf.math.segment_sum(tf.cast(ragged.flat_values, tf.float32), ragged.value_rowids())
    sums = tf.pad(sums, [[0, ragged.nrows() - tf.size(sums, tf.int64)]])
    return sums / tf.cast(lengths, tf.float32)


# %%
def weighted_votes(sparse, weights):
    weighted = sparse.values * tf.gather(weights, sparse.indices[:, 1])
    return tf.scatter_nd(sparse.indices[:, :1], weighted, sparse.dense_shape[:1])


# %%
def running_totals(x):
    n = tf.size(x)
    written = tf.TensorArray(x.dtype, size=0, dynamic_size=True, element_shape=())

    def step(i, total, written):
        total = tf.maximum(total + x[i], 0.0)
        return i + 1, total, written.write(i, total)

    _, _, written = tf.while_loop(lambda i, *_: i < n, step, (0, tf.constant(0.0), written))
    return written.stack()


# %%
def jaccard(a, b):
    a, b = tf.unique(a)[0], tf.unique(b)[0]
    shared = tf.reduce_sum(tf.cast(a[:, None] == b[None, :], tf.float32))
    every = tf.cast(tf.size(a) + tf.size(b), tf.float32) - shared
    return tf.math.divide_no_nan(shared, every)


# %%
def in_priority_order(items):
    queue = tf.queue.PriorityQueue(capacity=len(items) + 1, types=["string"], shapes=[()])
    keys = [(priority << 20) | arrival for arrival, (priority, _) in enumerate(items)]
    queue.enqueue_many((tf.constant(keys, tf.int64), tf.constant([name for _, name in items], tf.string)))
    names = []
    while queue.size() > 0:
        names.append(str(queue.dequeue()[1].numpy(), "utf-8"))
    return names
