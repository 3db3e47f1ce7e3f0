"""Assertions and helpers for checks of TensorFlow code.

All of them take handles in the judge and real objects in a notebook. Students receive parts of this file with their
public checks, so it is short and contains nothing secret. An `@in_worker` function finds `tf` in its globals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradetape.checks.marks import in_worker

tf: Any


@contextmanager
def raises(*wanted: type[Exception] | str) -> Iterator[None]:
    """Assert that the block raises one of the exceptions; a text among them describes what was expected.

    with raises(ValueError, "a quantile of 0 makes no sense"):
        student.QuantileLoss(quantile=0)
    """
    kinds = tuple(kind for kind in wanted if isinstance(kind, type))
    try:
        yield
    except kinds:
        return
    names = " or ".join(kind.__name__ for kind in kinds)
    reason = "".join(f" ({text})" for text in wanted if isinstance(text, str))
    raise AssertionError(f"expected a {names}{reason}, but nothing was raised")


def assert_close(given: object, expected: object, advice: str = "", rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """Assert that `given` has the shape of `expected` and close numbers; `advice` is added to the message otherwise.

    assert_close(student.log_cosh(y_true, y_pred), expected, "Take the mean over the last axis.")
    """
    wanted, numbers = np.asarray(expected), _as_numbers(given, advice)
    assert numbers.shape == wanted.shape, f"expected shape {wanted.shape}, but your code gave {numbers.shape}. {advice}"
    far_off = ~np.isclose(numbers, wanted, rtol, atol)
    if far_off.any():
        at = tuple(np.argwhere(far_off)[0].tolist())
        where = f" at index {list(at)}" if at else ""
        raise AssertionError(f"expected {wanted[at]:.7g}{where}, but your code gave {numbers[at]:.7g}. {advice}")


def _as_numbers(given: object, advice: str) -> Any:
    try:
        numbers = np.asarray(given)
    except (TypeError, ValueError):
        numbers = np.asarray(None)
    assert numbers.dtype.kind in "biuf", f"expected numbers, but your code gave {given!r}. {advice}"
    return numbers


def assert_serializable(obj: Any, **expected: object) -> Any:
    """Assert that `obj.get_config()` has the expected values; return the object that `from_config` makes from it.

    again = assert_serializable(student.QuantileLoss(quantile=0.8), quantile=0.8)
    """
    config, again = _rebuilt(obj)
    for key, value in expected.items():
        assert key in config, f"expected get_config() to have the key {key!r}, but it has only {sorted(config)}"
        same = np.isclose(config[key], value) if isinstance(value, float) else config[key] == value
        assert same, f"expected get_config() to give {value!r} for {key!r}, but it gives {config[key]!r}"
    return again


@in_worker
def _rebuilt(obj: Any) -> tuple[Any, Any]:
    config = obj.get_config()
    return config, type(obj).from_config(dict(config))


def assert_grads_flow(fn: Any, *inputs: Any) -> Any:
    """Assert that `fn(*inputs)` has a finite gradient with respect to its last input; return it as an array.

    slope = assert_grads_flow(student.log_cosh, y_true, y_pred)
    """
    slope = _slope(fn, inputs)
    assert slope is not None, "expected a gradient, but none flows: does every step of the computation use TensorFlow?"
    assert np.isfinite(slope).all(), f"expected a finite gradient, but it holds {slope[~np.isfinite(slope)][0]}"
    return slope


@in_worker
def _slope(fn: Any, inputs: Any) -> Any:
    tensors = [tf.convert_to_tensor(value) for value in inputs]
    with tf.GradientTape() as recording:
        recording.watch(tensors[-1])
        result = tf.convert_to_tensor(fn(*tensors))
    slope = recording.gradient(result, tensors[-1])
    return None if slope is None else tf.convert_to_tensor(slope).numpy()


def assert_learns(model: Any, x: Any, y: Any, steps: int = 200) -> None:
    """Assert that the loss of the compiled `model` falls over `steps` training steps, each on all of `x` and `y`.

    assert_learns(model, x, y, steps=300)
    """
    early, late = _two_epochs(model, x, y, steps)
    assert late < early, f"expected the loss to fall while the model trains, but it went from {early:.4g} to {late:.4g}"


@in_worker
def _two_epochs(model: Any, x: Any, y: Any, steps: int) -> Any:
    forever = tf.data.Dataset.from_tensors((x, y)).repeat()
    return model.fit(forever, steps_per_epoch=steps // 2, epochs=2, shuffle=False, verbose=0).history["loss"]


def assert_streams(new_metric: Callable[[], Any], y_true: Any, y_pred: Any, expected: float, rng: Any) -> None:
    """Assert that a metric gives `expected` over the examples, for several splits into batches.

    assert_streams(lambda: student.StreamingF1(threshold=0.3), y_true, y_pred, expected, rng)
    """
    for batches in (1, 2, 5):
        cuts = np.sort(rng.choice(np.arange(1, len(y_true)), batches - 1, replace=False))
        given = _fed(new_metric(), np.split(y_true, cuts), np.split(y_pred, cuts))
        sizes = np.diff([0, *cuts, len(y_true)]).tolist()
        advice = f"The examples came in batches of {sizes}; the result must not depend on the split."
        assert_close(given, expected, advice)


@in_worker
def _fed(metric: Any, y_true: Any, y_pred: Any) -> Any:
    for batch in zip(y_true, y_pred, strict=True):
        metric.update_state(*batch)
    return metric.result()


@in_worker
def ops_in(fn: Any, *specs: Any) -> list[str]:
    """Return the names of all operations in the graph of `fn`, traced for `specs`, including nested functions.

    assert "While" in ops_in(student.running_totals, tf.TensorSpec([None], "float32"))
    """
    traced = fn if hasattr(fn, "get_concrete_function") else tf.function(fn)
    graph = traced.get_concrete_function(*specs).graph.as_graph_def()
    nodes = [*graph.node, *(node for body in graph.library.function for node in body.node_def)]
    return sorted({node.op for node in nodes})


def assert_tensor(given: Any, expected: object, advice: str = "", rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """Assert that `given` is a tensor with the dtype, shape and numbers of `expected`; integers must be equal.

    assert_tensor(student.arange_like_numpy(5), np.arange(5, dtype="int64"))
    """
    wanted = np.asarray(expected)
    assert _is_tensor(given), f"expected a tensor, but your code gave {given!r}. {advice}"
    dtype = _as_numbers(given, advice).dtype
    assert dtype == wanted.dtype, f"expected dtype {wanted.dtype}, but your code gave {dtype}. {advice}"
    exact = wanted.dtype.kind in "biu"
    assert_close(given, wanted, advice, 0.0 if exact else rtol, 0.0 if exact else atol)


@in_worker
def _is_tensor(value: Any) -> bool:
    return isinstance(value, tf.Tensor)


def assert_each(
    fn: Any, cases: Any, expected: Callable[..., Any], advice: str = "", rtol: float = 1e-5, atol: float = 1e-6
) -> None:
    """Assert that `fn(*inputs)` is the tensor `expected(*inputs)` in each case; all run in one exchange.

    `cases` maps a description, which the message shows, to the inputs.

    assert_each(student.mean_of_rows, {"one row": (x[:1],), "no rows": (x[:0],)}, lambda x: x.mean(axis=1))
    """
    given = _results(fn, list(cases.values()), list(cases))
    for (case, inputs), result in zip(cases.items(), given, strict=True):
        assert_tensor(result, expected(*inputs), f"This is the case: {case}. {advice}", rtol, atol)


@in_worker
def _results(fn: Any, inputs: Any, names: Any) -> Any:
    results = []
    for name, values in zip(names, inputs, strict=True):
        try:
            results.append(fn(*values))
        except Exception as error:
            error.add_note(f"This is the case: {name}.")
            raise
    return results


def assert_distributed(sample: Any, cdf: Callable[[Any], Any], advice: str = "", alarm: float = 1e-9) -> None:
    """Assert that independent draws follow a continuous distribution, given its cumulative distribution function.

    The statistic is the largest distance between the sample's and the given function. A right sample exceeds
    sqrt(ln(2 / alarm) / (2 n)) with a probability below `alarm`: the inequality of Dvoretzky, Kiefer and Wolfowitz
    with the constant of Massart (1990). With the default and n = 100,000 the bound is 0.0103.

    assert_distributed(noise, lambda x: np.clip(x, 0, 1), "The noise is uniform in [0, 1).")
    """
    values = np.sort(_as_numbers(sample, advice), axis=None).astype("float64")
    steps, exact = np.arange(len(values) + 1) / len(values), np.asarray(cdf(values))
    distance = max(np.abs(exact - steps[1:]).max(), np.abs(exact - steps[:-1]).max())
    bound = np.sqrt(np.log(2 / alarm) / (2 * len(values)))
    assert distance <= bound, (
        f"expected numbers of another distribution: the distance is {distance:.3g}, at most {bound:.3g} is due to "
        f"chance. {advice}"
    )


def fill_weights(layer: Any, rng: Any, *shapes: tuple[int, ...]) -> list[Any]:
    """Assert that a built layer or model has trainable weights of exactly these shapes, and fill them at random.

    Weights of the same shape get the same numbers. Returns the numbers in the order of the shapes:

    kernel, bias = fill_weights(keras.layers.Dense(1), rng, (3, 1), (1,))
    """
    found, numbers = _shapes_trained(layer), {shape: rng.normal(size=shape).astype("float32") for shape in shapes}
    wanted = ", ".join(map(str, shapes))
    given = ", ".join(map(str, found)) or "none"
    assert sorted(found) == sorted(shapes), f"expected trainable weights of shapes {wanted}, but found {given}"
    _fill(layer, [numbers[shape] for shape in found])
    return [numbers[shape] for shape in shapes]


@in_worker
def _shapes_trained(layer: Any) -> Any:
    return [tuple(weight.shape) for weight in layer.trainable_weights]


@in_worker
def _fill(layer: Any, values: Any) -> None:
    for weight, value in zip(layer.trainable_weights, values, strict=True):
        weight.assign(value)
