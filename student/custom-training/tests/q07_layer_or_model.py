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



def draw(rng, batch):
    """Draw inputs of a random width, a number of units that is not that width, and a scale."""
    x = rng.normal(size=(batch, int(rng.integers(3, 8)))).astype("float32")
    return x, int(rng.integers(9, 14)), float(rng.uniform(0.2, 2))


def two_layers(x, kernel, bias, kernel_2, bias_2):
    """Return what a dense layer with ReLU and one without activation make of the inputs, in NumPy."""
    return np.maximum(x.astype("float64") @ kernel + bias, 0) @ kernel_2 + bias_2


@points(1)
@hint("Which layer brings the branch back to the width of the inputs? It is n wide, not `units`.")
def test_residual(student, rng):
    """Outside training ScaledResidual adds its scaled branch to the inputs."""
    x, units, scale = draw(rng, 6)
    n, layer = x.shape[1], student.ScaledResidual(units, scale, 0.5)
    layer(x)
    weights = fill_weights(layer, rng, (n, units), (units,), (units, n), (n,))
    expected = x + scale * two_layers(x, *weights)
    advice = f"That is ScaledResidual({units}, {scale:.3f}, 0.5) of inputs of shape {x.shape}."
    assert_close(layer(x), expected, advice, atol=1e-4)  # float32 sums over the units


@points(1)
@hint("What is dropped, the branch or the sum? And who tells the dropout layer whether this is training?")
def test_dropout_in_training(student, rng):
    """In training, and only there, dropout thins out the branch."""
    x, units, scale = draw(rng, 300)
    n, rate = x.shape[1], float(rng.uniform(0.2, 0.6))
    layer = student.ScaledResidual(units, scale, rate)
    layer(x)
    branch = scale * two_layers(x, *fill_weights(layer, rng, (n, units), (units,), (units, n), (n,)))
    given = np.asarray(layer(x, training=True))
    dropped = given == x
    expected = np.where(dropped, x, x + branch / (1 - rate))
    assert_close(given, expected, f"That is rate={rate:.3f} and training=True.", atol=1e-4)  # float32 sums
    assert abs(dropped.mean() - rate) < 0.08, f"with rate={rate:.3f} a share of {dropped.mean():.3f} was dropped"
    assert_close(layer(x, training=False), x + branch, "That is training=False.", atol=1e-4)


@points(1)
@hint("The mean runs over all numbers of the batch, and add_loss takes it times the weight.")
def test_prediction_and_losses(student, rng):
    """ReconstructingRegressor returns its prediction and adds the weighted reconstruction loss."""
    x, units, weight = draw(rng, 20)
    n, model = x.shape[1], student.ReconstructingRegressor(units, weight=weight)
    model(x)
    hidden, bias, *rest = fill_weights(model, rng, (n, units), (units,), (units, 1), (1,), (units, n), (n,))
    expected = two_layers(x, hidden, bias, *rest[:2])
    assert_close(model(x), expected, "That is the prediction.", atol=1e-4)  # float32 sums over the units
    error = ((two_layers(x, hidden, bias, *rest[2:]) - x) ** 2).mean()
    advice = f"That is the sum of model.losses with weight={weight:.3f}."
    assert_close(sum(float(loss) for loss in model.losses), weight * error, advice, rtol=1e-4)


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


name = "q07_layer_or_model"
