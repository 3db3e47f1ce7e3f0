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


def assert_close(
    given: object, expected: object, advice: str = "", rtol: float | None = None, atol: float | None = None
) -> None:
    """Assert that `given` has the shape of `expected` and close values; `advice` is added to the message otherwise.

    Without tolerances, integers must be equal, and other numbers may differ by 1e-6 + 1e-5 |expected|. Only a NaN is
    close to a NaN. If text is expected, text or a tensor of strings must be equal to it.

    assert_close(student.log_cosh(y_true, y_pred), expected, "Take the mean over the last axis.")
    """
    found, wanted = _as_array(given), _as_array(expected)
    _assert_shape(given, found, wanted, advice)
    _assert_values(found, wanted, advice, rtol, atol)


def _as_array(value: Any) -> Any:
    """An array of numbers or of text; anything else becomes an array that holds None."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, NotImplementedError):
        return np.asarray(None)
    if array.dtype.name == "bfloat16":
        return array.astype("float32")
    if not _is_text(array):
        return array
    texts: Any = np.empty(array.shape, dtype=object)
    texts.flat = [text.decode(errors="replace") if isinstance(text, bytes) else text for text in array.ravel().tolist()]
    return texts


def _is_text(array: Any) -> bool:
    kind = array.dtype.kind
    return kind in "US" or (kind == "O" and all(isinstance(item, str | bytes) for item in array.ravel().tolist()))


def _assert_shape(given: object, found: Any, wanted: Any, advice: str) -> None:
    text = _is_text(wanted)
    if not (_is_text(found) if text else found.dtype.kind in "biuf"):
        raise AssertionError(f"expected {'text' if text else 'numbers'}, but your code gave {_named(given)}. {advice}")
    assert found.shape == wanted.shape, f"expected shape {wanted.shape}, but your code gave {found.shape}. {advice}"


def _assert_values(found: Any, wanted: Any, advice: str, rtol: float | None, atol: float | None) -> None:
    """Integers are compared as such: as floating-point numbers, 2**53 and 2**53 + 1 are equal."""
    floating = "f" in (found.dtype.kind, wanted.dtype.kind) or rtol is not None or atol is not None
    rtol, atol = 1e-5 if rtol is None else rtol, 1e-6 if atol is None else atol
    if floating and not _is_text(wanted):
        far_off = ~np.isclose(found.astype("float64"), wanted.astype("float64"), rtol, atol, equal_nan=True)
    else:
        far_off = np.asarray(found != wanted)
    if far_off.any():
        at = tuple(np.argwhere(far_off)[0].tolist())
        where = f" at index {list(at)}" if at else ""
        due, came = _told_apart(wanted[at], found[at], rtol, atol)
        raise AssertionError(f"expected {due}{where}, but your code gave {came}. {advice}")


def _told_apart(due: Any, came: Any, rtol: float, atol: float) -> tuple[str, str]:
    """Two values as text: seven digits, or as many as tell the numbers apart, and then by how much they may differ."""
    if isinstance(due, str):
        return _shortened(repr(due)), _shortened(repr(came))
    if not isinstance(due, float | np.floating) and not isinstance(came, float | np.floating):
        return str(due), str(came)
    due, came = float(due), float(came)
    if f"{due:.7g}" != f"{came:.7g}":
        return f"{due:.7g}", f"{came:.7g}"
    digits = next((number for number in range(8, 17) if f"{due:.{number}g}" != f"{came:.{number}g}"), 17)
    allowed = f"the difference is {abs(due - came):.2g}, and {atol + rtol * abs(due):.2g} is allowed"
    return f"{due:.{digits}g}", f"{came:.{digits}g}: {allowed}"


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 200 else f"{text[:120]} … {text[-60:]}"


def _named(value: Any) -> str:
    """What a value is, in a few words; of a tensor only its dtype and shape."""
    if isinstance(value, bool | int | float | np.generic):
        return f"{_shortened(repr(value))}, a plain number"
    if value is None or isinstance(value, str | bytes):
        return _shortened(repr(value))
    if isinstance(value, np.ndarray):
        with np.printoptions(threshold=6, edgeitems=2):
            return f"{_shortened(repr(value))}, a NumPy array"
    if type(value) in (list, tuple, dict):
        items = list(value.values() if isinstance(value, dict) else value)
        first = f", the first one {_named(items[0])}" if items else ""
        return f"a {type(value).__name__} of {len(items)}{first}"
    return str(_kind_of(value))


@in_worker
def _kind_of(value: Any) -> str:
    name = type(value).__name__
    if "KerasTensor" in name:
        return f"a symbolic Keras tensor of shape {value.shape}, which has no numbers"
    if isinstance(value, tf.Variable) or name == "Variable":
        return f"a variable of dtype {tf.as_dtype(value.dtype).name} and shape {tuple(value.shape)}"
    if isinstance(value, tf.Tensor):
        symbolic = "" if hasattr(value, "numpy") else "symbolic "
        unknown = "" if hasattr(value, "numpy") else ", which has no numbers outside its graph"
        return f"a {symbolic}tensor of dtype {value.dtype.name} and shape {value.shape}{unknown}"
    if isinstance(value, type):
        return f"the class {value.__name__} instead of an object of it"
    if callable(value) and hasattr(value, "__name__"):
        return f"the function {value.__name__}, which was not called"
    return f"an object of class {name}"


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


def assert_tensor(
    given: Any, expected: object, advice: str = "", rtol: float | None = None, atol: float | None = None
) -> None:
    """Assert that `given` is a tensor with the shape, dtype and values of `expected`; integers must be equal.

    Floating-point numbers are compared as by `assert_close`. If text is expected, the dtype must be string.

    assert_tensor(student.arange_like_numpy(5), np.arange(5, dtype="int64"))
    """
    _assert_tensor(given, _fetched(given), expected, advice, rtol, atol)


def _assert_tensor(
    given: Any, fetched: Any, expected: object, advice: str, rtol: float | None, atol: float | None
) -> None:
    is_tensor, values = fetched
    if not is_tensor:
        more = " A function without `return` gives None." if given is None else ""
        raise AssertionError(f"expected a tensor, but your code gave {_named(given)}. {advice}{more}")
    found, wanted = _as_array(values), _as_array(expected)
    _assert_shape(given, found, wanted, advice)
    due, came = (_dtype_name(np.asarray(array)) for array in (expected, values))
    assert came == due, f"expected dtype {due}, but your code gave {came}. {advice}"
    floating = "f" in found.dtype.kind
    _assert_values(found, wanted, advice, rtol if floating else None, atol if floating else None)


def _dtype_name(array: Any) -> str:
    return "string" if _is_text(array) else str(array.dtype.name)


@in_worker
def _fetched(value: Any) -> Any:
    """Return whether a value is a tensor with numbers, and the numbers; any other value comes back as it is."""
    if isinstance(value, tf.Tensor) and hasattr(value, "numpy"):
        return True, np.asarray(value.numpy(), dtype=object if value.dtype == tf.string else None)
    return False, value


def assert_each(
    fn: Any,
    cases: Any,
    expected: Callable[..., Any],
    advice: str = "",
    rtol: float | None = None,
    atol: float | None = None,
) -> None:
    """Assert that `fn(*inputs)` is the tensor `expected(*inputs)` in each case; all run in one exchange.

    `cases` maps a description, which the message shows, to the inputs.

    assert_each(student.mean_of_rows, {"one row": (x[:1],), "no rows": (x[:0],)}, lambda x: x.mean(axis=1))
    """
    results = _results(fn, _fetched, list(cases.values()), list(cases))
    for (case, inputs), result in zip(cases.items(), results, strict=True):
        about = f"This is the case: {case}. {advice}"
        _assert_tensor(result[1], result, expected(*inputs), about, rtol, atol)


@in_worker
def _results(fn: Any, fetched: Any, inputs: Any, names: Any) -> Any:
    results = []
    for name, values in zip(names, inputs, strict=True):
        try:
            results.append(fetched(fn(*values)))
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
    values = np.sort(_numbers(sample, advice), axis=None)
    steps, exact = np.arange(len(values) + 1) / len(values), np.asarray(cdf(values))
    distance = max(np.abs(exact - steps[1:]).max(), np.abs(exact - steps[:-1]).max())
    bound = np.sqrt(np.log(2 / alarm) / (2 * len(values)))
    assert distance <= bound, (
        f"expected numbers of another distribution: the distance is {distance:.3g}, at most {bound:.3g} is due to "
        f"chance. {advice}"
    )


def _numbers(sample: Any, advice: str) -> Any:
    array = _as_array(sample)
    if array.dtype.kind not in "biuf":
        raise AssertionError(f"expected numbers, but your code gave {_named(sample)}. {advice}")
    numbers = array.astype("float64")
    assert numbers.size, f"expected numbers, but your code gave none: the shape is {numbers.shape}. {advice}"
    assert np.isfinite(numbers).all(), (
        f"expected finite numbers, but your code gave {numbers[~np.isfinite(numbers)][0]}. {advice}"
    )
    return numbers


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
