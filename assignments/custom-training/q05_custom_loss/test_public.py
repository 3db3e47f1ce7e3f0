import numpy as np

from gradetape.checks import assert_close, hint, points, raises


def pinball(quantile, y_true, y_pred):
    """Return the quantile loss of each example, in NumPy."""
    error = y_true.astype("float64") - y_pred
    return np.maximum(quantile * error, (quantile - 1) * error).mean(axis=-1)


@points(1)
@hint("Over which axis is the mean taken, and which axis stays?")
def test_log_cosh_of_ordinary_errors(student, rng):
    """log_cosh gives one right number per example."""
    y_true, y_pred = rng.normal(size=(2, 6, 3)).astype("float32")
    expected = np.log(np.cosh(y_pred.astype("float64") - y_true)).mean(axis=-1)
    assert_close(student.log_cosh(y_true, y_pred), expected, "That is log_cosh of inputs of shape (6, 3).")


@points(2)
@hint("Which errors are weighted by the quantile, and which by one minus it? What does `call` return for each example?")
def test_quantile_loss_of_each_example(student, rng):
    """QuantileLoss weighs predictions that are too low and too high differently, example by example."""
    quantile = float(rng.uniform(0.6, 0.95))
    y_true, y_pred = rng.normal(size=(2, 8, 2)).astype("float32")
    each = pinball(quantile, y_true, y_pred)
    loss = student.QuantileLoss(quantile=quantile, reduction="none")
    assert_close(loss(y_true, y_pred), each, f"That is quantile={quantile:.3f} with reduction='none'.")
    loss = student.QuantileLoss(quantile=quantile)
    assert_close(loss(y_true, y_pred), each.mean(), f"That is quantile={quantile:.3f}, averaged over the examples.")
    expected = pinball(0.5, y_true, y_pred).mean()
    assert_close(student.QuantileLoss()(y_true, y_pred), expected, "That is QuantileLoss(): its quantile is 0.5.")


@points(1)
@hint("Look at the quantile in __init__, before it is used. Are 0 and 1 themselves allowed?")
def test_quantiles_that_make_no_sense(student, rng):
    """A quantile must lie strictly between 0 and 1."""
    quantile, beyond = rng.uniform(0.01, 0.99, size=2).tolist()
    y_true, y_pred = rng.normal(size=(2, 4, 1)).astype("float32")
    given = student.QuantileLoss(quantile=quantile)(y_true, y_pred)
    assert_close(given, pinball(quantile, y_true, y_pred).mean(), f"quantile={quantile:.3f} is a good one.")
    for wrong in (0.0, 1.0, -beyond, 1.0 + beyond):
        with raises(ValueError, f"QuantileLoss(quantile={wrong:.3f}) makes no sense"):
            student.QuantileLoss(quantile=wrong)
