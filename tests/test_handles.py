"""Handles: objects in the worker, as a check sees them."""

from __future__ import annotations

import copy
import gc
import math
import operator
import pickle
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from gradetape.checks import InvalidArgumentError, in_worker
from gradetape.errors import CourseError, Gone, Missing, StudentError, WireRefused, WorkerEvent
from gradetape.judge.context import CleanWorker
from gradetape.remote.handles import ERRORS, Handle, TensorHandle
from gradetape.runtime.launch import LocalZygote
from gradetape.wire.operations import Operation
from tests.remote_sessions import OpenSession, open_session, started

STUDENT = """
import os, sys, weakref
import numpy as np, tensorflow as tf
from tensorflow import keras

alive = weakref.WeakValueDictionary()

class Thing:
    size = 3
    def __init__(self, name="thing"):
        self.name = name
        alive[id(self)] = self
    def again(self): return self
    def pair(self): return [self, self, Thing("other")]
    def __len__(self): return 3
    def __getitem__(self, index): return ("item", index)
    def __call__(self, *args, **kwargs): return (args, kwargs)
    def __repr__(self): return touched("repr")
    def __str__(self): return touched("str")
    def __eq__(self, other): touched("eq"); return True
    def __lt__(self, other): touched("lt"); return True
    def __bool__(self): touched("bool"); return True
    def __hash__(self): touched("hash"); return 1
    def __float__(self): touched("float"); return 1.0
    def __int__(self): touched("int"); return 1
    def __add__(self, other): touched("add"); return 1
    def __radd__(self, other): touched("radd"); return 1
    def __array__(self, *a, **k): touched("array"); return np.zeros(3)
    def __contains__(self, item): touched("contains"); return True
    def __copy__(self): touched("copy")
    def __reduce__(self): touched("reduce")
    def __dir__(self): touched("dir")
    def __format__(self, spec): return touched("format")

class Special(Thing): pass

touches = []
def touched(what): touches.append(what); return "touched"
def forget(): touches.clear()
def seen(): return touches

one = Thing()
def count(): return len(alive)
def make(n): return [Thing(str(i)) for i in range(n)]
def same(a, b): return a is b
def numbers(values):
    yield from values
def endless():
    while True: yield 1
class Managed:
    entered = left = 0
    def __enter__(self): self.entered += 1; return Thing("inside")
    def __exit__(self, *error): self.left += 1
managed = Managed()
class Shy:
    @property
    def shape(self): raise ValueError("no shape")
shy = Shy()

v = tf.Variable([1.0, 2.0])
kv = keras.Variable([1.0, 2.0])
def bfloat(): return tf.constant([1.5, -2], tf.bfloat16)
def text(): return tf.constant([["a"], ["bé"]])
def ragged(): return tf.ragged.constant([[1, 2], [], [3]])
def ragged_text(): return tf.ragged.constant([[["a"], []], [["b", "c"]]])
def sparse(): return tf.SparseTensor([[0, 1], [2, 0]], [5.0, 6.0], [3, 2])
def is_ragged(x): return isinstance(x, tf.RaggedTensor), x.to_list() if hasattr(x, "to_list") else None
def is_sparse(x): return isinstance(x, tf.SparseTensor), tf.sparse.to_dense(x).numpy()
def kinds(*values): return [type(value).__name__ for value in values]
def changes(x): x += 1; x.flags.writeable; return x
def changes_list(x): x.append(4); return x
def boom(error, *args): raise error(*args)
class Odd(Exception):
    def __str__(self): raise RuntimeError("no text")
class Own(KeyError): pass
Own.__module__ = None
def odd(): raise Odd
def own(): raise Own("k")
def stop(): raise StopIteration(3)
def leave(): sys.exit(3)
def interrupt(): raise KeyboardInterrupt
def group(): raise BaseExceptionGroup("g", [ValueError(1)])
def invalid(): tf.constant([1, 2]) + tf.constant([1, 2, 3])
def axis(): np.zeros(3).sum(axis=3)
def memory(): raise MemoryError
def huge(): return [0] * 200_000
def deep():
    value = []
    for _ in range(100): value = [value]
    return value
def loop():
    value = [Thing("in a loop")]
    value.append(value)
    return value
def wide(): return np.zeros((600 << 20,), np.uint8)
def by_number(): return {1: "a", 2: "b"}
"""


@pytest.fixture(scope="module")
def zygote() -> Iterator[LocalZygote]:
    with started() as zygote:
        yield zygote


@pytest.fixture(scope="module")
def loaded(zygote: LocalZygote) -> Iterator[OpenSession]:
    with open_session(zygote, STUDENT) as opened:
        opened.session.ready()
        assert opened.session.report.events == []
        yield opened


@pytest.fixture
def opened(loaded: OpenSession) -> OpenSession:
    loaded.begin()
    return loaded


@pytest.fixture
def student(opened: OpenSession) -> Any:
    return opened.student


@pytest.fixture
def tf(opened: OpenSession) -> Any:
    return opened.tf


@pytest.fixture
def keras(opened: OpenSession) -> Any:
    return opened.keras


@pytest.fixture
def clean(zygote: LocalZygote, opened: OpenSession) -> Iterator[CleanWorker]:
    with open_session(zygote, role="clean") as other:
        yield CleanWorker(other.session, opened.session)


@pytest.fixture
def untouched(opened: OpenSession) -> Iterator[None]:
    """No code of the object's runs in the test."""
    opened.student.forget()
    yield
    opened.begin()
    assert opened.student.seen() == []


def test_one_object_is_one_handle(student: Any) -> None:
    thing = student.one
    assert thing is student.one is thing.again()
    one, two, other = thing.pair()
    assert one is two is thing and other is not thing
    assert student.same(thing, one) is True and student.same(thing, other) is False
    assert len({thing, one, other}) == 2 and {thing: 1}[one] == 1


def test_what_a_check_releases_is_released_in_the_worker(student: Any) -> None:
    before = student.count()
    things = student.make(50)
    assert student.count() == before + 50
    kept = things[7]
    del things
    gc.collect()
    student.count()
    assert student.count() == before + 1
    assert kept.name == "7"


def test_what_is_received_again_while_it_is_released_stays(student: Any) -> None:
    for _ in range(20):
        thing = student.Thing("fleeting")
        same = thing.pair()[:2]
        del thing
        again = same[0].again()
        del same
        assert student.count() and again.name == "fleeting"


def test_nothing_is_kept_of_a_reply_that_could_not_be_sent(student: Any) -> None:
    before = student.count()
    value = student.loop()
    assert type(value) is Handle and value[0].name == "in a loop"
    del value
    gc.collect()
    student.count()
    gc.collect()
    student.same(1, 1)
    assert student.count() <= before + 1  # the loop itself is left to the worker's garbage collector


def test_a_refused_argument_loses_no_release(student: Any) -> None:
    before = student.count()
    thing = student.Thing()
    del thing
    gc.collect()
    with pytest.raises(WireRefused):
        student.same(object(), 1)
    student.count()
    assert student.count() == before


@pytest.mark.parametrize("make", ["huge", "deep", "wide"])
def test_what_is_too_much_for_a_message_is_a_handle(student: Any, make: str) -> None:
    value = getattr(student, make)()
    assert type(value) is Handle
    assert len(value) >= 1


def test_a_dict_with_other_keys_than_text_is_a_handle(student: Any) -> None:
    assert student.by_number()[2] == "b"


def test_attributes_calls_and_indices_are_exchanges(student: Any) -> None:
    thing = student.Thing(name="x")
    assert thing.name == "x" and thing.size == student.Thing.size == 3
    thing.name = "y"
    assert thing.name == "y"
    del thing.name
    with pytest.raises(AttributeError):
        thing.name  # noqa: B018
    assert thing(1, (2, [3]), key=None) == ((1, (2, [3])), {"key": None})
    assert thing[1, 2:] == ("item", (1, slice(2, None))) and thing[...] == ("item", ...)
    assert hasattr(thing, "pair") and not hasattr(thing, "nothing")


def test_names_with_double_underscores_are_never_looked_up(opened: OpenSession, untouched: None) -> None:
    asked = []
    worker = opened.session.ready()
    thing = opened.student.one

    class Listening:
        def ask(self, operation: Operation, *args: object) -> Any:
            asked.append((operation, args))
            return worker.ask(operation, *args)

    object.__setattr__(thing, "_gradetape_owner", Listening())
    try:
        for name in ("__array_interface__", "__array_struct__", "__wrapped__", "__class_getitem__", "__dict__", "__x"):
            assert not hasattr(thing, name)
        for look in (repr, str, ascii, dir, hash, type, callable, id):
            look(thing)  # type: ignore[operator]
        f"{thing} {thing!r} {thing:>90}"
        np.isscalar(thing), gc.get_referents(thing)
    finally:
        object.__setattr__(thing, "_gradetape_owner", worker)
    assert asked == []


OPERATORS: dict[str, Callable[[Any], object]] = {
    **{name: partial(getattr(operator, name), 1) for name in ("eq", "ne", "lt", "ge", "add", "sub", "floordiv", "pow")},
    "equal from the left": lambda x: operator.eq(x, 1),
    "less from the left": lambda x: operator.lt(x, 1),
    "none": lambda x: operator.eq(None, x),
    "list": lambda x: operator.eq([1], x),
    "itself": lambda x: operator.sub(x, x),
    "matmul": lambda x: x @ x,
    "divmod": lambda x: divmod(x, 2),
    "or": lambda x: x | 1,
    "not": operator.not_,
    "in": lambda x: 1 in x,
    **{f.__name__: f for f in (operator.neg, operator.index, abs, bool, int, float, complex, round, math.floor)},
    "approx": lambda x: operator.eq(x, pytest.approx(1)),
    "approx from the left": lambda x: operator.eq(pytest.approx(1), x),
    "a NumPy number": lambda x: operator.eq(np.float32(1), x),
    "an array": lambda x: operator.eq(np.zeros(3), x),
    "array plus": lambda x: np.zeros(3) + x,
    "minus array": lambda x: x - np.zeros(3),
    "array less": lambda x: np.zeros(3) < x,
    "array in place": lambda x: operator.iadd(np.zeros(3), x),
    **{f"np.{f.__name__}": f for f in (np.asarray, np.array, np.mean, np.sum, np.isfinite, np.shape)},
    "np.concatenate": lambda x: np.concatenate([x, [1.0]]),
    "np.array of it": lambda x: np.array([x, 1.0]),
    "np.allclose": lambda x: np.allclose(x, 0),
    "np.isclose": lambda x: np.isclose(0, x),
    "np.add": lambda x: np.add(1, x),
    "assert_allclose": lambda x: np.testing.assert_allclose(x, [0, 0, 0]),
    "assert_allclose in a list": lambda x: np.testing.assert_allclose([0.0, x], [0, 0]),
    "assert_array_equal": lambda x: np.testing.assert_array_equal([0, 0, 0], x),
    "assert_equal": lambda x: np.testing.assert_equal(x, 1),
}


@pytest.mark.parametrize("use", OPERATORS.values(), ids=OPERATORS.keys())
def test_an_object_is_not_computed_with(student: Any, untouched: None, use: Callable[..., object]) -> None:
    with pytest.raises((TypeError, AssertionError)):
        use(student.one)


def test_the_refusal_of_an_operator_gives_advice(student: Any) -> None:
    with pytest.raises(TypeError, match=r"tf\.… or a @in_worker"):
        student.one == 1  # noqa: B015


def test_iteration_length_and_with_work_by_requests_of_their_own(student: Any) -> None:
    assert len(student.one) == 3
    assert list(student.numbers([1, None, "x"])) == [1, None, "x"]
    assert [left + right for left, right in zip(student.numbers([1, 2]), student.numbers([3, 4]), strict=True)] == [
        4,
        6,
    ]
    with student.managed as inside:
        assert inside.name == "inside"
        assert student.managed.entered == 1 and student.managed.left == 0
    assert student.managed.left == 1
    with pytest.raises(TypeError):
        len(student.shy)
    with pytest.raises(TypeError):
        iter(student.shy)


def test_isinstance_and_issubclass_ask_the_worker(student: Any, keras: Any, tf: Any) -> None:
    special = student.Special()
    assert isinstance(special, student.Thing) and not isinstance(student.one, student.Special)
    assert issubclass(student.Special, student.Thing) and not issubclass(student.Thing, student.Special)
    assert isinstance(keras.layers.Dense(1), keras.layers.Layer)
    assert isinstance(tf.constant(1), tf.Tensor) and isinstance(special, (student.Managed, student.Special))
    assert not isinstance(3, student.Thing)
    with pytest.raises(TypeError):
        isinstance(3, special)


def test_a_false_class_attribute_is_ignored(zygote: LocalZygote) -> None:
    code = """
    from tensorflow import keras
    class Liar:
        @property
        def __class__(self): return keras.layers.Dense
    liar = Liar()
    """
    with open_session(zygote, code.replace("\n    ", "\n")) as opened:
        assert not isinstance(opened.student.liar, opened.keras.layers.Layer)


@pytest.mark.parametrize(
    "use",
    [copy.copy, copy.deepcopy, pickle.dumps, lambda x: pickle.dumps(x, 0)],
    ids=["copy", "deepcopy", "pickle", "pickle of protocol 0"],
)
def test_a_handle_is_not_copied(student: Any, tf: Any, untouched: None, use: Callable[[Any], object]) -> None:
    for handle in (student.one, tf.constant([1.0]), student.v):
        with pytest.raises(TypeError, match="a handle cannot be copied or pickled"):
            use(handle)


def test_handles_of_two_workers_do_not_mix(zygote: LocalZygote, student: Any) -> None:
    with open_session(zygote, "class Other: pass\ndef same(a, b): return a is b", role="reference") as other:
        with pytest.raises(WireRefused, match="handles of two workers cannot be combined"):
            student.same(other.student.Other, 1)
        with pytest.raises(WireRefused, match="handles of two workers cannot be combined"):
            other.student.same([{"x": student.one}], 1)
        assert other.student.same(1, 1) and student.same(1, 1)


def test_a_representation_is_short_escaped_and_the_judges_own(
    opened: OpenSession, student: Any, tf: Any, untouched: None
) -> None:
    assert repr(student.one) == str(student.one) == f"{student.one}" == "<Thing in the worker>"
    name = "\x1b[31m\u202eé<b>" + "x" * 500
    strange = opened.session.ready().ask(Operation.CALL, opened.session.module("tf").constant, [1], {})
    assert repr(strange) == "<EagerTensor in the worker>"
    made = renamed(name)
    assert repr(made) == f"<{ascii(name[:80])[1:-1]} in the worker>"
    large = tf.zeros((100, 100))
    assert np.mean(large) == 0 and len(repr(large)) < 700 and "shape=(100, 100)" in repr(large)
    hostile = tf.constant(["\x1b[31m\u202e"])
    assert np.asarray(hostile).size == 1 and repr(hostile).isascii()


@in_worker
def renamed(name: str) -> Any:
    return type(name, (), {})()


def test_the_judge_computes_with_a_tensors_numbers(tf: Any) -> None:
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    assert type(x) is TensorHandle
    for result, expected in [
        (x + 1, [[2, 3], [4, 5]]),
        (1 - x, [[0, -1], [-2, -3]]),
        (x @ x, [[7, 10], [15, 22]]),
        (-x, [[-1, -2], [-3, -4]]),
        (x > 2, [[False, False], [True, True]]),
        (np.ones((2, 2)) == x, [[True, False], [False, False]]),
        (np.matmul(x, [1, 1]), [3, 7]),
        (np.concatenate([x, x], axis=1), [[1, 2, 1, 2], [3, 4, 3, 4]]),
        (np.stack((x, x))[1], [[1, 2], [3, 4]]),
        (np.mean(x, axis=0), [2, 3]),
        (np.add.reduce(x), [4, 6]),
        (np.where(x > 2, x, 0), [[0, 0], [3, 4]]),
        (np.einsum("ij->i", x), [3, 7]),
        (x[1], [3, 4]),
        (abs(x), [[1, 2], [3, 4]]),
    ]:
        assert type(result) in (np.ndarray, TensorHandle)
        assert np.asarray(result).tolist() == expected
    np.testing.assert_allclose(x, [[1, 2], [3, 4]])
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(x, [[1, 2], [3, 5]])
    assert x == pytest.approx(np.array([[1, 2], [3, 4]])) and x != pytest.approx(np.array([[1, 2], [3, 5]]))
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]] and len(x) == 2 and 3.0 in x and 5.0 not in x
    assert np.shape(x) == (2, 2) and np.linalg.norm(x) == pytest.approx(30**0.5)


def test_a_single_number_is_a_number(tf: Any) -> None:
    x = tf.constant(2.5)
    assert (float(x), int(x), complex(x), round(x), round(x, 1)) == (2.5, 2, 2.5, 2, 2.5)
    assert (math.floor(x), math.ceil(x), math.trunc(x), divmod(x, 2)) == (2, 3, 2, (1, 0.5))
    assert f"{x:.2f}" == "2.50" and x == pytest.approx(2.5) and pytest.approx(2.5) == x and x != pytest.approx(2.6)
    assert list(range(5))[tf.constant(3)] == 3 and bool(tf.constant(True)) is True and not tf.constant(False)
    with pytest.raises(ValueError):
        bool(tf.constant([True, False]))
    with pytest.raises(TypeError):
        len(x)
    x += 1
    assert x == 3.5


def test_a_truth_valued_tensor_is_usable(tf: Any) -> None:
    assert tf.reduce_all([True, True])
    assert (~tf.constant([True, False])).tolist() == [False, True]


def test_a_variable_is_read_again_each_time(student: Any) -> None:
    for variable in (student.v, student.kv):
        assert variable[0] == 1.0
        variable.assign([5.0, 6.0])
        assert (variable + 0).tolist() == [5, 6]
        variable.assign([1.0, 2.0])
        assert (variable * 1).tolist() == [1, 2]


def test_a_tensor_is_fetched_once(opened: OpenSession, tf: Any) -> None:
    x = tf.constant([1.0, 2.0])
    first = np.asarray(x)
    assert np.asarray(x) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 5
    copied = np.array(x)
    copied[0] = 5
    assert float(x[0]) == 1.0 and np.asarray(x, dtype="float64").dtype == np.float64


def test_what_has_no_numbers_raises_a_type_error(student: Any) -> None:
    with pytest.raises(TypeError, match="Thing in the worker> is not numeric: return a tensor or an array here"):
        np.testing.assert_allclose(student.one, [0, 0, 0])


def test_values_of_tensorflow_are_received_as_values(student: Any, tf: Any) -> None:
    x = tf.constant([[1.5]])
    assert x.shape == (1, 1) and x.shape == [1, 1] and x.shape.rank == 2 and x.shape[1:] == (1,)
    assert x.dtype == "float32" == tf.float32 and x.dtype == np.float32 and x.dtype == np.dtype("f4")
    assert not operator.eq(tf.float64, None)
    assert x.dtype.is_floating and tf.int32.is_integer and tf.bfloat16.as_numpy_dtype == ml_dtypes.bfloat16
    spec = tf.TensorSpec([None, 3], tf.int32, name="x")
    assert spec.shape == (None, 3) and spec.dtype == "int32" and spec.name == "x"
    assert tf.TensorShape(None).rank is None
    back = tf.ones(x.shape, x.dtype)
    assert back.shape == (1, 1)
    assert student.kinds(spec, x.shape, x.dtype, x) == ["TensorSpec", "TensorShape", "DType", "EagerTensor"]


def test_small_floats_and_text_are_sent(student: Any, tf: Any) -> None:
    x = student.bfloat()
    assert np.asarray(x).dtype == ml_dtypes.bfloat16 and (x + 0).tolist() == [1.5, -2]
    assert tf.convert_to_tensor(np.asarray(x)).dtype == tf.bfloat16
    assert np.asarray(student.text()).tolist() == [[b"a"], ["bé".encode()]]
    assert student.text().numpy().tolist() == [[b"a"], ["bé".encode()]]
    assert np.asarray(tf.constant("x")).item() == b"x" and tf.constant("x").numpy() == b"x"
    assert (tf.constant(["a", "b"]) == np.array([b"a", b"c"], object)).tolist() == [True, False]


def test_ragged_and_sparse_tensors_are_sent_both_ways(student: Any) -> None:
    ragged = student.ragged()
    assert ragged.to_list() == [[1, 2], [], [3]]
    assert student.is_ragged(ragged) == (True, [[1, 2], [], [3]])
    assert student.ragged_text().to_list() == [[[b"a"], []], [[b"b", b"c"]]]
    sparse = student.sparse()
    assert sparse.indices.tolist() == [[0, 1], [2, 0]] and sparse.values.tolist() == [5, 6]
    is_sparse, dense = student.is_sparse(sparse)
    assert is_sparse and dense.tolist() == [[0, 5], [0, 0], [6, 0]]


def test_arguments_are_copies_and_arrive_writable(student: Any) -> None:
    mine, words = np.arange(3.0), [1, 2]
    assert student.changes(mine).tolist() == [1, 2, 3] and mine.tolist() == [0, 1, 2]
    assert student.changes(np.zeros(100_000)).sum() == 100_000
    assert student.changes_list(words) == [1, 2, 4] and words == [1, 2]


def test_plain_values_arrive_as_their_own_types(student: Any) -> None:
    given = (1, 1.0, True, None, "x", b"x", (1,), [1], {"a": 1}, np.float32(1), np.arange(2), 1 << 80, slice(1), ...)
    names = ["int", "float", "bool", "NoneType", "str", "bytes", "tuple", "list", "dict", "float32", "ndarray"]
    assert student.kinds(*given) == [*names, "int", "slice", "ellipsis"]


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, lambda: 1, {1: 2}, Exception("x"), np.array([None])],
    ids=lambda each: type(each).__name__,
)
def test_what_cannot_be_sent_is_refused_with_advice(student: Any, value: object) -> None:
    with pytest.raises(TypeError, match="cannot be sent to the worker: send plain data"):
        student.kinds(value)
    assert student.kinds(1) == ["int"]


ELSEWHERE = 3


@in_worker
def total(values: Any, start: float = 0, *, scale: Any = None) -> Any:
    """Loops, as AutoGraph has to read it."""

    @tf.function
    def add(xs: Any) -> Any:
        result = 0.0
        for x in xs:
            result += x
        return result

    return float(add(values)) + start if scale is None else float(add(values)) * np.float64(scale)


@in_worker
def applied(function: Any, values: Any) -> Any:
    return function(values)


@in_worker
def namespace() -> list[str]:
    class Inner:
        first = 1
        second = first + 1

    return [*sorted(name for name in globals() if not name.startswith("__")), str(Inner.second)]


def test_a_worker_function_runs_in_the_worker(tf: Any, student: Any) -> None:
    x = tf.constant([1.0, 2.0, 3.0])
    assert total(x) == 6 and total(x, 1) == 7 and total(x, scale=2) == 12
    assert total([1.0, 2.0]) == 3, "without handles it runs in the default worker"
    assert applied(total, x) == 6 and applied(student.kinds, x) == ["EagerTensor"]
    assert namespace() == ["keras", "namespace", "np", "tf", "2"]
    assert total.__doc__ == "Loops, as AutoGraph has to read it." and "total" in repr(total)


def test_a_worker_function_runs_where_its_handles_are(clean: CleanWorker, student: Any, opened: OpenSession) -> None:
    x = clean.tf.constant(4.0)
    assert total([x]) == 4 and total([1.0], x) == 5
    assert clean.run(total, [1.0, 2.0], start=1) == 4
    with pytest.raises(WireRefused, match="handles of two workers cannot be combined"):
        applied(student.kinds, x)


def test_a_worker_function_is_self_contained() -> None:
    local = 3

    def closure() -> int:
        return local

    def other_module() -> Any:
        return re.compile("x")

    def constant() -> int:
        return ELSEWHERE

    def default(x: int = ELSEWHERE) -> int:
        return x

    def inner() -> Any:
        return [lambda: ELSEWHERE]

    for function in (closure, other_module, constant, default, inner):
        with pytest.raises(CourseError, match=r"uses (local|re|ELSEWHERE), .*\. Pass it as an argument"):
            in_worker(function)


RAISED = [
    ("ValueError", ValueError),
    ("TypeError", TypeError),
    ("KeyError", KeyError),
    ("IndexError", IndexError),
    ("AttributeError", AttributeError),
    ("NotImplementedError", NotImplementedError),
    ("RuntimeError", RuntimeError),
    ("RecursionError", RuntimeError),
    ("ZeroDivisionError", ZeroDivisionError),
    ("FileNotFoundError", FileNotFoundError),
    ("AssertionError", AssertionError),
    ("UnicodeError", ValueError),
    ("ModuleNotFoundError", ImportError),
    ("FloatingPointError", ArithmeticError),
    ("NameError", NameError),
    ("OSError", OSError),
    ("TimeoutError", OSError),
]


@in_worker
def fail(name: str) -> None:
    import builtins

    raise getattr(builtins, name)("the text")


@pytest.mark.parametrize(("name", "base"), RAISED, ids=lambda value: value if isinstance(value, str) else "")
def test_an_exception_derives_from_the_nearest_that_is_listed(
    opened: OpenSession, name: str, base: type[Exception]
) -> None:
    with pytest.raises(StudentError, match="the text") as caught:
        fail(name)
    assert isinstance(caught.value, base) and caught.value.kind == name
    assert str(caught.value) in (f"{name}: the text", f"{name}: 'the text'") and caught.value.role == "student"
    assert opened.budget.event is None


def test_every_listed_exception_can_be_made() -> None:
    from gradetape.remote.handles import student_error

    for name, base in ERRORS.items():
        error = student_error([name, "Exception"], name, "text", "")
        assert isinstance(error, base) and isinstance(error, StudentError) and str(error) == f"{name}: text"


def test_tensorflows_and_numpys_exceptions_are_known(student: Any, opened: OpenSession) -> None:
    with pytest.raises(InvalidArgumentError, match="shape"):
        student.invalid()
    with pytest.raises((ValueError, IndexError)):
        student.axis()


def test_an_exception_has_the_students_own_lines(student: Any) -> None:
    with pytest.raises(KeyError) as caught:
        student.own()
    assert 'File "<cell 1>"' in caught.value.traceback and 'raise Own("k")' in caught.value.traceback  # type: ignore[attr-defined]
    assert "worker.py" not in caught.value.traceback  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["stop", "leave", "interrupt", "group", "odd"])
def test_what_is_no_ordinary_exception_is_a_student_error_alone(student: Any, opened: OpenSession, name: str) -> None:
    with pytest.raises(StudentError) as caught:
        getattr(student, name)()
    assert type(caught.value).__mro__[1:] == StudentError.__mro__[1:]
    assert student.kinds(1) == ["int"]


def test_a_missing_name_is_no_exception(opened: OpenSession, student: Any) -> None:
    with pytest.raises(Missing, match="nothing is not defined"):
        student.nothing  # noqa: B018
    assert not issubclass(Missing, Exception)
    with pytest.raises(Missing, match="nothing is not defined"):
        student.one  # noqa: B018 - the first event of a check stays


def test_running_out_of_memory_is_no_exception(opened: OpenSession, student: Any) -> None:
    with pytest.raises(Gone) as caught:
        student.memory()
    assert caught.value.cause == "memory" and not issubclass(Gone, Exception)


def test_an_event_of_the_reference_is_a_fault(zygote: LocalZygote) -> None:
    code = "import os\ndef bye(): os._exit(0)\ndef memory(): raise MemoryError\ndef f(): raise ValueError('x')"
    with open_session(zygote, code, role="reference") as opened:
        for ask in (lambda: opened.student.bye(), lambda: opened.student.memory(), lambda: opened.student.nothing):
            opened.begin()
            with pytest.raises(Gone) as caught:
                ask()
            assert caught.value.cause == "fault"
        opened.begin()
        with pytest.raises(ValueError) as error:
            opened.student.f()
        assert error.value.role == "reference"  # type: ignore[attr-defined]
        assert not opened.budget.received


def test_an_endless_generator_meets_the_deadline(opened: OpenSession, student: Any) -> None:
    endless = student.endless()
    opened.begin(0.2)
    with pytest.raises(Gone, match="timeout"):
        for _ in endless:
            pass


def test_a_handle_of_a_lost_worker_is_of_no_use(zygote: LocalZygote) -> None:
    with open_session(zygote, "import os\ndef bye(): os._exit(0)\none = object()") as opened:
        one = opened.student.one
        with pytest.raises(Gone):
            opened.student.bye()
        opened.begin()
        assert opened.student.one is not one
        with pytest.raises(WorkerEvent, match="worker that has ended"):
            one.x  # noqa: B018


def test_an_unknown_operation_is_answered_with_an_error(opened: OpenSession, student: Any) -> None:
    with pytest.raises(KeyError, match="format_disk") as caught:
        opened.session.ready().ask("format_disk")  # type: ignore[arg-type]
    assert isinstance(caught.value, StudentError)
    assert student.kinds(1) == ["int"]


def test_workers_are_separate(zygote: LocalZygote) -> None:
    with open_session(zygote, "import keras\nkeras.x = 1") as one, open_session(zygote) as two:
        assert one.keras.x == 1 and not hasattr(two.keras, "x")
