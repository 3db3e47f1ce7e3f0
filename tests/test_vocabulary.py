"""The vocabulary of checks: each assertion accepts correct code and refuses wrong code, with a message that helps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gradetape.checks import assert_close, raises, vocabulary
from gradetape.remote.functions import default_worker


class Here:
    """A worker in this process, as in a notebook: real TensorFlow objects, and no sandbox."""

    def __init__(self) -> None:
        self.tf = pytest.importorskip("tensorflow")

    def ask(self, op: str, *args: Any) -> Any:
        function, positional, named = args
        names = {"tf": self.tf, "keras": self.tf.keras, "np": np}
        exec(function.gradetape_source().text, names)
        return names[function.__name__](*positional, **named)


@pytest.fixture
def tf() -> Iterator[Any]:
    here = Here()
    with default_worker(lambda: here):
        yield here.tf


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_raises_lets_the_expected_exception_pass_in_silence() -> None:
    with raises(ValueError, KeyError, "either will do"):
        raise KeyError("x")


def test_raises_says_what_was_expected_when_nothing_happens() -> None:
    message = r"expected a ValueError or KeyError \(no quantile\), but nothing was raised"
    with pytest.raises(AssertionError, match=message), raises(ValueError, KeyError, "no quantile"):
        pass


def test_raises_leaves_other_exceptions_alone() -> None:
    with pytest.raises(TypeError), raises(ValueError):
        raise TypeError


def test_close_numbers_pass() -> None:
    assert_close(np.float32([0.1, 0.2]), [0.1, 0.2])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1.0, 2.5], r"expected 2 at index \[1\], but your code gave 2.5. Look here."),
        ([1.0, np.nan], "gave nan"),
        (1.5, r"expected shape \(2,\), but your code gave \(\). Look here."),
        (None, "expected numbers, but your code gave None. Look here."),
        ("12", "expected numbers, but your code gave '12'"),
        ([[1.0], [2.0, 3.0]], "expected numbers"),
    ],
)
def test_what_is_not_close_is_reported_with_advice(given: object, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert_close(given, [1.0, 2.0], "Look here.")


def test_a_configuration_must_tell_what_was_set(tf: Any) -> None:
    dropout = tf.keras.layers.Dropout(0.25, name="d")
    assert vocabulary.assert_serializable(dropout, rate=0.25, name="d").rate == 0.25
    with pytest.raises(AssertionError, match="expected get_config"):
        vocabulary.assert_serializable(dropout, rate=0.5)
    with pytest.raises(AssertionError, match="to have the key 'units'"):
        vocabulary.assert_serializable(dropout, units=3)


def test_gradients_come_back_as_numbers(tf: Any) -> None:
    x = np.float32([1, 2])
    np.testing.assert_allclose(vocabulary.assert_grads_flow(tf.multiply, x, x), x)


def test_a_gradient_that_is_missing_or_infinite_is_refused(tf: Any) -> None:
    with pytest.raises(AssertionError, match="none flows"):
        vocabulary.assert_grads_flow(np.square, np.float32([1, 2]))
    with pytest.raises(AssertionError, match="finite gradient, but it holds inf"):
        vocabulary.assert_grads_flow(tf.math.log, np.float32([0, 1]))


@pytest.mark.parametrize(("rate", "learns"), [(0.1, True), (0.0, False)])
def test_a_model_learns_only_if_its_loss_falls(tf: Any, rate: float, learns: bool) -> None:
    keras = tf.keras
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(rate), jit_compile=False)
    x = np.ones((4, 1), "float32")
    if learns:
        vocabulary.assert_learns(model, x, 9 * x, steps=10)
    else:
        with pytest.raises(AssertionError, match="expected the loss to fall"):
            vocabulary.assert_learns(model, x, 9 * x, steps=10)


class MeanOfBatches:
    """Averages batches, however long they are."""

    def __init__(self) -> None:
        self.means: list[float] = []

    def update_state(self, y_true: Any, y_pred: Any) -> None:
        self.means.append(float(np.mean(y_true == y_pred)))

    def result(self) -> float:
        return float(np.mean(self.means))


def test_a_metric_must_not_depend_on_the_batches(tf: Any, rng: np.random.Generator) -> None:
    y_true, y_pred = np.sort(rng.integers(0, 2, 40)), np.zeros(40, int)
    expected = float(np.mean(y_true == y_pred))
    vocabulary.assert_streams(tf.keras.metrics.Accuracy, y_true, y_pred, expected, rng)
    with pytest.raises(AssertionError, match="The examples came in batches of"):
        vocabulary.assert_streams(MeanOfBatches, y_true, y_pred, expected, rng)


def test_operations_are_found_in_nested_functions_too(tf: Any) -> None:
    @tf.function
    def outer(x: Any) -> Any:
        return tf.map_fn(tf.math.cosh, x)

    found = vocabulary.ops_in(outer, tf.TensorSpec((None,), "float32"))
    assert "Cosh" in found
    assert "Sinh" not in found
    assert vocabulary.ops_in(tf.math.sinh, tf.TensorSpec((), "float32")).count("Sinh") == 1


def test_weights_are_filled_and_handed_back_by_shape(tf: Any, rng: np.random.Generator) -> None:
    model = tf.keras.Sequential([tf.keras.layers.Dense(4), tf.keras.layers.BatchNormalization(scale=False)])
    model.build((None, 3))
    bias_and_shift = r"expected trainable weights of shapes \(3, 4\), \(4,\), but found \(3, 4\), \(4,\), \(4,\)"
    with pytest.raises(AssertionError, match=bias_and_shift):
        vocabulary.fill_weights(model, rng, (3, 4), (4,))
    bias, kernel = vocabulary.fill_weights(model.layers[0], rng, (4,), (3, 4))
    assert_close(model.layers[0](np.ones((1, 3), "float32")), kernel.sum(axis=0, keepdims=True) + bias)


def test_weights_of_the_same_shape_get_the_same_numbers(tf: Any, rng: np.random.Generator) -> None:
    model = tf.keras.Sequential([tf.keras.layers.Dense(1), tf.keras.layers.Dense(1)])
    model.build((None, 1))
    kernel, bias, *again = vocabulary.fill_weights(model, rng, (1, 1), (1,), (1, 1), (1,))
    assert [kernel, bias] == again
    assert [weight.numpy() for weight in model.trainable_weights] == [kernel, bias] * 2


def test_weights_of_a_layer_that_is_not_built_are_missed(tf: Any, rng: np.random.Generator) -> None:
    with pytest.raises(AssertionError, match="but found none"):
        vocabulary.fill_weights(tf.keras.layers.Dense(1), rng, (3, 1), (1,))


def test_a_tensor_has_the_dtype_and_the_numbers_that_are_due(tf: Any) -> None:
    vocabulary.assert_tensor(tf.range(3, dtype="int64"), np.arange(3, dtype="int64"))
    vocabulary.assert_tensor(tf.constant([1.0 + 1e-6]), np.float32([1]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda tf: np.arange(3, dtype="int64"), "expected a tensor, but your code gave array.* Look here."),
        (lambda tf: tf.Variable([0, 1, 2], dtype="int64"), "expected a tensor"),
        (lambda tf: tf.range(3), "expected dtype int64, but your code gave int32. Look here."),
        (lambda tf: tf.constant(["0", "1", "2"]), "expected numbers"),
        (lambda tf: tf.constant([0, 1, 2], "int64")[None], r"expected shape \(3,\)"),
        (lambda tf: tf.constant([1_000_000, 1, 2], "int64"), r"expected 0 at index \[0\]"),
    ],
)
def test_what_is_no_such_tensor_is_reported_with_advice(tf: Any, make: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        vocabulary.assert_tensor(make(tf), np.arange(3, dtype="int64"), "Look here.")


def test_integers_must_be_equal_however_large_they_are(tf: Any) -> None:
    with pytest.raises(AssertionError, match="at index"):
        vocabulary.assert_tensor(tf.constant([1_000_001]), np.int32([1_000_000]))
