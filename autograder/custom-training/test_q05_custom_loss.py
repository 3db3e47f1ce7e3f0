"""Hidden checks: what a custom loss must survive in practice."""

import numpy as np

from gradetape.checks import (
    assert_close,
    assert_grads_flow,
    assert_learns,
    assert_serializable,
    hint,
    in_worker,
    points,
)


def pinball(quantile, y_true, y_pred):
    """Return the quantile loss of each example, in NumPy."""
    error = y_true.astype("float64") - y_pred
    return np.maximum(quantile * error, (quantile - 1) * error).mean(axis=-1)


@points(1)
@hint("For a large x, cosh(x) is almost exp(|x|) / 2. And tf.where takes the gradient through both branches.")
def test_log_cosh_of_large_errors(student, rng):
    """log_cosh is right for very large errors, and so is its gradient."""
    error = rng.choice([-1, 1], size=(5, 2)) * rng.uniform(5e3, 1e4, size=(5, 2))
    y_true, y_pred = np.zeros((5, 2), "float32"), error.astype("float32")
    assert_close(student.log_cosh(y_true, y_pred), (np.abs(error) - np.log(2)).mean(axis=-1))
    assert_close(assert_grads_flow(student.log_cosh, y_true, y_pred), np.sign(error) / 2)


@points(1)
@hint("Compute log(2) rather than rounding it. What is the gradient of each step at an error of exactly 0?")
def test_log_cosh_of_small_errors(student, rng):
    """log_cosh is right for very small errors, and so is its gradient, even where there is no error at all."""
    error = rng.choice([-1, 1], size=(6, 2)) * rng.uniform(1e-3, 3e-3, size=(6, 2))
    error[rng.integers(6)] = 0
    y_true, y_pred = np.zeros((6, 2), "float32"), error.astype("float32")
    expected = np.log(np.cosh(error)).mean(axis=-1)
    assert_close(student.log_cosh(y_true, y_pred), expected, atol=3e-7)  # float32 knows log(2) to 6e-8
    assert_close(assert_grads_flow(student.log_cosh, y_true, y_pred), np.tanh(error) / 2)


@points(1)
@hint("Hand `kwargs` to the base class, and let `call` keep one number per example: the base class does the rest.")
def test_reductions_and_weights(student, rng):
    """Every reduction works, with a weight for each example."""
    quantile, weight = float(rng.uniform(0.1, 0.9)), rng.uniform(0.1, 3, size=8).astype("float32")
    y_true, y_pred = rng.normal(size=(2, 8, 3)).astype("float32")
    costs = weight * pinball(quantile, y_true, y_pred)
    for reduction, expected in (("none", costs), ("sum", costs.sum()), ("sum_over_batch_size", costs.mean())):
        loss = student.QuantileLoss(quantile=quantile, reduction=reduction)
        assert_close(loss(y_true, y_pred, sample_weight=weight), expected)


@points(1)
@hint("get_config returns the base class's configuration with the quantile added to it.")
def test_configuration(student, rng):
    """A loss can be made again from its configuration."""
    quantile, name = float(rng.uniform(0.6, 0.95)), f"loss_{rng.integers(1000)}"
    y_true, y_pred = rng.normal(size=(2, 8, 1)).astype("float32")
    loss = student.QuantileLoss(quantile=quantile, name=name, reduction="sum")
    again = assert_serializable(loss, quantile=quantile, name=name, reduction="sum")
    assert_close(again(y_true, y_pred), pinball(quantile, y_true, y_pred).sum())


@points(1)
@hint("A loaded model makes its loss from get_config: what is not in it falls back to its default in silence.")
def test_saved_with_its_model(student, keras, rng, worker_tmp_path):
    """The quantile is saved and loaded with a model."""
    quantile = float(rng.uniform(0.6, 0.95))
    y_true, y_pred = rng.normal(size=(2, 8, 1)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(loss=student.QuantileLoss(quantile=quantile), optimizer="sgd")
    model.save(worker_tmp_path / "model.keras")
    names = {"QuantileLoss": student.QuantileLoss}
    again = keras.models.load_model(worker_tmp_path / "model.keras", custom_objects=names)
    assert_close(again.loss(y_true, y_pred), pinball(quantile, y_true, y_pred).mean())


@in_worker
def constant_model(loss, start):
    """Build a model that predicts one number whatever it is given, `start` at first."""
    bias = keras.initializers.Constant(start)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, bias_initializer=bias)])
    model.compile(loss=loss, optimizer=keras.optimizers.SGD(0.2), jit_compile=False)
    return model


@points(1)
@hint("The loss runs inside a graph when a model trains: does every step of it stay with TensorFlow's operations?")
def test_learns_a_quantile(student, rng):
    """A model that trains on the loss learns the quantile of a skewed sample."""
    quantile, start = float(rng.uniform(0.6, 0.85)), float(rng.uniform(-50, 50))
    sample = (start + rng.exponential(size=(200, 1))).astype("float32")
    model = constant_model(student.QuantileLoss(quantile=quantile), start)
    assert_learns(model, np.zeros_like(sample), sample, steps=300)
    learned = np.asarray(model(np.zeros((1, 1), "float32")))
    covered = (sample <= learned).mean()
    assert abs(covered - quantile) < 0.05, f"the model is above {covered:.0%} of the sample, not {quantile:.0%}"
