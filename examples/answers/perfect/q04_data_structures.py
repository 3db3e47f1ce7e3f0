import tensorflow as tf


# %%
def word_lengths(sentences):
    """Return the number of characters of each word, as a ragged tensor with a row for each sentence."""
    sentences = tf.convert_to_tensor(sentences, dtype=tf.string)
    # An explicit separator: without one, tabs and line breaks would separate words as well.
    # In return there are empty pieces between two spaces and at the ends; those are no words.
    pieces = tf.strings.split(sentences, sep=" ")
    lengths = tf.strings.length(pieces, unit="UTF8_CHAR")
    return tf.ragged.boolean_mask(lengths, lengths > 0)


# %%
def mean_of_rows(ragged):
    """Return the mean of each row, or 0 for an empty one."""
    numbers = tf.cast(ragged, tf.float64)  # large integers survive the sum
    totals = tf.reduce_sum(numbers, axis=1)
    counts = tf.cast(ragged.row_lengths(), tf.float64)
    return tf.cast(tf.math.divide_no_nan(totals, counts), tf.float32)


# %%
def weighted_votes(sparse, weights):
    """Return the sum of votes times weights for each row of a sparse tensor."""
    column = tf.convert_to_tensor(weights, dtype=tf.float32)[:, tf.newaxis]
    return tf.squeeze(tf.sparse.sparse_dense_matmul(sparse, column), axis=1)


# %%
def running_totals(x):
    """Return the totals max(0, previous + x), one for each element of x."""
    x = tf.convert_to_tensor(x, dtype=tf.float32)
    length = tf.shape(x)[0]
    totals = tf.TensorArray(tf.float32, size=length, element_shape=())

    def not_finished(i, total, totals):
        return i < length

    def add_element(i, total, totals):
        total = tf.maximum(0.0, total + x[i])
        return i + 1, total, totals.write(i, total)

    # tf.while_loop is a loop in the graph when it is traced, and an ordinary one when called directly.
    _, _, totals = tf.while_loop(not_finished, add_element, [tf.constant(0), tf.constant(0.0), totals])
    return tf.ensure_shape(totals.stack(), x.shape)


# %%
def jaccard(a, b):
    """Return the share of the elements of a or b that are in both."""
    # tf.sets works on rows of sets: each of these has one row.
    row_a = tf.convert_to_tensor(a)[tf.newaxis, :]
    row_b = tf.convert_to_tensor(b)[tf.newaxis, :]
    in_both = tf.sets.size(tf.sets.intersection(row_a, row_b))[0]
    in_either = tf.sets.size(tf.sets.union(row_a, row_b))[0]
    return tf.math.divide_no_nan(tf.cast(in_both, tf.float32), tf.cast(in_either, tf.float32))


# %%
def in_priority_order(items):
    """Return the names in the order of their priorities, and of their arrival where those are equal."""
    if not items:
        return []  # nobody should wait for an empty queue
    count = len(items)
    # The queue compares one int64 each, so priority and arrival have to go into one number. The rank
    # among the priorities stands for the priority, so that this number stays small for any integer.
    distinct_priorities = sorted({priority for priority, _ in items})
    rank = {priority: position for position, priority in enumerate(distinct_priorities)}
    keys = [rank[priority] * count + arrival for arrival, (priority, _) in enumerate(items)]
    names = [name for _, name in items]

    queue = tf.queue.PriorityQueue(capacity=count, types=[tf.string], shapes=[()])
    queue.enqueue_many((tf.constant(keys, dtype=tf.int64), tf.constant(names, dtype=tf.string)))
    ordered = []
    for _ in range(count):
        _, name = queue.dequeue()
        ordered.append(name.numpy().decode("utf-8"))
    return ordered
