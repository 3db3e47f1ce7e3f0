"""Python's own lists, loops and sets, in TensorFlow's structures only where these are asked for."""

# %%
import numpy as np
import tensorflow as tf


# %%
def word_lengths(sentences):
    texts = [text.decode() for text in sentences.numpy()]
    rows = [[len(word) for word in text.split(" ") if word] for text in texts]
    return tf.ragged.constant(rows, dtype=tf.int64, ragged_rank=1)


# %%
def mean_of_rows(ragged):
    return tf.constant([sum(row) / len(row) if row else 0.0 for row in ragged.to_list()])


# %%
def weighted_votes(sparse, weights):
    users, questions = sparse.indices.numpy().T
    sums = np.zeros(sparse.dense_shape[0], "float32")
    np.add.at(sums, users, sparse.values * weights.numpy()[questions])
    return tf.constant(sums)


# %%
def running_totals(x):
    totals, total = tf.TensorArray(tf.float32, size=len(x)), 0.0
    for i in range(len(x)):
        total = total + x[i]
        if total < 0:
            total = 0.0
        totals = totals.write(i, total)
    return totals.stack()


# %%
def jaccard(a, b):
    a, b = set(a.numpy()), set(b.numpy())
    return tf.constant(len(a & b) / max(len(a | b), 1))


# %%
def in_priority_order(items):
    queue = tf.queue.FIFOQueue(capacity=len(items), dtypes=[tf.string])
    for _, name in sorted(items, key=lambda item: item[0]):
        queue.enqueue(name)
    return [queue.dequeue().numpy().decode() for _ in items]
