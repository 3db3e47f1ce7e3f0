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


import numpy as np



def f1(y_true, y_pred, threshold):
    """Return the F1 of all examples, in NumPy."""
    predicted, actual = y_pred > threshold, y_true == 1
    return 2 * (predicted & actual).sum() / (predicted.sum() + actual.sum())


def examples(rng, count):
    """Draw labels in rising order, scores, and a threshold, far from 0.5, that no score equals."""
    y_true = np.sort(rng.integers(0, 2, size=count))
    y_pred = rng.integers(0, 64, size=count) / 64 + 1 / 128
    return y_true, y_pred.astype("float32"), float(0.5 + rng.choice([-1, 1]) * rng.integers(12, 21) / 64)


@points(1)
@hint("Is an error as large as the tolerance still within it? Over which axis is the mean taken?")
def test_within_gives_each_example_its_share(student, rng):
    """The function that within returns gives one right number per example."""
    tolerance = int(rng.integers(1, 8)) / 8
    y_true, y_pred = (rng.integers(-8, 9, size=(2, 10, 3)) / 8).astype("float32")
    y_pred[0] = y_true[0] + tolerance
    expected = (np.abs(y_true - y_pred) <= tolerance).mean(axis=-1)
    given = student.within(tolerance)(y_true, y_pred)
    assert_close(given, expected, f"That is within({tolerance}) of inputs of shape (10, 3).")


@points(1)
@hint("What does a score that equals the threshold predict? Does (n, 1) work as well as (n,)?")
def test_f1_of_one_batch(student, rng):
    """StreamingF1 is right for a single batch."""
    y_true, y_pred, threshold = examples(rng, 300)
    y_pred[:50] = threshold
    expected = f1(y_true, y_pred, threshold)
    metric = student.StreamingF1(threshold=threshold)
    metric.update_state(y_true, y_pred)
    assert_close(metric.result(), expected, f"That is threshold={threshold} and shape (300,).")
    metric = student.StreamingF1(threshold=threshold)
    metric.update_state(y_true.reshape(-1, 1).astype("float32"), y_pred.reshape(-1, 1))
    assert_close(metric.result(), expected, f"That is threshold={threshold} and shape (300, 1).")


@points(2)
@hint("Add up counts over the batches, and divide only in `result`.")
def test_same_for_every_split(student, rng):
    """However the examples are split into batches, the F1 is that of all of them."""
    y_true, y_pred, threshold = examples(rng, 400)
    expected = f1(y_true, y_pred, threshold)
    assert_streams(lambda: student.StreamingF1(threshold=threshold), y_true, y_pred, expected, rng)


@points(1)
@hint("Which of your metric's counts does the reset set to zero? The base class knows those that add_weight made.")
def test_reset_between_epochs(student, keras, rng):
    """After a reset the metric remembers nothing of the epoch before."""
    metric = student.StreamingF1()
    for reset in ["reset_state"] if hasattr(keras, "ops") else ["reset_state", "reset_states"]:
        before, after = examples(rng, 200), examples(rng, 300)
        metric.update_state(*before[:2])
        getattr(metric, reset)()
        metric.update_state(*after[:2])
        assert_close(metric.result(), f1(*after[:2], 0.5), f"That is the F1 of the examples after {reset}().")
        getattr(metric, reset)()


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


name = "q06_streaming_metric"
