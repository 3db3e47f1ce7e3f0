"""The public checks of one question, written by `gradetape release`: first the code that runs them, then the checks."""

from __future__ import annotations

import inspect
import linecache
import tempfile
import traceback
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from otter.test_files import test_case
from tensorflow import keras

InvalidArgumentError = tf.errors.InvalidArgumentError
MESSAGE_LENGTH = 2000


def points(value: float) -> Callable[[Any], Any]:
    """Set the points of a check."""
    return _mark(points=value)


def hint(text: str) -> Callable[[Any], Any]:
    """Set what the student reads when the check does not pass."""
    return _mark(hint=text)


def limit(*_: Any, **__: Any) -> Callable[[Any], Any]:
    """Limit the check's time where it is graded; in the notebook there is no limit."""
    return _mark()


def gpu(check: Any) -> Any:
    """Require a GPU where the check is graded; in the notebook it runs on any device."""
    return check


def in_worker(function: Any) -> Any:
    """Run a function beside the student's code, which in the notebook is this process."""
    return function


def _mark(**marks: Any) -> Callable[[Any], Any]:
    def marked(check: Any) -> Any:
        vars(check).update(marks)
        return check

    return marked


class NotDefined(BaseException):
    """The notebook does not define a name. Not an Exception, so that no check catches it by mistake."""


class Student:
    """The names that the notebook defines."""

    def __init__(self, notebook: dict[str, Any]) -> None:
        self._notebook = notebook

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._notebook:
            raise NotDefined(f"{name} is not defined yet: run the cell that defines it, then check again.")
        return self._notebook[name]


class PublicCheck(test_case):  # type: ignore[misc]
    """A check as otter runs it: titled by its docstring, reseeded, and with a short message when it fails."""

    def __init__(self, check: Callable[..., None]) -> None:
        title = " ".join((inspect.getdoc(check) or "").split("\n\n")[0].split())
        super().__init__(name=literal(title), points=vars(check).get("points", 0))
        self.test_func = check

    def __reduce__(self) -> Any:
        # Otter pickles its results, and this class is in no module from which another process could import it.
        return test_case, (self.name, self.points)

    def call_func(self, global_environment: dict[str, Any]) -> None:
        """Run the check on the notebook's names."""
        seed = zlib.crc32(self.test_func.__name__.encode())
        keras.utils.set_random_seed(seed)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            fixtures = fixtures_of(global_environment, seed, Path(folder))
            wanted = inspect.signature(self.test_func).parameters
            try:
                self.test_func(**{name: fixtures[name] for name in wanted})
            except (NotDefined, Exception) as error:
                # Otter shows the line of the third frame, so the traceback continues with the check's own frame.
                raise self.failure(error, global_environment).with_traceback(traceback_of(error)) from None

    def failure(self, error: BaseException, notebook: dict[str, Any]) -> Exception:
        """Return the error that otter shows as `label: text`."""
        label, text = explain(error, notebook)
        hint_text = vars(self.test_func).get("hint")
        lines = [text[:MESSAGE_LENGTH], *([f"Hint: {hint_text}"] if hint_text else [])]
        shown: type[Exception] = type(label, (Exception,), {})
        return shown(literal("\n".join(lines)))


def fixtures_of(notebook: dict[str, Any], seed: int, folder: Path) -> dict[str, Any]:
    """Return the fixtures of a check by name."""
    return {
        "student": Student(notebook),
        "keras": keras,
        "tf": tf,
        "rng": np.random.default_rng(seed),
        "worker_tmp_path": folder,
    }


def traceback_of(error: BaseException) -> Any:
    """Return an error's traceback without its first frame, which is this file's."""
    own = error.__traceback__
    return own and (own.tb_next or own)


def explain(error: BaseException, notebook: dict[str, Any]) -> tuple[str, str]:
    """Return what happened in a few words, and the message for the student."""
    own_lines = lines_of(error, notebook)
    described = f"{type(error).__name__}: {error}"
    if isinstance(error, NotDefined):
        return "Missing", str(error)
    if own_lines:
        return "Your code raised an error", "\n".join([described, *own_lines])
    if isinstance(error, AssertionError):
        return "Not yet", str(error).strip() or "the condition in the line above is false."
    return "The check could not continue", f"{described}\nDoes your code return what the question asks for?"


def lines_of(error: BaseException, notebook: dict[str, Any]) -> list[str]:
    """Return the lines of an error's traceback that are the notebook's own."""
    return [
        f"    line {number} of the cell, in {frame.f_code.co_name}: "
        + linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
        for frame, number in traceback.walk_tb(error.__traceback__)
        if frame.f_globals is notebook
    ]


def literal(text: str) -> str:
    """Keep angle brackets and ampersands readable: otter inserts the text into a page unescaped."""
    return text.replace("<", "<\u2060").replace("&", "&\u2060")


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


def fill_weights(layer: Any, rng: Any, *shapes: tuple[int, ...]) -> list[Any]:
    """Assert that a built layer or model has trainable weights of exactly these shapes, and fill them at random.

    The shapes must differ. Returns the numbers in the order of the shapes:

    kernel, bias = fill_weights(keras.layers.Dense(1), rng, (3, 1), (1,))
    """
    found, numbers = _shapes_trained(layer), {shape: rng.normal(size=shape).astype("float32") for shape in shapes}
    wanted = ", ".join(map(str, shapes))
    given = ", ".join(map(str, found)) or "none"
    assert sorted(found) == sorted(shapes), f"expected trainable weights of shapes {wanted}, but found {given}"
    _fill(layer, [numbers[shape] for shape in found])
    return list(numbers.values())


@in_worker
def _shapes_trained(layer: Any) -> Any:
    return [tuple(weight.shape) for weight in layer.trainable_weights]


@in_worker
def _fill(layer: Any, values: Any) -> None:
    for weight, value in zip(layer.trainable_weights, values, strict=True):
        weight.assign(value)


import numpy as np



@in_worker
def linear_model(n):
    """Build a model whose wide and deep layers are both linear, so that NumPy can follow its training."""
    inputs = keras.Input((n,))
    parts = [keras.layers.Dense(1, name=name)(inputs) for name in ("wide", "deep")]
    return keras.Model(inputs, keras.layers.add(parts))


def draw(rng, tf, sizes):
    """Draw batches of these sizes, and a dataset that gives them: the first ones are of one size."""
    x, y = rng.normal(size=(sum(sizes), int(rng.integers(3, 7)))), rng.normal(size=(sum(sizes), 1))
    x, y, cuts = x.astype("float32"), y.astype("float32"), np.cumsum(sizes)[:-1]
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(sizes[0])
    return list(zip(np.split(x, cuts), np.split(y, cuts), strict=True)), dataset


def fill_parts(model, n, rng):
    """Fill both linear layers; return each as one column, the bias last."""
    return [np.vstack(fill_weights(model.get_layer(name), rng, (n, 1), (1,))) for name in ("wide", "deep")]


def descend(batches, wide, deep, wide_rate, deep_rate):
    """Return the loss of each step, and both parts after the last, when each goes down the gradient at its own rate."""
    losses = []
    for x, y in batches:
        x = np.hstack([x, np.ones((len(x), 1))])
        error = x @ (wide + deep) - y
        losses.append((error**2).mean())
        slope = 2 * x.T @ error / len(x)
        wide, deep = wide - wide_rate * slope, deep - deep_rate * slope
    return losses, wide, deep


@points(1)
@hint("Both layers see all features. Are the names right, and is only the hidden layer not linear?")
def test_wide_and_deep(student, rng):
    """The model adds up a linear layer and a small network."""
    n = int(rng.integers(3, 8))
    model, x = student.build_wide_and_deep(n), rng.normal(size=(6, n)).astype("float32")
    kernel, bias = fill_weights(model.get_layer("wide"), rng, (n, 1), (1,))
    hidden, hidden_bias, last, last_bias = fill_weights(model.get_layer("deep"), rng, (n, 16), (16,), (16, 1), (1,))
    deep = np.maximum(x @ hidden + hidden_bias, 0) @ last + last_bias
    assert_close(model(x), x @ kernel + bias + deep, f"That is build_wide_and_deep({n}).", atol=1e-4)  # float32 sums


@points(2)
@hint("Take the gradients for both lists of variables from one tape. Which optimizer gets which list?")
def test_each_optimizer_moves_its_part(student, keras, tf, rng):
    """Each optimizer moves its own part, in the right direction and as far as it should, and the other part rests."""
    batches, dataset = draw(rng, tf, [8, 8, 8])
    n, rate = batches[0][0].shape[1], float(rng.uniform(0.02, 0.1))
    for rates in ((rate, 0.0), (0.0, rate)):
        model = linear_model(n)
        _, *expected = descend(batches, *fill_parts(model, n, rng), *rates)
        given = student.train(model, dataset, 1, *(keras.optimizers.SGD(each) for each in rates))
        assert len(given) == 1 and given[0] > 0, f"expected the loss of one epoch, but train returned {given!r}"
        for name, part in zip(("wide", "deep"), expected, strict=True):
            given = np.vstack([np.asarray(weight) for weight in model.get_layer(name).trainable_weights])
            assert_close(given, part, f"That is {name}, after learning rates {rates} for wide and deep.", rtol=1e-4)


@points(1)
@hint("Where does the mean begin anew? Is it the loss before the update, and does a short batch count as one step?")
def test_loss_of_each_epoch(student, keras, tf, rng):
    """`train` returns the mean loss of the steps of each epoch."""
    batches, dataset = draw(rng, tf, [8, 8, 3])
    n, rates = batches[0][0].shape[1], rng.uniform(0.02, 0.1, size=2).tolist()
    model = linear_model(n)
    losses, *_ = descend(batches * 3, *fill_parts(model, n, rng), *rates)
    given = student.train(model, dataset, 3, *(keras.optimizers.SGD(rate) for rate in rates))
    assert isinstance(given, list), f"expected a list, but train returned {given!r}"
    assert_close(given, np.reshape(losses, (3, 3)).mean(axis=1), "That is three epochs of three batches.", rtol=1e-4)
    assert all(isinstance(loss, float) for loss in given), f"expected Python floats, but the list is {given!r}"


OK_FORMAT = False
# Otter looks for a number in a global `points`; here each check has its own points.
globals().update(
    {
        key: PublicCheck(value)
        for key, value in globals().items()
        if key.startswith("test") and inspect.isfunction(value)
    },
    points=None,
)


name = "q08_training_loop"
