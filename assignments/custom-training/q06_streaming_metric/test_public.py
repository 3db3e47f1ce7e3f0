import numpy as np

from gradetape.checks import assert_close, assert_streams, hint, in_worker, points, proves


def f1(y_true, y_pred, threshold):
    """Return the F1 of all examples, in NumPy."""
    predicted, actual = y_pred > threshold, y_true == 1
    return 2 * (predicted & actual).sum() / (predicted.sum() + actual.sum())


def examples(rng, count):
    """Draw labels in rising order, scores, and a threshold, far from 0.5, that no score equals."""
    y_true = np.sort(rng.integers(0, 2, size=count))
    y_pred = rng.integers(0, 64, size=count) / 64 + 1 / 128
    return y_true, y_pred.astype("float32"), float(0.5 + rng.choice([-1, 1]) * rng.integers(12, 21) / 64)


@in_worker
def joined(update, result, reset):
    """Return an object with these methods."""

    class Joined:
        def update_state(self, *batch):
            return update(*batch)

        def result(self):
            return result()

        def reset_state(self):
            return reset()

    return Joined()


def as_graphs(exported, metric, batches):
    """Return an object with the methods of a metric as graphs, if possible, for batches like these."""
    steps = {"update": (metric.update_state, batches), "result": (metric.result, [()])}
    graphs = exported.if_possible(**steps, reset=(metric.reset_state, [()]))
    return joined(graphs.update, graphs.result, graphs.reset)


@points(1)
@proves("share-within")
@hint("Is an error as large as the tolerance still within it? Over which axis is the mean taken?")
def test_within_gives_each_example_its_share(student, exported, rng):
    """The function that within returns gives one right number per example."""
    tolerance = int(rng.integers(1, 8)) / 8
    y_true, y_pred = (rng.integers(-8, 9, size=(2, 10, 3)) / 8).astype("float32")
    y_pred[0], y_pred[1] = y_true[0] + tolerance, y_true[1] - 3
    expected = (np.abs(y_true - y_pred) <= tolerance).mean(axis=-1)
    function = student.within(tolerance)
    graph = exported.if_possible(within=(function, [(y_true, y_pred)])).within
    for share in (function, graph):
        assert_close(share(y_true, y_pred), expected, f"That is within({tolerance}) of inputs of shape (10, 3).")


@points(1)
@proves("counts-one-batch")
@hint("What does a score that equals the threshold predict? Does (n, 1) work as well as (n,)?")
def test_f1_of_one_batch(student, exported, rng):
    """StreamingF1 is right for a single batch."""
    y_true, y_pred, threshold = examples(rng, 300)
    y_pred[:50] = threshold
    expected = f1(y_true, y_pred, threshold)
    batches = (y_true, y_pred), (y_true.reshape(-1, 1).astype("float32"), y_pred.reshape(-1, 1))
    for batch in batches:
        graphs = as_graphs(exported, student.StreamingF1(threshold=threshold), [batch])
        for metric in (student.StreamingF1(threshold=threshold), graphs):
            metric.update_state(*batch)
            assert_close(metric.result(), expected, f"That is threshold={threshold} and shape {batch[0].shape}.")


@points(1.5)
@proves("f1-since-reset")
@hint("Add up counts over the batches, and divide only in `result`.")
def test_same_for_every_split(student, exported, tf, rng):
    """However the examples are split into batches, the F1 is that of all of them."""
    y_true, y_pred, threshold = examples(rng, 400)
    expected = f1(y_true, y_pred, threshold)
    any_batch = [tuple(tf.TensorSpec([None], values.dtype.name) for values in (y_true, y_pred))]

    def new_metric():
        return student.StreamingF1(threshold=threshold)

    for new in (new_metric, lambda: as_graphs(exported, new_metric(), any_batch)):
        assert_streams(new, y_true, y_pred, expected, rng)


@points(1)
@proves("reset")
@hint("Which weights does the base class set to zero: those that add_weight made, and in legacy only single numbers?")
def test_reset_between_epochs(student, exported, keras, rng):
    """After a reset the metric remembers nothing of the epoch before."""
    threshold = examples(rng, 1)[-1]
    before, after = examples(rng, 200)[:2], examples(rng, 300)[:2]
    graphs = as_graphs(exported, student.StreamingF1(threshold=threshold), [before, after])
    metric = student.StreamingF1(threshold=threshold)
    resets = ["reset_state"] if hasattr(keras, "ops") else ["reset_state", "reset_states"]
    for each, reset in [(metric, reset) for reset in resets] + [(graphs, "reset_state")]:
        each.update_state(*before)
        getattr(each, reset)()
        assert_close(each.result(), 0.0, f"That is the result directly after {reset}(): no example counts.")
        each.update_state(*after)
        assert_close(each.result(), f1(*after, threshold), f"That is the F1 of the examples after {reset}().")
        getattr(each, reset)()
