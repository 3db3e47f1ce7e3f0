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


from collections.abc import Callable, Iterator


from contextlib import contextmanager


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


import numpy as np



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


name = "q05_custom_loss"
