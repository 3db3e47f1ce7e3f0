"""Hidden checks: what a streaming metric must survive in practice."""

import itertools
from functools import partial

import numpy as np

from gradetape.checks import assert_close, assert_serializable, hint, in_worker, points, proves


def f1(y_true, y_pred, threshold, weight=1.0):
    """Return the F1 of all examples, in NumPy."""
    predicted, actual = weight * (y_pred > threshold), weight * (y_true == 1)
    return 2 * (predicted * (y_true == 1)).sum() / (predicted.sum() + actual.sum())


def examples(rng, count):
    """Draw labels in rising order, scores, and a threshold, far from 0.5, that no score equals."""
    y_true = np.sort(rng.integers(0, 2, size=count))
    y_pred = rng.integers(0, 64, size=count) / 64 + 1 / 128
    return y_true, y_pred.astype("float32"), float(0.5 + rng.choice([-1, 1]) * rng.integers(12, 21) / 64)


def methods_of(metric):
    """Return what a metric does, in the order in which it is used."""
    return metric.update_state, metric.result, metric.reset_state


def graphs_of(exported, tf, metrics, methods=2):
    """Return the first methods of each of some metrics as graphs, if possible, for batches of any size like its own."""
    steps = {}
    for name, (metric, batches) in metrics.items():
        specs = [tuple(tf.TensorSpec((None, *each.shape[1:]), each.dtype.name) for each in batch) for batch in batches]
        for number, method in enumerate(methods_of(metric)[:methods]):
            steps[f"{name}_{number}"] = method, [()] if number else specs
    graphs = exported.if_possible(**steps)
    return {name: [getattr(graphs, f"{name}_{number}") for number in range(methods)] for name in metrics}


@in_worker
def fed(update, result, batches):
    """Return the results after each batch, each of them asked for twice."""
    results = []
    for batch in batches:
        update(*map(tf.constant, batch))
        results.append([result(), result()])
    return results


def streamed(exported, tf, cases):
    """Yield for each case the results after each batch: of a metric's graph, and of another metric as it is.

    A case has a function that makes the metrics, and the batches.
    """
    graphs = graphs_of(exported, tf, {name: (new(), batches) for name, (new, batches) in cases.items()})
    for name, (new, batches) in cases.items():
        for update, result in (graphs[name], methods_of(new())[:2]):
            yield name, fed(update, result, batches)


@points(1)
@proves("nothing-to-divide", "f1-since-reset")
@hint("Where is 0 / 0 in your `result`? Precision and recall may be 0, or 0 / 0, without the F1 being so.")
def test_nothing_to_count(student, exported, tf, rng):
    """Without any positives the F1 is 0, without true ones too, and later examples count as usual."""
    y_true, y_pred, threshold = examples(rng, 250)
    low, high, other = np.float32(threshold / 2), np.float32(threshold + 1), examples(rng, 200)
    wrong = {"no_positives": ([0, 0], [low, low]), "a_false_one": ([0], [high]), "a_missed_one": ([1], [low])}
    wrong = wrong | {"all_wrong": ([0, 1, 0], [high, low, low])}
    wrong = {case: (np.array(labels), np.array(scores)) for case, (labels, scores) in wrong.items()}
    batches, new = [(y_true, y_pred), other[:2]], partial(student.StreamingF1, threshold=threshold)
    themselves = methods_of(new())
    for case, results in streamed(exported, tf, {case: (new, [batch]) for case, batch in wrong.items()}):
        assert_close(results[0], [0.0, 0.0], case)
    graph = graphs_of(exported, tf, {"metric": (new(), [*wrong.values(), *batches])}, methods=3)["metric"]
    together = np.append(y_true, other[0]), np.append(y_pred, other[1])
    for update, result, reset in (graph, themselves):
        assert_close(result(), 0.0)
        for case, batch in wrong.items():
            assert_close(fed(update, result, [batch])[0], [0.0, 0.0], f"{case}, and what came before")
        reset()
        given = fed(update, result, batches)
        assert_close(given, [[f1(y_true, y_pred, threshold)] * 2, [f1(*together, threshold)] * 2])


@points(1)
@proves("sample-weights", "shapes", "f1-since-reset")
@hint("An array of shape (n, 1) times one of shape (n,) has shape (n, n). And weights count, not only their ratios.")
def test_sample_weights(student, exported, tf, rng):
    """Each example counts as much as its weight says, in batches of every shape and size, with weights and without."""
    cases, due, threshold = {}, {}, examples(rng, 1)[-1]
    new = partial(student.StreamingF1, threshold=threshold)
    for number, shapes in enumerate(itertools.product(*[[(-1,), (-1, 1)]] * 3)):
        y_true, y_pred, _ = examples(rng, 90)
        shuffled, weight = rng.permutation(90), rng.uniform(0.1, 1, size=90).astype("float32")
        weight[40:] *= 9  # the batches' mean weights differ
        weight[60:] = 1
        weight[rng.integers(60)] = 0
        columns = [values.reshape(shape) for values, shape in zip((y_true, y_pred, weight), shapes, strict=True)]
        columns[:2] = [column[shuffled] for column in columns[:2]]
        cuts = ((0, 1), (1, 40), (40, 60), (60, 89), (89, 90))
        batches = [tuple(column[i:j] for column in columns[: 3 if j <= 60 else 2]) for i, j in cuts]
        cases[f"of_{number}"] = new, batches
        due[f"of_{number}"] = f1(y_true[shuffled], y_pred[shuffled], threshold, weight), f"shapes {shapes}"
    cases["light"] = new, [(y_true, y_pred, weight * np.float32(1e-9))]
    due["light"] = f1(y_true, y_pred, threshold, weight), "weights of about 1e-9"
    for name, results in streamed(exported, tf, cases):
        assert_close(results[-1][0], *due[name])


@points(0.5)
@proves("any-scores", "counts-one-batch", "arguments")
@hint("Compare the scores, and only the scores, with the threshold. Which numbers may a threshold be?")
def test_scores_of_any_size(student, exported, tf, rng):
    """Scores and thresholds are any numbers, 0.5 without a threshold, and labels integers or floats."""
    for threshold, dtype in ((0.0, "int32"), (-2.5, "float32"), (3.0, "int64"), (100.5, "float64"), (1.0, "float32")):
        y_true = rng.permutation([0, 1] * 60).astype(dtype)
        y_pred = (threshold + rng.integers(-6, 7, size=120) / 2).astype("float32")
        for _, [[given, _]] in streamed(
            exported, tf, {"f1": (partial(student.StreamingF1, threshold), [(y_true, y_pred)])}
        ):
            assert_close(given, f1(y_true, y_pred, threshold), f"threshold {threshold}, labels {dtype}")
    y_pred = (rng.integers(0, 9, size=120) / 8).astype("float32")
    for _, [[given, _]] in streamed(exported, tf, {"f1": (student.StreamingF1, [(y_true, y_pred)])}):
        assert_close(given, f1(y_true, y_pred, 0.5), "without a threshold")


@points(0.5)
@proves("share-within", "nan-is-not-within", "several-tolerances", "several-metrics")
@hint(
    "What belongs to one metric is an attribute of `self`, and to one function a variable of its own. Is NaN within 1?"
)
def test_several_at_a_time(student, exported, tf, rng):
    """Metrics with different thresholds, and functions with different tolerances, do not change one another."""
    thresholds = {"low": 0.25, "high": 0.75}
    metrics = {name: student.StreamingF1(threshold=threshold) for name, threshold in thresholds.items()}
    seen = {name: [] for name in metrics}
    for name in ("low", "high", "high", "low"):
        seen[name].append(examples(rng, 60)[:2])
        fed(metrics[name].update_state, metrics[name].result, seen[name][-1:])
    for name, metric in metrics.items():
        assert_close(metric.result(), f1(*np.concatenate(seen[name], axis=1), thresholds[name]), name)
    metrics["low"].reset_state()
    assert_close(metrics["high"].result(), f1(*np.concatenate(seen["high"], axis=1), 0.75), "after the other's reset")
    others = {name: (student.StreamingF1(threshold=threshold), seen[name]) for name, threshold in thresholds.items()}
    graphs = graphs_of(exported, tf, others)
    for turn in range(2):
        for name, threshold in thresholds.items():
            due = f1(*np.concatenate(seen[name][: turn + 1], axis=1), threshold)
            assert_close(fed(*graphs[name], [seen[name][turn]])[0], [due] * 2, f"{name}, in turn")
    y_true, y_pred = (rng.integers(-8, 9, size=(2, 10, 4)) / 8).astype("float32")
    y_pred[0, 1], y_true[3, 0], y_pred[3, 2] = np.nan, np.nan, np.inf
    tolerances = rng.permutation(8)[:3] / 8
    y_true[5], y_pred[5, :3] = 0, tolerances + 2.0**-24  # float32 has this number, and no smaller one beyond 7 / 8
    pairs = [(y_true[part], y_pred[part]) for part in (slice(None), slice(1), slice(2, 5))]  # a batch of one, too
    functions = {f"within_{number}": student.within(each) for number, each in enumerate(tolerances.tolist())}
    graphs = exported.if_possible(**{name: (function, pairs) for name, function in functions.items()})
    for pair in pairs:
        for tolerance, name in zip(tolerances, functions, strict=True):
            expected = (np.abs(pair[0] - pair[1]) <= tolerance).mean(axis=-1)
            for function in (getattr(graphs, name), functions[name]):
                assert_close(function(*pair), expected, f"within({tolerance})")


@in_worker
def as_json(metric):
    """Return the configuration of a metric after a trip through JSON, and after a metric was made from it."""
    import json

    config = json.loads(json.dumps(metric.get_config()))
    type(metric).from_config(config)
    return config


@points(0.5)
@proves("configuration", "arguments")
@hint("get_config returns the base class's configuration with the threshold added to it, as a number that JSON knows.")
def test_configuration(student, exported, tf, rng):
    """A metric can be made again from its configuration, and again from that one's."""
    y_true, y_pred, threshold = examples(rng, 250)
    name = f"f1_{rng.integers(1000)}"
    assert_serializable(student.StreamingF1(threshold=threshold, dtype="float64"), dtype="float64")
    metric = student.StreamingF1(threshold=threshold, name=name)
    for _ in range(2):
        config = as_json(metric)
        assert config.get("threshold") == threshold, f"after a trip through JSON, and from_config: {config}"
        metric = assert_serializable(metric, threshold=threshold, name=name)
    again = partial(assert_serializable, metric, threshold=threshold)
    for _, results in streamed(exported, tf, {"again": (again, [(y_true, y_pred)])}):
        assert_close(results[0][0], f1(y_true, y_pred, threshold))


@in_worker
def taking_over(old, new):
    """Return a function that gives one metric the variables of another."""

    def take_over():
        for mine, theirs in zip(new.variables, old.variables, strict=True):
            mine.assign(tf.convert_to_tensor(theirs))

    return take_over


@points(1)
@proves("counts-are-weights")
@hint("Make the counts with add_weight in __init__: Keras saves and restores those, and knows of no others.")
def test_counts_are_weights(student, exported, rng):
    """All that a metric has counted is in its variables, and another metric can go on from there."""
    y_true, y_pred, threshold = examples(rng, 250)
    metrics = [student.StreamingF1(threshold=threshold) for _ in range(4)]
    first, rest = (y_true[:150], y_pred[:150]), (y_true[150:], y_pred[150:])
    metric, copy = metrics[:2]
    graphs = exported.if_possible(
        update=(metric.update_state, [first]),
        take_over=(taking_over(metric, copy), [()]),
        update_copy=(copy.update_state, [rest]),
        result_of_copy=(copy.result, [()]),
    )
    metric, copy = metrics[2:]
    themselves = metric.update_state, taking_over(metric, copy), copy.update_state, copy.result
    for update, take_over, update_copy, result_of_copy in (
        (graphs.update, graphs.take_over, graphs.update_copy, graphs.result_of_copy),
        themselves,
    ):
        update(*first)
        take_over()
        assert_close(result_of_copy(), f1(*first, threshold))
        update_copy(*rest)
        assert_close(result_of_copy(), f1(y_true, y_pred, threshold))


@in_worker
def as_keras_metric(name, update, result, reset):
    """Return a metric of Keras that leaves everything to these functions."""

    class Metric(keras.metrics.Metric):
        def update_state(self, y_true, y_pred, sample_weight=None):
            update(*(each for each in (y_true, y_pred, sample_weight) if each is not None))

        def result(self):
            return result()

        def reset_state(self):
            reset()

    return Metric(name=name)


@in_worker
def compiled(metrics, weighted):
    """Return a model that predicts its input."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=metrics, weighted_metrics=[weighted], jit_compile=False)
    return model


@in_worker
def evaluated(model, x, y, weight):
    """Return what a model reports of two evaluations."""
    return [model.evaluate(x, y, sample_weight=weight, batch_size=128, verbose=0)[1:] for _ in range(2)]


@in_worker
def fitted(model, x, y):
    """Return the F1 that a model reports of two epochs with validation."""
    fitted = model.fit(x, y, batch_size=100, epochs=2, shuffle=False, validation_data=(x[:90], y[:90]), verbose=0)
    return [fitted.history["f1"], fitted.history["val_f1"]]


@points(1)
@proves("compiles", "reset")
@hint("Keras resets a metric and runs it inside a graph. Is every step TensorFlow's, for every batch size?")
def test_evaluate(student, exported, tf, rng):
    """A compiled model reports the metrics for the whole epoch, time after time."""
    y_true, y_pred, threshold = examples(rng, 301)
    y_true = np.roll(y_true, 200)  # the first labels are zeros and ones
    tolerance, weight = int(rng.integers(20, 45)) / 64, rng.uniform(0.1, 3, size=301).astype("float32")
    metrics = [student.within(tolerance), student.StreamingF1(threshold=threshold, name="f1")]
    weighted = student.StreamingF1(threshold=threshold, name="weighted_f1")
    x, y = y_pred.reshape(-1, 1), y_true.reshape(-1, 1).astype("float32")
    share, plain = (np.abs(y_true - y_pred) <= tolerance).mean(), f1(y_true, y_pred, threshold)
    model, due = compiled(metrics, weighted), [[share, plain, f1(y_true, y_pred, threshold, weight)]] * 2
    assert_close(evaluated(model, x, y, weight), due)
    assert_close(fitted(model, x, y), [[plain] * 2, [f1(y_true[:90], y_pred[:90], threshold)] * 2])
    column, vector = (tf.TensorSpec(shape, "float32") for shape in ([None, 1], [None]))
    batches = [(column, column), (column, column, vector), (column, column, column)]
    functions = {"share": (student.within(tolerance), batches[:1])}
    for name in ("plain", "weighted"):
        update, result, reset = methods_of(student.StreamingF1(threshold=threshold))
        steps = {"update": (update, batches), "result": (result, [()]), "reset": (reset, [()])}
        functions |= {f"{step}_{name}": function for step, function in steps.items()}
    graphs = exported.if_possible(**functions)
    plain = as_keras_metric("plain", graphs.update_plain, graphs.result_plain, graphs.reset_plain)
    weighted = as_keras_metric("weighted", graphs.update_weighted, graphs.result_weighted, graphs.reset_weighted)
    assert_close(evaluated(compiled([graphs.share, plain], weighted), x, y, weight), due)
