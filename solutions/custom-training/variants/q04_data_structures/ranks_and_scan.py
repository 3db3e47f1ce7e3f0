"""Words by their characters, unsorted segments, a sparse product, keras.ops.scan, counts of what is unique, and ranks."""

# %%
import keras
import numpy as np
import tensorflow as tf


# %%
def word_lengths(sentences):
    return tf.strings.unicode_split(tf.strings.split(sentences), "UTF-8").row_lengths(axis=2)


# %%
def mean_of_rows(ragged):
    return tf.math.unsorted_segment_mean(
        data=tf.cast(ragged.values, tf.float32), segment_ids=ragged.value_rowids(), num_segments=ragged.nrows()
    )


# %%
def weighted_votes(sparse, weights):
    return tf.sparse.reduce_sum(sparse * weights, axis=1)


# %%
def running_totals(x):
    def step(total, number):
        total = keras.ops.maximum(total + number, 0.0)
        return total, total

    return keras.ops.scan(step, tf.zeros([]), x)[1]


# %%
def jaccard(a, b):
    counts = tf.unique_with_counts(np.concatenate([tf.unique(a).y, tf.unique(b).y])).count
    shared = tf.math.count_nonzero(counts == 2, dtype=tf.float32)
    return tf.math.divide_no_nan(shared, len(counts))


# %%
def in_priority_order(items):
    rank = {priority: place for place, priority in enumerate(sorted({priority for priority, _ in items}))}
    queue = tf.queue.PriorityQueue(len(items), types=[tf.int64, tf.string], shapes=[(), ()])
    for number, (priority, name) in enumerate(items):
        queue.enqueue((rank[priority], number, name))
    left = sorted(queue.dequeue() for _ in items)
    return [name.numpy().decode() for _, _, name in left]
