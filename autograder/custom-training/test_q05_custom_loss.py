"""Hidden checks: what a custom loss must survive in practice."""

import numpy as np

from gradetape.checks import (
    assert_close,
    assert_grads_flow,
    assert_learns,
    assert_serializable,
    assert_tensor,
    hint,
    in_worker,
    points,
    proves,
)
from gradetape.checks.corners import shapes


def pinball(quantile, y_true, y_pred):
    """Return the quantile loss of each example, in NumPy."""
    error = y_true.astype("float64") - y_pred
    return np.maximum(quantile * error, (quantile - 1) * error).mean(axis=-1).astype("float32")


def log_cosh(y_true, y_pred):
    """Return the mean of log(cosh) over the last axis, in NumPy."""
    size = np.abs(y_pred.astype("float64") - y_true)
    return (size + np.log1p(np.exp(-2 * size)) - np.log(2)).mean(axis=-1).astype("float32")


def with_errors(rng, size):
    """Draw y_true, and y_pred whose errors have these sizes, of both signs and up to rounding; all of shape (n, 1)."""
    y_true = rng.normal(size=(2 * len(size), 1)).astype("float32")
    error = rng.permutation([*size, *-size])[:, np.newaxis]
    return y_true, (y_true + error).astype("float32")


@points(1)
@proves("large-errors")
@hint("For a large x, cosh(x) is almost exp(|x|) / 2. And tf.where takes the gradient through both branches.")
def test_log_cosh_of_large_errors(exported, rng):
    """log_cosh is right for errors from 1 to 10,000, and so is its gradient."""
    sizes = [*np.arange(1, 20, 0.5), *rng.uniform(20, 95, size=20), *10 ** rng.uniform(2, 4, size=10), 9998]
    y_true, y_pred = with_errors(rng, np.array(sizes) + rng.uniform(0, 0.5, size=len(sizes)))
    error = y_pred.astype("float64") - y_true
    graphs = exported.if_possible(log_cosh=[(y_true, y_pred)])
    assert_tensor(graphs.log_cosh(y_true, y_pred), log_cosh(y_true, y_pred))
    assert_close(assert_grads_flow(graphs.log_cosh, y_true, y_pred), np.tanh(error))


@points(1)
@proves("small-errors", "no-error")
@hint("Compute log(2) rather than rounding it. What is the gradient of each step at an error of exactly 0?")
def test_log_cosh_of_small_errors(exported, rng):
    """log_cosh is right for errors from 0.0005 to 1, and so is its gradient, even where there is no error at all."""
    sizes = [0.001, *10 ** rng.uniform(-3.3, -1, size=20), *np.arange(0.05, 1, 0.05), 0]
    y_true, y_pred = with_errors(rng, np.array(sizes))
    error = y_pred.astype("float64") - y_true
    graphs = exported.if_possible(log_cosh=[(y_true, y_pred)])
    # float32 knows log(2) to 6e-8
    assert_tensor(graphs.log_cosh(y_true, y_pred), log_cosh(y_true, y_pred), atol=3e-7)
    assert_close(assert_grads_flow(graphs.log_cosh, y_true, y_pred), np.tanh(error))


@in_worker
def on_tensors(fn, pairs):
    """Return the results for pairs of tensors."""
    return [fn(tf.constant(y_true), tf.constant(y_pred)) for y_true, y_pred in pairs]


@points(0.5)
@proves("mean-of-log-cosh", "last-axis-alone", "one-per-example")
@hint("Is it the last axis, whatever their number? And does an axis of size 1 stay?")
def test_every_shape(student, exported, rng):
    """The last axis, and no other, is averaged by log_cosh and by `call`, whatever the shape."""
    quantile = float(rng.uniform(0.1, 0.4))
    sizes = [shape for shape in shapes((1, 2, 3, 4)).values() if shape[-1]]
    pairs = [tuple(rng.uniform(-1.5, 1.5, size=(2, *shape)).astype("float32")) for shape in sizes]
    several = [pair for pair in pairs if pair[0].ndim > 1]
    loss = student.QuantileLoss(quantile=quantile)
    graphs = exported.if_possible(log_cosh=pairs, call=(loss.call, several))
    for pair, given in zip(pairs, on_tensors(graphs.log_cosh, pairs), strict=True):
        assert_tensor(given, log_cosh(*pair), f"log_cosh, shape {pair[0].shape}")
    for pair, given in zip(several, on_tensors(graphs.call, several), strict=True):
        assert_tensor(given, pinball(quantile, *pair), f"call, shape {pair[0].shape}")


@points(1)
@proves("quantile-costs", "base-class")
@hint("Hand `kwargs` to the base class, and let `call` keep one number per example: the base class does the rest.")
def test_reductions_and_weights(student, exported, rng):
    """Every reduction works, with a weight for each example, for any number of examples."""
    losses, due = {}, {}
    for count, quantile in ((8, float(rng.uniform(0.05, 0.45))), (1, float(rng.uniform(0.55, 0.95)))):
        weight = rng.uniform(0.1, 3, size=count).astype("float32")
        y_true, y_pred = rng.normal(size=(2, count, 3)).astype("float32")
        costs = weight * pinball(quantile, y_true, y_pred)
        for reduction, expected in (("none", costs), ("sum", costs.sum()), ("sum_over_batch_size", costs.mean())):
            loss = student.QuantileLoss(quantile, reduction=reduction)
            losses[f"{reduction}_of_{count}"] = loss, [(y_true, y_pred, weight)]
            due[f"{reduction}_of_{count}"] = expected
    graphs = exported.if_possible(**losses)
    for name, (_, [inputs]) in losses.items():
        assert_close(getattr(graphs, name)(*inputs), due[name], name)


@points(0.5)
@proves("several-losses")
@hint("What belongs to one loss is an attribute of `self`: an attribute of the class belongs to all of them.")
def test_several_losses(student, exported, rng):
    """Losses with different quantiles take turns, and none changes another."""
    quantiles = rng.uniform((0.05, 0.4, 0.7), (0.3, 0.6, 0.95)).tolist()
    losses = {f"loss_{number}": student.QuantileLoss(quantile=each) for number, each in enumerate(quantiles)}
    pairs = [tuple(rng.normal(size=(2, 8, 2)).astype("float32")) for _ in range(2)]
    graphs = exported.if_possible(**{name: (loss, pairs) for name, loss in losses.items()})
    for pair in pairs:
        for quantile, (name, loss) in zip(quantiles, losses.items(), strict=True):
            for each in (getattr(graphs, name), loss):
                assert_close(each(*pair), pinball(quantile, *pair).mean())


@in_worker
def as_json(loss):
    """Return the configuration of a loss after a trip through JSON, and after a loss was made from it."""
    import json

    config = json.loads(json.dumps(loss.get_config()))
    type(loss).from_config(config)
    return config


@points(1)
@proves("configuration")
@hint("get_config returns the base class's configuration with the quantile added to it, as a number that JSON knows.")
def test_configuration(student, exported, rng):
    """A loss can be made again from its configuration, and again from that one's."""
    name = f"loss_{rng.integers(1000)}"
    y_true, y_pred = rng.normal(size=(2, 8, 1)).astype("float32")
    for quantile in rng.uniform((0.05, 0.6), (0.4, 0.95)).tolist():
        loss = student.QuantileLoss(quantile=quantile, name=name, reduction="sum")
        for _ in range(2):
            config = as_json(loss)
            assert np.isclose(config.get("quantile", 0), quantile), (
                f"after a trip through JSON, and from_config: {config}"
            )
            loss = assert_serializable(loss, quantile=quantile, name=name, reduction="sum")
        graphs = exported.if_possible(loss=(loss, [(y_true, y_pred)]))
        assert_close(graphs.loss(y_true, y_pred), pinball(quantile, y_true, y_pred).sum())


@points(0.5)
@proves("saved")
@hint("A loaded model makes its loss from get_config: what is not in it falls back to its default in silence.")
def test_saved_with_its_model(student, exported, keras, rng, worker_tmp_path):
    """The quantile is saved and loaded with a model."""
    quantile = float(rng.uniform(0.6, 0.95))
    y_true, y_pred = rng.normal(size=(2, 8, 1)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(loss=student.QuantileLoss(quantile=quantile), optimizer="sgd")
    model.save(worker_tmp_path / "model.keras")
    names = {"QuantileLoss": student.QuantileLoss}
    again = keras.models.load_model(worker_tmp_path / "model.keras", custom_objects=names)
    graphs = exported.if_possible(loss=(again.loss, [(y_true, y_pred)]))
    assert_close(graphs.loss(y_true, y_pred), pinball(quantile, y_true, y_pred).mean())


@in_worker
def constant_model(loss, start):
    """Build a model that predicts one number whatever it is given, `start` at first."""
    bias = keras.initializers.Constant(start)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, bias_initializer=bias)])
    model.compile(loss=loss, optimizer=keras.optimizers.SGD(0.2), jit_compile=False)
    return model


@in_worker
def evaluated(model, y_true, weight):
    """Return the loss that `evaluate` reports; the last batch is short."""
    return model.evaluate(np.zeros_like(y_true), y_true, sample_weight=weight, batch_size=4, verbose=0)


@points(0.5)
@proves("log-cosh-compiles", "quantile-loss-compiles")
@hint("The loss runs inside a graph when a model trains: does every step of it stay with TensorFlow's operations?")
def test_learns_a_quantile(student, exported, tf, rng):
    """A model that trains on QuantileLoss learns the quantile of a skewed sample, and both losses can be evaluated."""
    quantile, start = float(rng.uniform(0.6, 0.85)), float(rng.uniform(-50, 50))
    sample = (start + rng.exponential(size=(200, 1))).astype("float32")
    column = tf.TensorSpec([None, 1], "float32")
    loss = student.QuantileLoss(quantile=quantile)
    graphs = exported.if_possible(loss=(loss.call, [column, column]), log_cosh=[column, column])
    model = constant_model(graphs.loss, start)
    assert_learns(model, np.zeros_like(sample), sample, steps=300)
    learned = np.asarray(model(np.zeros((1, 1), "float32")))
    covered = (sample <= learned).mean()
    assert abs(covered - quantile) < 0.05, f"the model is above {covered:.0%} of the sample, not {quantile:.0%}"
    y_true = (start + rng.uniform(1, 3, size=(10, 1))).astype("float32")
    weight = rng.uniform(0.1, 3, size=10).astype("float32")
    expected = (weight * pinball(quantile, y_true, np.repeat(learned, 10, axis=0))).mean()
    assert_close(evaluated(model, y_true, weight), expected)
    expected = (weight * pinball(quantile, y_true, np.full_like(y_true, start))).mean()
    assert_close(evaluated(constant_model(loss, start), y_true, weight), expected)
    expected = (weight * log_cosh(y_true, np.full_like(y_true, start))).mean()
    assert_close(evaluated(constant_model(graphs.log_cosh, start), y_true, weight), expected)
