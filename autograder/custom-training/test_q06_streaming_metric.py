"""Hidden checks: what a streaming metric must survive in practice."""

import itertools

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


def graphs_of(exported, metrics):
    """Return the update_state and the result of each of some metrics with its batches, as graphs if possible."""
    functions = {}
    for name, (metric, batches) in metrics.items():
        functions[f"update_{name}"], functions[f"result_{name}"] = (metric.update_state, batches), (metric.result, [()])
    graphs = exported.if_possible(**functions)
    return {name: (getattr(graphs, f"update_{name}"), getattr(graphs, f"result_{name}")) for name in metrics}


@in_worker
def fed(update, result, batches):
    """Return the results after each batch, each of them asked for twice."""
    results = []
    for batch in batches:
        update(*map(tf.constant, batch))
        results.append([result(), result()])
    return results


@points(1)
@proves("nothing-to-divide", "f1-since-reset")
@hint("Where is 0 / 0 in your `result`? Precision and recall may be 0, or 0 / 0, without the F1 being so.")
def test_nothing_to_count(student, exported, rng):
    """Without any positives the F1 is 0, without true ones too, and later examples count as usual."""
    y_true, y_pred, threshold = examples(rng, 250)
    low, high, other = np.float32(threshold / 2), np.float32(threshold + 1), examples(rng, 200)
    wrong = {"no_positives": ([0, 0], [low, low]), "a_false_one": ([0], [high]), "a_missed_one": ([1], [low])}
    wrong = wrong | {"all_wrong": ([0, 1, 0], [high, low, low])}
    wrong = {case: (np.array(labels), np.array(scores)) for case, (labels, scores) in wrong.items()}
    metrics = {case: (student.StreamingF1(threshold=threshold), [batch]) for case, batch in wrong.items()}
    metric, batches = student.StreamingF1(threshold=threshold), [(y_true, y_pred), other[:2]]
    graphs = graphs_of(exported, metrics | {"all": (metric, [*wrong.values(), *batches])})
    assert_close(graphs["all"][1](), 0.0)
    for case, batch in wrong.items():
        assert_close(fed(*graphs[case], [batch])[0], [0.0, 0.0], case)
        assert_close(fed(*graphs["all"], [batch])[0], [0.0, 0.0], f"{case}, and what came before")
    again = student.StreamingF1(threshold=threshold)
    fed(again.update_state, again.result, list(wrong.values()))
    again.reset_state()
    given = fed(*graphs_of(exported, {"again": (again, batches)})["again"], batches)
    together = np.append(y_true, other[0]), np.append(y_pred, other[1])
    assert_close(given, [[f1(y_true, y_pred, threshold)] * 2, [f1(*together, threshold)] * 2])


@points(1)
@proves("sample-weights", "shapes", "f1-since-reset")
@hint("An array of shape (n, 1) times one of shape (n,) has shape (n, n). And weights count, not only their ratios.")
def test_sample_weights(student, exported, rng):
    """Each example counts as much as its weight says, in batches of every shape and size, with weights and without."""
    metrics, due = {}, {}
    for number, shapes in enumerate(itertools.product(*[[(-1,), (-1, 1)]] * 3)):
        y_true, y_pred, threshold = examples(rng, 90)
        shuffled, weight = rng.permutation(90), rng.uniform(0.1, 1, size=90).astype("float32")
        weight[40:] *= 9  # the batches' mean weights differ
        weight[60:] = 1
        weight[rng.integers(60)] = 0
        batches = [
            tuple(
                part.reshape(shape) for part, shape in zip((y_true[at], y_pred[at], weight[i:j]), shapes, strict=True)
            )
            for i, j in ((0, 1), (1, 40), (40, 60), (60, 89), (89, 90))
            for at in [shuffled[i:j]]
        ]
        batches[3:] = [batch[:2] for batch in batches[3:]]
        metrics[f"of_{number}"] = student.StreamingF1(threshold=threshold), batches
        due[f"of_{number}"] = f1(y_true[shuffled], y_pred[shuffled], threshold, weight), f"shapes {shapes}"
    light = y_true, y_pred, weight * np.float32(1e-9)
    metrics["light"] = student.StreamingF1(threshold=threshold), [light]
    due["light"] = f1(y_true, y_pred, threshold, weight), "weights of about 1e-9"
    graphs = graphs_of(exported, metrics)
    for name, (_, batches) in metrics.items():
        assert_close(fed(*graphs[name], batches)[-1][0], *due[name])


@points(0.5)
@proves("any-scores", "counts-one-batch", "arguments")
@hint("Compare the scores, and only the scores, with the threshold. Which numbers may a threshold be?")
def test_scores_of_any_size(student, exported, rng):
    """Scores and thresholds are any numbers, 0.5 without a threshold, and labels integers or floats."""
    metrics, due = {}, {}
    for threshold, dtype in ((0.0, "int32"), (-2.5, "float32"), (3.0, "int64"), (100.5, "float64"), (1.0, "float32")):
        y_true = rng.permutation([0, 1] * 60).astype(dtype)
        y_pred = (threshold + rng.integers(-6, 7, size=120) / 2).astype("float32")
        name = f"of_{len(metrics)}"
        metrics[name] = student.StreamingF1(threshold), [(y_true, y_pred)]
        due[name] = f1(y_true, y_pred, threshold), f"threshold {threshold}, labels {dtype}"
    y_pred = (rng.integers(0, 9, size=120) / 8).astype("float32")
    metrics["default"] = student.StreamingF1(), [(y_true, y_pred)]
    due["default"] = f1(y_true, y_pred, 0.5), "without a threshold"
    graphs = graphs_of(exported, metrics)
    for name, (_, batches) in metrics.items():
        assert_close(fed(*graphs[name], batches)[0][0], *due[name])


@points(0.5)
@proves("share-within", "nan-is-not-within", "several-tolerances", "several-metrics")
@hint(
    "What belongs to one metric is an attribute of `self`, and to one function a variable of its own. Is NaN within 1?"
)
def test_several_at_a_time(student, exported, rng):
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
    graphs = graphs_of(exported, others)
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
            assert_close(getattr(graphs, name)(*pair), expected, f"within({tolerance})")


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
def test_configuration(student, exported, rng):
    """A metric can be made again from its configuration, and again from that one's."""
    y_true, y_pred, threshold = examples(rng, 250)
    name = f"f1_{rng.integers(1000)}"
    assert_serializable(student.StreamingF1(threshold=threshold, dtype="float64"), dtype="float64")
    metric = student.StreamingF1(threshold=threshold, name=name)
    for _ in range(2):
        config = as_json(metric)
        assert config.get("threshold") == threshold, f"after a trip through JSON, and from_config: {config}"
        metric = assert_serializable(metric, threshold=threshold, name=name)
    graphs = graphs_of(exported, {"again": (metric, [(y_true, y_pred)])})
    assert_close(fed(*graphs["again"], [(y_true, y_pred)])[0], [f1(y_true, y_pred, threshold)] * 2)


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
    metric, copy = student.StreamingF1(threshold=threshold), student.StreamingF1(threshold=threshold)
    first, rest = (y_true[:150], y_pred[:150]), (y_true[150:], y_pred[150:])
    graphs = exported.if_possible(
        update=(metric.update_state, [first]),
        take_over=(taking_over(metric, copy), [()]),
        update_copy=(copy.update_state, [rest]),
        result_of_copy=(copy.result, [()]),
    )
    graphs.update(*first)
    graphs.take_over()
    assert_close(graphs.result_of_copy(), f1(*first, threshold))
    graphs.update_copy(*rest)
    assert_close(graphs.result_of_copy(), f1(y_true, y_pred, threshold))


@in_worker
def reported(metrics, weighted, x, y, weight):
    """Return what a model that predicts its input reports: of two evaluations, and of two epochs with validation."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=metrics, weighted_metrics=[weighted], jit_compile=False)
    evaluations = [model.evaluate(x, y, sample_weight=weight, batch_size=128, verbose=0)[1:] for _ in range(2)]
    fitted = model.fit(x, y, batch_size=100, epochs=2, shuffle=False, validation_data=(x[:90], y[:90]), verbose=0)
    return evaluations, [fitted.history["f1"], fitted.history["val_f1"]]


@points(1)
@proves("compiles", "reset")
@hint("Keras resets a metric and runs it inside a graph. Is every step TensorFlow's, for every batch size?")
def test_evaluate(student, rng):
    """A compiled model reports the metrics for the whole epoch, time after time."""
    y_true, y_pred, threshold = examples(rng, 301)
    y_true = np.roll(y_true, 200)  # the first labels are zeros and ones
    tolerance, weight = int(rng.integers(20, 45)) / 64, rng.uniform(0.1, 3, size=301).astype("float32")
    metrics = [student.within(tolerance), student.StreamingF1(threshold=threshold, name="f1")]
    weighted = student.StreamingF1(threshold=threshold, name="weighted_f1")
    x, y = y_pred.reshape(-1, 1), y_true.reshape(-1, 1).astype("float32")
    evaluations, epochs = reported(metrics, weighted, x, y, weight)
    share, plain = (np.abs(y_true - y_pred) <= tolerance).mean(), f1(y_true, y_pred, threshold)
    assert_close(evaluations, [[share, plain, f1(y_true, y_pred, threshold, weight)]] * 2)
    assert_close(epochs, [[plain] * 2, [f1(y_true[:90], y_pred[:90], threshold)] * 2])
