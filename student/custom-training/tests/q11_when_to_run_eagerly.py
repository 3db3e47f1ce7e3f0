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
def make_rule(worth):
    """Return a function that adds up what the words of a text are worth, and counts its runs."""

    def rule(text):
        rule.runs += 1
        return sum(worth.get(word, 0.0) for word in text.split())

    rule.runs = 0
    return rule


def draw(rng, count):
    """Draw texts, what each word in them is worth, and the score of each text."""
    words = ["wunderbar", "sch\xf6n", "naja", "\xf6de", "\xfcbel"]
    worth = dict(zip(words, rng.normal(size=5).round(2).tolist(), strict=True))
    texts = [" ".join(rng.choice(words, size=rng.integers(1, 6))) for _ in range(count)]
    return texts, worth, np.array([[sum(worth[word] for word in text.split())] for text in texts])


@in_worker
def counting_model(step):
    """Return a linear model that adds `step` to its calls whenever its Python runs."""

    class Counting(keras.Model):
        def __init__(self):
            super().__init__()
            self.calls = 0
            self.dense = keras.layers.Dense(1)

        def call(self, inputs):
            self.calls += step
            return self.dense(inputs)

    return Counting()


@points(1)
@hint("texts.numpy() gives bytes, which .decode() turns into text. What is the shape of the scores?")
def test_rules_score_texts(student, tf, rng):
    """SentimentRules asks the rule about every text, and weighs its answer."""
    texts, worth, scores = draw(rng, int(rng.integers(3, 8)))
    rule = make_rule(worth)
    model = student.SentimentRules(rule)
    model(tf.constant(texts))
    kernel, bias = fill_weights(model, rng, (1, 1), (1,))
    before = rule.runs
    assert_close(model(tf.constant(texts)), scores @ kernel + bias, f"The first text was {texts[0]!r}.")
    runs = rule.runs - before
    assert runs == len(texts), f"expected {len(texts)} calls of the rule for {len(texts)} texts, but there were {runs}"


@points(1)
@hint("`fit` decides when it is compiled whether to run eagerly. Which argument of `compile` says so?")
def test_debugging_runs_python(student, tf, rng):
    """After compile_for_debugging, `fit` runs the model's Python for every batch and takes steps of Adam."""
    texts, worth, scores = draw(rng, 6)
    rule, y = make_rule(worth), rng.normal(size=(6, 1)).astype("float32")
    model = student.SentimentRules(rule)
    model(tf.constant(texts))
    kernel, bias = fill_weights(model, rng, (1, 1), (1,))
    assert student.compile_for_debugging(model) is model, "expected compile_for_debugging to return the model"
    dataset = tf.data.Dataset.from_tensor_slices((texts, y)).batch(6)
    loss = model.fit(dataset, shuffle=False, verbose=0).history["loss"][0]
    assert_close(loss, ((scores @ kernel + bias - y) ** 2).mean(), "That is the loss of the first step.", rtol=1e-4)
    moved = np.abs(np.asarray(model(tf.constant([""]))) - bias)
    assert_close(moved, [[0.01]], "So far does the first step of Adam(0.01) move the bias.", rtol=0.01)
    before = rule.runs
    model.fit(dataset.repeat(3), shuffle=False, verbose=0)
    runs = rule.runs - before
    assert runs == 18, f"expected 18 calls of the rule for 3 batches of 6, but there were {runs}"


@points(1)
@hint("How often does a traced model's Python run after the first epoch? Read model.calls before and after one.")
def test_calls_per_epoch(student, tf, rng):
    """calls_per_epoch measures an epoch after the warm-up, eager and traced."""
    batches, step = rng.integers(2, 9, size=2).tolist()
    x = rng.normal(size=(4 * batches, 3)).astype("float32")
    dataset = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(4)
    given = student.calls_per_epoch(counting_model(step), dataset)
    expected = {"eager": batches * step, "traced": 0}
    advice = f"There are {batches} batches, and each run of `call` adds {step}."
    assert given == expected, f"expected {expected}, but calls_per_epoch returned {given!r}. {advice}"


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


name = "q11_when_to_run_eagerly"
