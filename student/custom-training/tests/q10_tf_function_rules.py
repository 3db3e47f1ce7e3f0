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


@in_worker
def ops_in(fn: Any, *specs: Any) -> list[str]:
    """Return the names of all operations in the graph of `fn`, traced for `specs`, including nested functions.

    assert "While" in ops_in(student.running_totals, tf.TensorSpec([None], "float32"))
    """
    traced = fn if hasattr(fn, "get_concrete_function") else tf.function(fn)
    graph = traced.get_concrete_function(*specs).graph.as_graph_def()
    nodes = [*graph.node, *(node for body in graph.library.function for node in body.node_def)]
    return sorted({node.op for node in nodes})


import numpy as np



@points(1)
@hint("What draws the noise must be an operation. Where is the generator made, and where is it used?")
def test_noise_is_new(student, rng):
    """make_noisy's function adds new noise with every call."""
    x, noisy = rng.normal(size=3000).astype("float32"), student.make_noisy(int(rng.integers(1000)))
    first, second = np.asarray(noisy(x)) - x, np.asarray(noisy(x)) - x
    for noise in (first, second):
        told = f"expected standard normal noise, but its mean is {noise.mean():.2f}, its deviation {noise.std():.2f}"
        assert abs(noise.mean()) < 0.15 and abs(noise.std() - 1) < 0.15, told
    assert abs((first * second).mean()) < 0.15, "expected new noise with every call, but it is the same again"


def orbit(values, y):
    """Return the last y, in NumPy."""
    for v in values:
        y = v * y * (1 - y)
    return y


@points(1)
@hint("AutoGraph makes a loop of the graph's from `for v in values` or tf.range. range and len are Python's.")
def test_loop_in_the_graph(student, tf, rng):
    """logistic_orbit is right, and its graph has a loop."""
    for length in rng.choice(np.arange(2, 12), 2, replace=False).tolist():
        values, y = rng.uniform(2, 3, size=length).astype("float32"), np.float32(rng.uniform(0.1, 0.9))
        given = student.logistic_orbit(values, y)
        assert_close(given, orbit(values, y), f"That is logistic_orbit of {length} values.", rtol=1e-4)  # float32
    found = ops_in(student.logistic_orbit, tf.TensorSpec([None], "float32"), tf.TensorSpec([], "float32"))
    assert {"While", "StatelessWhile"} & set(found), f"expected a While in the graph, but it has only {found}"


@in_worker
def in_a_graph(function, batches, times):
    """Return what one traced function, which applies another so many times, gives for each batch."""
    traced = tf.function(function)

    def repeated(x):
        for _ in range(times):
            x = traced(x)
        return x

    graph = tf.function(repeated, autograph=False).get_concrete_function(tf.TensorSpec((None,), "float32"))
    return [graph(tf.constant(x)).numpy() for x in batches]


@points(1)
@hint("`self.calls += 1` runs while the layer is traced. What can the graph itself add to?")
def test_calls_are_counted(student, rng):
    """AuditedDouble counts every call: direct ones, and each of several in a graph whenever the graph runs."""
    layer, x = student.AuditedDouble(), rng.normal(size=(8, 4)).astype("float32")
    direct, times, runs = rng.integers(2, 9, size=3).tolist()
    for _ in range(direct):
        assert_close(layer(x[0]), 2 * x[0])
    assert_close(layer.calls, direct, f"That is `calls` after {direct} direct calls.")
    assert_close(in_a_graph(layer, list(x[:runs]), times), x[:runs] * 2**times)
    advice = f"That is `calls` after {direct} direct calls and {runs} runs of a graph with {times} calls in it."
    assert_close(layer.calls, direct + times * runs, advice)


@points(1)
@hint("AutoGraph turns `if` on a tensor into a condition of the graph's. What does bool() ask for?")
def test_both_branches(student, rng):
    """One trace of limit_to_one serves vectors that are too large and vectors that are not."""
    large, small = rng.uniform(2, 9, size=5).astype("float32"), rng.uniform(-0.9, 0.9, size=7).astype("float32")
    large[rng.integers(5)] *= -2
    given = in_a_graph(student.limit_to_one, [large, small, -large], 1)
    assert_close(given[0], large / np.abs(large).max(), f"That is limit_to_one({large.round(2)}).")
    assert_close(given[1], small, f"That is limit_to_one({small.round(2)}).")
    assert_close(given[2], -large / np.abs(large).max(), f"That is limit_to_one({-large.round(2)}).")
    assert_close(student.limit_to_one(large), given[0], "That is limit_to_one called directly.")


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


name = "q10_tf_function_rules"
