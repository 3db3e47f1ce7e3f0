import numpy as np

from gradetape.checks import assert_close, assert_tensor, hint, in_worker, points, proves, raises


def pinball(quantile, y_true, y_pred):
    """Return the quantile loss of each example, in NumPy."""
    error = y_true.astype("float64") - y_pred
    return np.maximum(quantile * error, (quantile - 1) * error).mean(axis=-1).astype("float32")


@in_worker
def on_tensors(call, y_true, y_pred):
    """Return what a loss gives for two tensors."""
    return call(tf.constant(y_true), tf.constant(y_pred))


@points(1)
@proves("mean-of-log-cosh")
@hint("Over which axis is the mean taken, and which axis stays?")
def test_log_cosh_of_ordinary_errors(exported, rng):
    """log_cosh gives one right number per example."""
    y_true, y_pred = rng.normal(size=(2, 6, 3)).astype("float32")
    expected = np.log(np.cosh(y_pred.astype("float64") - y_true)).mean(axis=-1)
    given = exported.if_possible(log_cosh=[(y_true, y_pred)]).log_cosh(y_true, y_pred)
    assert_tensor(given, expected.astype("float32"), "That is log_cosh of inputs of shape (6, 3).")


@points(1)
@proves("quantile-costs", "one-per-example")
@hint("The error is y_true - y_pred. Which errors are weighted by the quantile? And over which axis is the mean?")
def test_quantile_loss_of_each_example(student, exported, rng):
    """QuantileLoss weighs predictions that are too low and too high differently, example by example."""
    y_true, y_pred = rng.normal(size=(2, 8, 2)).astype("float32")
    for quantile in rng.uniform((0.05, 0.6), (0.4, 0.95)).tolist():
        loss, advice = student.QuantileLoss(quantile=quantile), f"That is `call` with quantile={quantile:.3f}."
        call = exported.if_possible(call=(loss.call, [(y_true, y_pred)])).call
        given = on_tensors(call, y_true, y_pred)
        assert_tensor(given, pinball(quantile, y_true, y_pred), f"{advice} The inputs have the shape (8, 2).")
    call = exported.if_possible(call=(student.QuantileLoss().call, [(y_true, y_pred)])).call
    given = on_tensors(call, y_true, y_pred)
    assert_tensor(given, pinball(0.5, y_true, y_pred), "That is `call` of QuantileLoss(): its quantile is 0.5.")


@points(1)
@proves("base-class")
@hint(
    "Do `kwargs` reach the base class's __init__? It also takes the mean over the examples, unless it is told not to."
)
def test_reductions(student, exported, rng):
    """The base class reduces the costs of the examples, as its keyword arguments say."""
    quantile = float(rng.uniform(0.6, 0.95))
    y_true, y_pred = rng.normal(size=(2, 8, 2)).astype("float32")
    each = pinball(quantile, y_true, y_pred)
    due, given = {"none": each, "sum": each.sum()}, [(y_true, y_pred)]
    losses = {name: (student.QuantileLoss(quantile=quantile, reduction=name), given) for name in due}
    graphs = exported.if_possible(mean=(student.QuantileLoss(quantile=quantile), given), **losses)
    assert_close(graphs.mean(y_true, y_pred), each.mean(), "That is the mean over the examples, without `reduction`.")
    for reduction, expected in due.items():
        advice = f"That is QuantileLoss(quantile, reduction={reduction!r})."
        assert_close(getattr(graphs, reduction)(y_true, y_pred), expected, advice)


@points(1)
@proves("between-0-and-1")
@hint("Look at the quantile in __init__, before it is used. Are 0 and 1 themselves allowed? Is NaN?")
def test_quantiles_that_make_no_sense(student, rng):
    """A quantile must lie strictly between 0 and 1."""
    y_true, y_pred = rng.normal(size=(2, 4, 1)).astype("float32")
    given = student.QuantileLoss(quantile=0.5)(y_true, y_pred)
    assert_close(given, pinball(0.5, y_true, y_pred).mean(), "That is quantile=0.5, which is between 0 and 1.")
    beyond = float(rng.uniform(0.01, 0.99))
    for wrong in (0.0, 1.0, -beyond, 1.0 + beyond, 0, 1, float("inf"), -float("inf"), float("nan")):
        with raises(ValueError, f"QuantileLoss(quantile={wrong:.3g}) makes no sense"):
            student.QuantileLoss(quantile=wrong)
