"""Empty words dropped by a mask, a while loop, a scatter, comparisons for sets, and arrivals in the lower bits."""

# %%
import tensorflow as tf


# %%
def word_lengths(sentences):
    words = tf.strings.split(sentences, " ")
    words = tf.ragged.boolean_mask(words, words != "")
    return tf.map_fn(
        lambda row: tf.strings.length(row, unit="UTF8_CHAR"),
        words,
        fn_output_signature=tf.RaggedTensorSpec([None], tf.int32),
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
    written = tf.TensorArray(tf.float32, size=0, dynamic_size=True)

    def step(i, total, written):
        total = tf.maximum(total + x[i], 0.0)
        return i + 1, total, written.write(i, total)

    _, _, written = tf.while_loop(lambda i, *_: i < tf.size(x), step, (0, 0.0, written))
    return written.stack()


# %%
def jaccard(a, b):
    a, b = tf.unique(a)[0], tf.unique(b)[0]
    shared = tf.math.count_nonzero(a[:, None] == b, dtype=tf.float32)
    return tf.math.divide_no_nan(shared, len(a) + len(b) - shared)


# %%
def in_priority_order(items):
    queue = tf.queue.PriorityQueue(capacity=len(items), types=["string"], shapes=[()])
    keys = [(priority << len(items).bit_length()) + arrival for arrival, (priority, _) in enumerate(items)]
    queue.enqueue_many((keys, [name for _, name in items]))
    names = []
    while queue.size():
        names.append(queue.dequeue()[1].numpy().decode())
    return names
