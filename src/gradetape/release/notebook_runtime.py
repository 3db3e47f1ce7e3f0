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


def proves(*_: str) -> Callable[[Any], Any]:
    """Name the requirements of the prompt that a check proves."""
    return _mark()


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


# %% The checks are inserted here.

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
