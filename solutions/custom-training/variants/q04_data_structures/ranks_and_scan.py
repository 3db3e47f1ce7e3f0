"""Words by their characters, unsorted segments, a sparse product, keras.ops.scan, counts of what is unique, and ranks."""

# %%
import keras
import tensorflow as tf


# %%
def word_lengths(sentences):
    pieces = tf.strings.split(sentences, sep=" ")
    lengths = tf.strings.unicode_split(pieces, "UTF-8").row_lengths(axis=2)
    return tf.ragged.boolean_mask(lengths, lengths > 0)


# %%
def mean_of_rows(ragged):
    return tf.math.unsorted_segment_mean(
        data=tf.cast(ragged.values, tf.float32), segment_ids=ragged.value_rowids(), num_segments=ragged.nrows()
    )


# %%
def weighted_votes(sparse, weights):
    return tf.sparse.reduce_sum(sparse * weights[tf.newaxis], axis=1)


# %%
def running_totals(x):
    def step(total, number):
        total = keras.ops.maximum(total + number, 0.0)
        return total, total

    return keras.ops.scan(step, tf.zeros([]), x)[1]


# %%
def jaccard(a, b):
    counts = tf.unique_with_counts(tf.concat([tf.unique(a).y, tf.unique(b).y], axis=0)).count
    shared = tf.math.count_nonzero(counts == 2, dtype=tf.float32)
    return tf.math.divide_no_nan(shared, tf.cast(tf.size(counts), tf.float32))


# %%
def in_priority_order(items):
    rank = {priority: place for place, priority in enumerate(sorted({priority for priority, _ in items}))}
    queue = tf.queue.PriorityQueue(max(1, len(items)), types=[tf.int64, tf.string], shapes=[(), ()])
    for number, (priority, name) in enumerate(items):
        queue.enqueue((tf.constant(rank[priority], tf.int64), number, name))
    left = [queue.dequeue() for _ in range(queue.size().numpy())]
    left.sort(key=lambda out: (int(out[0]), int(out[1])))
    return [str(name.numpy(), "utf-8") for _, _, name in left]
