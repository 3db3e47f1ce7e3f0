"""The vocabulary of checks: each assertion accepts correct code and refuses wrong code, with a message that helps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gradetape.checks import assert_close, assert_distributed, assert_each, assert_tensor, raises, vocabulary
from gradetape.errors import StudentError
from gradetape.remote.functions import default_worker
from gradetape.runtime.launch import LocalZygote
from gradetape.wire.operations import Operation
from tests.remote_sessions import OpenSession, open_session, started


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


STUDENT = """
import numpy as np, tensorflow as tf
from tensorflow import keras

def right(x): return tf.reduce_mean(tf.constant(x), axis=-1)
def squeezes(x): return tf.squeeze(right(x))
def loops(x): return tf.constant([sum(row) / len(row) for row in x.tolist()], tf.float32)
def returns_nothing(x): right(x)
def array(x): return right(x).numpy()
def python_number(x): return 0.5
def several(x): return [right(x), right(x)]
def symbolic(x): return keras.Input((3,))
def uncalled(x): return right
def a_class(x): return keras.layers.Dense
def layer(x): return keras.layers.Dense(1)
def variable(x): return tf.Variable(right(x))
def ragged(x): return tf.ragged.constant([[1.0], []])
def dictionary(x): return {"mean": right(x)}

def big(): return tf.zeros([100, 100])
def word(): return tf.constant(["é", "b"])
def flag(): return tf.constant([True, False])
def bfloat(): return tf.constant([1.0], tf.bfloat16)
def whole(n): return tf.constant([n], tf.int64)
seen = []
def graph_tensor():
    tf.function(lambda x: seen.append(x)).get_concrete_function(tf.TensorSpec([None]))
    return seen[0]
"""


@pytest.fixture(scope="module")
def zygote() -> Iterator[LocalZygote]:
    with started() as zygote:
        yield zygote


@pytest.fixture(params=["in the worker", "in a notebook"])
def student(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The functions above: as handles, and as a notebook's own, where everything runs in one process."""
    if request.param == "in the worker":
        with open_session(request.getfixturevalue("zygote"), STUDENT) as opened:
            opened.begin()
            yield opened.student
    else:
        names: dict[str, Any] = {}
        request.getfixturevalue("tf")
        exec(STUDENT, names)
        yield type("Names", (), {name: staticmethod(value) for name, value in names.items() if callable(value)})


def message_of(*args: Any, check: Any = assert_tensor, **named: Any) -> str:
    with pytest.raises(AssertionError) as refused:
        check(*args, **named)
    return str(refused.value).split("\nassert ")[0]  # what follows is pytest's own


MATRIX = np.arange(6, dtype="float32").reshape(2, 3)
RIGHT = MATRIX.mean(axis=1)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("returns_nothing", "None. Look here. A function without `return` gives None."),
        ("array", "array([1., 4.], dtype=float32), a NumPy array. Look here."),
        ("python_number", "0.5, a plain number. Look here."),
        ("several", "a list of 2, the first one a tensor of dtype float32 and shape (2,). Look here."),
        ("symbolic", "a symbolic Keras tensor of shape (None, 3), which has no numbers. Look here."),
        ("uncalled", "the function right, which was not called. Look here."),
        ("a_class", "the class Dense instead of an object of it. Look here."),
        ("layer", "an object of class Dense. Look here."),
        ("variable", "a variable of dtype float32 and shape (2,). Look here."),
        ("ragged", "an object of class RaggedTensor. Look here."),
        ("dictionary", "a dict of 1, the first one a tensor of dtype float32 and shape (2,). Look here."),
    ],
)
def test_what_is_no_tensor_gets_its_own_sentence(student: Any, name: str, what: str) -> None:
    message = message_of(getattr(student, name)(MATRIX), RIGHT, "Look here.")
    assert message == f"expected a tensor, but your code gave {what}"


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("returns_nothing", "None."),
        ("symbolic", "a symbolic Keras tensor of shape (None, 3), which has no numbers."),
        ("uncalled", "the function right, which was not called."),
        ("layer", "an object of class Dense."),
        ("dictionary", "a dict of 1, the first one a tensor of dtype float32 and shape (2,)."),
    ],
)
def test_what_holds_no_numbers_gets_its_own_sentence(student: Any, name: str, what: str) -> None:
    message = message_of(getattr(student, name)(MATRIX), RIGHT, check=assert_close)
    assert message == f"expected numbers, but your code gave {what} "


def test_a_tensor_of_a_graph_is_named(student: Any) -> None:
    what = "a symbolic tensor of dtype float32 and shape (None,), which has no numbers outside its graph. "
    assert message_of(student.graph_tensor(), [1.0]) == f"expected a tensor, but your code gave {what}"
    assert message_of(student.graph_tensor(), [1.0], check=assert_close).endswith(f"gave {what}")


@pytest.mark.parametrize("check", [assert_tensor, assert_close])
def test_large_tensors_are_never_printed(student: Any, check: Any) -> None:
    wanted = np.zeros((100, 100), "float32")
    wanted[3, 7] = 1
    assert message_of(student.big(), wanted, check=check) == "expected 1 at index [3, 7], but your code gave 0. "
    message = message_of(student.big(), np.full((100, 100), "a"), check=check)
    assert message == "expected text, but your code gave a tensor of dtype float32 and shape (100, 100). "
    assert len(message_of(np.zeros((100, 100)), wanted)) < 250
    assert len(message_of("x" * 3000, wanted, check=check)) < 300


def test_shapes_are_compared_first_and_then_dtypes(student: Any) -> None:
    integers = np.array([[1, 2]], "int64")
    assert message_of(student.right(MATRIX), integers).startswith("expected shape (1, 2), but your code gave (2,)")
    assert message_of(student.right(MATRIX), integers[0]).startswith("expected dtype int64, but your code gave float32")


def test_text_and_booleans_are_compared_and_shown(student: Any) -> None:
    for check in (assert_tensor, assert_close):
        check(student.word(), ["é", "b"])
        check(student.flag(), [True, False])
        message = message_of(student.word(), ["e", "b"], check=check)
        assert message == "expected 'e' at index [0], but your code gave 'é'. "
        message = message_of(student.flag(), [True, True], check=check)
        assert message == "expected True at index [1], but your code gave False. "
        assert message_of(student.flag(), ["a", "b"], check=check).startswith("expected text, but your code gave a")
    assert message_of(student.flag(), [1, 0]).startswith("expected dtype int64, but your code gave bool")
    assert message_of(student.word(), [0, 1]).startswith(
        "expected numbers, but your code gave a tensor of dtype string"
    )
    assert_close(["a", b"b"], ["a", "b"])
    assert_close("a", "a")


def test_bfloat16_counts_as_numbers(student: Any) -> None:
    assert_close(student.bfloat(), [1.0])
    assert message_of(student.bfloat(), np.float32([1])).startswith(
        "expected dtype float32, but your code gave bfloat16"
    )


def test_integers_are_compared_exactly_and_shown_in_full(student: Any) -> None:
    for exact in (2**53, 10**15, 2**62):
        message = f"expected {exact} at index [0], but your code gave {exact + 1}. "
        assert message_of(student.whole(exact + 1), np.array([exact])) == message
        assert message_of(student.whole(exact + 1), np.array([exact]), check=assert_close) == message
        assert message_of([exact + 1], [exact], check=assert_close) == message
    assert_close(1_000_001, 1_000_000, rtol=1e-5)  # a tolerance that a check states holds for integers too


@pytest.mark.parametrize(
    ("given", "expected", "due", "came"),
    [
        (-0.2843007, -0.28430071, "-0.28430071", "-0.2843007: the difference is 1e-08, and 0 is allowed"),
        (np.float32(0.1), 0.1, "0.1", "0.100000001: the difference is 1.5e-09, and 0 is allowed"),
        (2.0**60, 2.0**60 + 2**9, "1.1529215046068475e+18", "1.152921504606847e+18: the difference is 5.1e+02, and"),
        (1.5, 1.25, "1.25", "1.5"),
        (np.nan, 1.0, "1", "nan"),
        (1.0, np.nan, "nan", "1"),
        (-np.inf, np.inf, "inf", "-inf"),
        (True, 0.5, "0.5", "1"),
        (3, 2.5, "2.5", "3"),
    ],
)
def test_numbers_have_as_many_digits_as_tell_them_apart(given: Any, expected: Any, due: str, came: str) -> None:
    message = message_of(given, expected, check=assert_close, rtol=0, atol=0)
    assert message.startswith(f"expected {due}, but your code gave {came}")
    assert due != came.split(":")[0]


def test_a_nan_is_close_to_a_nan_alone() -> None:
    assert_close([np.nan, np.inf], [np.nan, np.inf])


CASES = {"two rows": (MATRIX,), "one row": (MATRIX[:1],), "no row": (MATRIX[:0],)}


def mean(x: Any) -> Any:
    return x.mean(axis=1)


@pytest.fixture
def worker(zygote: LocalZygote) -> Iterator[OpenSession]:
    with open_session(zygote, STUDENT) as opened:
        opened.begin()
        yield opened


def test_all_cases_run_in_one_exchange(worker: OpenSession, monkeypatch: pytest.MonkeyPatch) -> None:
    connection, fn, asked = worker.session.ready(), worker.student.right, list[Operation]()
    ask = connection.ask
    monkeypatch.setattr(connection, "ask", lambda operation, *args: asked.append(operation) or ask(operation, *args))
    assert_each(fn, CASES, mean)
    assert asked == [Operation.CALL]


def test_the_case_that_fails_is_named(student: Any) -> None:
    assert_each(student.right, CASES, mean)
    message = message_of(student.squeezes, CASES, mean, "Take the mean of each row.", check=assert_each)
    about = "This is the case: one row. Take the mean of each row."
    assert message == f"expected shape (1,), but your code gave (). {about}"
    message = message_of(student.returns_nothing, CASES, mean, check=assert_each)
    assert message.startswith("expected a tensor, but your code gave None. This is the case: two rows.")


def test_the_case_in_which_the_students_code_raises_is_named(student: Any) -> None:
    with pytest.raises(TypeError) as raised:
        assert_each(student.right, {"a matrix": (MATRIX,), "two arguments": (MATRIX, MATRIX)}, mean)
    told = str(raised.value) if isinstance(raised.value, StudentError) else "\n".join(raised.value.__notes__)
    assert told.endswith("This is the case: two arguments.")


def normal(x: Any) -> Any:
    return 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def uniform(x: Any) -> Any:
    return np.clip(x, 0, 1)


def test_right_samples_are_never_refused(rng: np.random.Generator) -> None:
    for _ in range(50):
        assert_distributed(rng.normal(size=1000), normal)
        assert_distributed(rng.uniform(size=(10, 100)).astype("float32"), uniform)


def test_the_false_alarm_rate_is_a_bound(rng: np.random.Generator) -> None:
    alarms = 0
    for _ in range(1000):
        try:
            assert_distributed(rng.uniform(size=100), uniform, alarm=0.05)
        except AssertionError:
            alarms += 1
    assert 0 < alarms <= 50 + 21, "with a rate of 0.05, more than 71 of 1,000 come once in a thousand runs"


@pytest.mark.parametrize("kind", ["truncated", "fixed seed", "one draw for a batch", "wider", "shifted", "halves"])
def test_other_distributions_are_refused(rng: np.random.Generator, kind: str) -> None:
    sample = rng.normal(size=200_000)
    wrong = {
        "truncated": sample[np.abs(sample) < 2][:100_000],
        "fixed seed": np.tile(sample[:10], 10_000),
        "one draw for a batch": np.repeat(sample[:1000], 100),
        "wider": 1.05 * sample[:100_000],
        "shifted": sample[:100_000] + 0.05,
        "halves": np.abs(sample[:100_000]),
    }
    message = message_of(wrong[kind], normal, "It is normal.", check=assert_distributed)
    assert message.startswith("expected numbers of another distribution: the distance is 0.")
    assert message.endswith("at most 0.0103 is due to chance. It is normal.")


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ([0.1, np.nan], "expected finite numbers, but your code gave nan. Draw."),
        ([0.1, -np.inf], "expected finite numbers, but your code gave -inf. Draw."),
        ([], "expected numbers, but your code gave none: the shape is (0,). Draw."),
        (None, "expected numbers, but your code gave None. Draw."),
    ],
)
def test_what_is_no_sample_is_named(sample: Any, message: str) -> None:
    assert message_of(sample, uniform, "Draw.", check=assert_distributed) == message
