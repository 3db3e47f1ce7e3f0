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


import numpy as np



@in_worker
def one_epoch(dataset, limit):
    """Return the batches of one epoch as arrays, but no more than `limit` of them."""
    return [(x.numpy(), y.numpy()) for x, y in dataset.take(limit)]


@points(1)
@hint("Slice the arrays, shuffle the examples, then batch them. What does `batch` do with those that remain?")
def test_an_epoch_in_batches(student, tf, rng):
    """Every epoch has each example once, with its label, in batches of which the last may be smaller."""
    size, full = rng.integers(4, 9, size=2).tolist()
    sizes = [size] * full + [int(rng.integers(1, size))]
    features, labels = rng.normal(size=(sum(sizes), 2)).astype("float32"), np.arange(sum(sizes))
    dataset = student.make_batches(features, labels, size, int(rng.integers(1000)))
    assert isinstance(dataset, tf.data.Dataset), f"expected a tf.data.Dataset, but your code gave {dataset!r}"
    for _ in range(3):
        batches = one_epoch(dataset, len(sizes) + 1)
        given = [len(x) for x, _ in batches]
        assert given == sizes, f"expected batches of {sizes}, but your dataset gives batches of {given}"
        x, y = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        assert_close(np.sort(y), labels, "These are the labels of one epoch, sorted.")
        assert_close(x, features[y], "These are the features of one epoch: does each label stay with its own?")


@in_worker
def curve(a, b):
    """Make the function sin(a x) + b x**3 of a tensor x."""
    return lambda x: tf.sin(a * x) + b * x**3


@points(1)
@hint("A tape records what happens to a tensor that it watches. A number is no tensor yet.")
def test_first_derivative(student, rng):
    """`derivative` is exact, for one number and for many."""
    a, b = rng.uniform(0.5, 2.0, size=2).tolist()
    for x in (rng.uniform(-2, 2, size=6).astype("float32"), float(rng.uniform(-2, 2))):
        expected = np.asarray(a * np.cos(a * np.float64(x)) + 3 * b * np.float64(x) ** 2, "float32")
        given = student.derivative(curve(a, b), x)
        assert_tensor(given, expected, f"That is the derivative of sin({a:.3f} x) + {b:.3f} x**3 at {x}.", atol=1e-5)


@points(1)
@hint("Which attributes of a tf.Module count as trainable? A tensor or an array does not.")
def test_affine(student, tf, rng):
    """Affine computes x @ kernel + bias for batches of any size, with two trainable variables."""
    kernel, bias = rng.normal(size=(3, 2)).astype("float32"), rng.normal(size=2).astype("float32")
    affine = student.Affine(kernel, bias)
    for size in rng.choice(np.arange(1, 20), 3, replace=False):
        x = rng.normal(size=(size, 3)).astype("float32")
        assert_tensor(affine(x), x @ kernel + bias, f"That is a batch of {size}.")
    assert isinstance(affine, tf.Module)
    count = len(affine.trainable_variables)
    assert count == 2, f"expected 2 trainable variables, but your module has {count}"
    assert_close(affine.kernel, kernel, "That is the attribute kernel.")
    assert_close(affine.bias, bias, "That is the attribute bias.")


@points(1)
@hint("Over which axis is the mean of a column? What is 0 / 0 in a column of equal values?")
def test_standardize(student, rng):
    """Each column gets mean 0 and standard deviation 1, and a column of equal values becomes 0."""
    x = rng.normal(2.0, 3.0, size=(9, 4)).astype("float32")
    x[:, 1] = rng.integers(1, 9)
    expected = (x - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
    assert_close(student.standardize(x), expected, "Column 1 holds equal values.", rtol=1e-4, atol=1e-5)


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


name = "q01_what_tensorflow_offers"
