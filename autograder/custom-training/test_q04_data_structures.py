"""Hidden checks: structures that are large, empty, of any length, or full of equals."""

import numpy as np

from gradetape.checks import assert_close, assert_grads_flow, assert_tensor, hint, in_worker, limit, ops_in, points


@points(1)
@hint("Multiply without leaving the sparse tensor: tf.sparse has a product, or sum up its values by their indices.")
def test_votes(student, tf, rng):
    """Votes are weighted and added up for each user, in a small matrix and in one of a million squared."""
    for users, questions, votes in ((5, 8, 20), (10**6, 10**6, 5000)):
        places = np.unique(rng.integers(users * questions, size=votes))
        indices = np.stack(np.divmod(places, questions), axis=1)
        values = rng.uniform(1, 5, size=len(places)).astype("float32")
        weights = rng.uniform(1, 5, size=questions).astype("float32")
        expected = np.bincount(indices[:, 0], values * weights[indices[:, 1]], minlength=users)
        with tf.device("CPU:0"):  # on a GPU the product of sparse and dense is not deterministic, and refused
            given = student.weighted_votes(tf.SparseTensor(indices, values, (users, questions)), tf.constant(weights))
            assert_tensor(given, expected.astype("float32"))


def ups_and_downs(rng, length):
    """Draw numbers whose sum falls below 0 in the middle, and rises again at the end."""
    x = rng.normal(size=length).astype("float32")
    x[length // 2] = -rng.uniform(20, 30)
    x[0], x[-1] = rng.uniform(1, 2, size=2)
    return x


def totals(x):
    """Return the running totals, in NumPy."""
    result = [0.0]
    for value in x.tolist():
        result.append(max(0.0, result[-1] + value))
    return np.array(result[1:], "float32")


@points(1)
@hint("In a graph, `write` returns the array to go on with, and a length that is not known yet comes from tf.shape.")
def test_one_graph_for_every_length(student, tf, rng):
    """One trace with a tensor array in it is right for every length."""
    graph = tf.function(student.running_totals, input_signature=[tf.TensorSpec((None,), "float32")])
    for length in (1, *rng.choice(np.arange(5, 30), 3, replace=False).tolist()):
        x = ups_and_downs(rng, length)
        assert_tensor(graph(x), totals(x), atol=1e-5)
    found = [op for op in ops_in(graph) if op.startswith("TensorList")]
    assert found, "no tensor array is in the graph"


@points(1)
@hint("A gradient flows only through TensorFlow's operations.")
def test_gradients_flow_through_the_totals(student, tf, rng):
    """Each number counts for its own total and those that follow, up to the first that is 0."""
    x, slopes = ups_and_downs(rng, int(rng.integers(10, 40))), [0]
    for total in reversed(totals(x)):
        slopes.append(slopes[-1] + 1 if total > 0 else 0)
    graph = tf.function(student.running_totals, input_signature=[tf.TensorSpec((None,), "float32")])
    for fn in (student.running_totals, graph):
        assert_close(assert_grads_flow(fn, x), slopes[:0:-1])


@points(2)
@hint("tf.sets works on the last axis of tensors with two or more. What do you divide by if both sets are empty?")
def test_jaccard(student, tf, rng):
    """The similarity of two sets is right for integers and strings, with repeats, and for empty sets."""
    a, b = rng.integers(0, 30, size=20), rng.integers(10, 40, size=15)
    a[:3], a[3] = b[:3], b[0]
    for one, other in ((a, b), (a, b[:0]), (a[:0], b[:0]), (a, a[::-1])):
        both, either = set(one.tolist()) & set(other.tolist()), set(one.tolist()) | set(other.tolist())
        expected = np.float32(len(both) / max(len(either), 1))
        for dtype in ("int64", "string"):
            sets = [
                tf.constant(part.tolist() if dtype == "int64" else [*map(str, part)], dtype) for part in (one, other)
            ]
            assert_tensor(student.jaccard(*sets), expected)


@in_worker
def watched(in_priority_order, items):
    """Return the names, and how often something was taken out of one of TensorFlow's queues for them."""
    taken, methods = [], {name: getattr(tf.queue.QueueBase, name) for name in ("dequeue", "dequeue_many")}

    def counted(method):
        return lambda *args, **kwargs: (taken.append(method), method(*args, **kwargs))[1]

    try:
        for name, method in methods.items():
            setattr(tf.queue.QueueBase, name, counted(method))
        return in_priority_order(items), len(taken)
    finally:
        for name, method in methods.items():
            setattr(tf.queue.QueueBase, name, method)


@points(1)
@limit(6)
@hint("Let the arrival be part of the priority. And does anyone wait for an item that never comes?")
def test_equals_in_a_queue(student, rng):
    """Equals leave the queue as they came, and without items there is nothing to wait for."""
    priorities, numbers = rng.integers(-2, 3, size=40).tolist(), rng.integers(1000, size=40)
    items = [(priority, f"item {number}") for priority, number in zip(priorities, numbers, strict=True)]
    given, taken = watched(student.in_priority_order, items)
    assert given == [name for _, name in sorted(items, key=lambda item: item[0])]
    assert taken > 0, "nothing was taken out of a queue"
    assert student.in_priority_order([]) == []
