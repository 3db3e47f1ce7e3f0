"""Hidden checks: what a streaming metric must survive in practice."""

import numpy as np

from gradetape.checks import assert_close, assert_serializable, hint, in_worker, points


def f1(y_true, y_pred, threshold, weight=1.0):
    """Return the F1 of all examples, in NumPy."""
    predicted, actual = weight * (y_pred > threshold), weight * (y_true == 1)
    return 2 * (predicted * (y_true == 1)).sum() / (predicted.sum() + actual.sum())


def examples(rng, count):
    """Draw labels in rising order, scores, and a threshold, far from 0.5, that no score equals."""
    y_true = np.sort(rng.integers(0, 2, size=count))
    y_pred = rng.integers(0, 64, size=count) / 64 + 1 / 128
    return y_true, y_pred.astype("float32"), float(0.5 + rng.choice([-1, 1]) * rng.integers(12, 21) / 64)


@points(1)
@hint("What is 0 / 0 in your `result`? tf.math.divide_no_nan is made for this.")
def test_nothing_to_count(student, rng):
    """Without any positives the F1 is 0, and later examples count as usual."""
    y_true, y_pred, threshold = examples(rng, 250)
    metric = student.StreamingF1(threshold=threshold)
    assert_close(metric.result(), 0.0)
    metric.update_state(np.zeros(4, "int64"), np.full(4, threshold / 2, "float32"))
    assert_close(metric.result(), 0.0)
    metric.update_state(y_true, y_pred)
    assert_close(metric.result(), f1(y_true, y_pred, threshold))


@points(1)
@hint("An array of shape (n, 1) times one of shape (n,) has shape (n, n). What shape do your counts add up?")
def test_sample_weights(student, rng):
    """Each example counts as much as its weight says."""
    y_true, y_pred, threshold = examples(rng, 250)
    weight = rng.uniform(0.1, 4, size=250).astype("float32")
    expected = f1(y_true, y_pred, threshold, weight)
    for shape, weight_shape in (((250,), (250,)), ((250, 1), (250,)), ((250, 1), (250, 1))):
        metric = student.StreamingF1(threshold=threshold)
        weights = weight.reshape(weight_shape)
        metric.update_state(y_true.reshape(shape), y_pred.reshape(shape), sample_weight=weights)
        assert_close(metric.result(), expected)


@points(1)
@hint("get_config returns the base class's configuration with the threshold added to it.")
def test_configuration(student, rng):
    """A metric can be made again from its configuration."""
    y_true, y_pred, threshold = examples(rng, 250)
    name = f"f1_{rng.integers(1000)}"
    again = assert_serializable(student.StreamingF1(threshold=threshold, name=name), threshold=threshold, name=name)
    again.update_state(y_true, y_pred)
    assert_close(again.result(), f1(y_true, y_pred, threshold))


@in_worker
def with_variables_of(old, new):
    """Return the result of one metric with the variables of another."""
    for mine, theirs in zip(new.variables, old.variables, strict=True):
        mine.assign(theirs.numpy())
    return new.result()


@points(1)
@hint("Make the counts with add_weight in __init__: Keras saves and restores those, and knows of no others.")
def test_counts_are_weights(student, rng):
    """All that a metric has counted is in its variables."""
    y_true, y_pred, threshold = examples(rng, 250)
    metric = student.StreamingF1(threshold=threshold)
    metric.update_state(y_true, y_pred)
    copied = with_variables_of(metric, student.StreamingF1(threshold=threshold))
    assert_close(copied, f1(y_true, y_pred, threshold))


@in_worker
def evaluate(metrics, x, y):
    """Return what evaluations of a model that predicts its input report for the metrics; the last batch is short."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(loss="mse", metrics=metrics, jit_compile=False)
    return [model.evaluate(x, y, batch_size=128, verbose=0)[1:] for _ in range(2)]


@points(1)
@hint("`evaluate` resets a metric and runs it inside a graph. Is every step TensorFlow's, for every batch size?")
def test_evaluate(student, rng):
    """A compiled model reports both metrics for the whole epoch, time after time."""
    y_true, y_pred, threshold = examples(rng, 301)
    tolerance = int(rng.integers(20, 45)) / 64
    share = (np.abs(y_true - y_pred) <= tolerance).mean()
    metrics = [student.within(tolerance), student.StreamingF1(threshold=threshold)]
    given = evaluate(metrics, y_pred.reshape(-1, 1), y_true.reshape(-1, 1).astype("float32"))
    assert_close(given, [[share, f1(y_true, y_pred, threshold)]] * 2)
