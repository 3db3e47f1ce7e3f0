"""Hidden checks that end in every way."""

import operator
import os
import signal
import time

import numpy as np
import pytest

from gradetape.checks import assert_close, hint, in_worker, limit, points
from gradetape.judge.context import CheckContext

ENDS = [
    "wrong",
    "error",
    "undefined",
    "numpy_bomb",
    "tensor_bomb",
    "leaves",
    "segfault",
    "aborts",
]
AMONG_GOOD = [name for end in ENDS for name in (end, "good")]


@points(1)
@hint("A hint.")
@pytest.mark.parametrize("name", AMONG_GOOD, ids=[f"{i}-{name}" for i, name in enumerate(AMONG_GOOD)])
def test_ends(student, name):
    """It is three."""
    assert getattr(student, name)() == 3


@limit(1)
@pytest.mark.parametrize("name", ["forever", "sleeper", "good"])
def test_hangs(student, name):
    """It is three."""
    assert getattr(student, name)() == 3


@limit(1)
@pytest.mark.parametrize("name", ["forever", "sleeper"])
def test_raises_anything_late(student, name):
    """Anything may be raised."""
    with pytest.raises(Exception):  # noqa: B017
        getattr(student, name)()


@pytest.mark.parametrize("name", ENDS[1:])
def test_raises_anything(student, name):
    """Anything may be raised."""
    with pytest.raises(Exception):  # noqa: B017
        getattr(student, name)()


@pytest.mark.parametrize("name", ["nothing", "a_list", "a_dict", "a_string", "an_object", "a_nested", "a_huge", "many"])
def test_compared_with_numbers(student, name):
    """They are numbers."""
    np.testing.assert_allclose(getattr(student, name)(), np.zeros(3), rtol=1e-5)


@pytest.mark.parametrize("name", ["nothing", "a_list", "a_dict", "a_string", "an_object"])
def test_computed_with(student, name):
    """They are numbers."""
    assert (np.ones(3) - getattr(student, name)()).shape == (3,) and getattr(student, name)().dtype == "float32"


def test_own_error_before(student):
    """The check itself is broken."""
    {}["nothing"]


def test_own_error_after(student):
    """A received value breaks the check."""
    {}[student.good()]


def test_own_exit(student):
    """The judge's child dies."""
    os._exit(0)


def test_poisons_the_judge():
    """The judge's child dies before the next check."""
    CheckContext.check = lambda *_, **__: os._exit(0)


def test_poisoned(student):
    """No fault of its own."""
    assert student.good() == 3


def test_own_signal(student):
    """The judge's child is killed."""
    os.kill(os.getpid(), signal.SIGSEGV)


@limit(1)
def test_own_hang(student):
    """C code does not answer to alarms."""
    student.good()
    sum(range(10**15))


@limit(1)
def test_own_loop(student):
    """Python answers to them."""
    student.good()
    while True:
        pass


def test_skipped(student):
    """Not here."""
    pytest.skip("there is no GPU")


def test_after_all(student):
    """It is three."""
    assert student.good() == 3


def test_reference(student, reference):
    """As the reference has it."""
    assert student.good() == reference.good() and reference is not student


def test_reference_breaks(student, reference):
    """The reference's error is no student's."""
    reference.fails_here()


def test_dies_later(student):
    """The worker dies when the check is over."""
    assert student.dies_later() == 3
    time.sleep(0.6)


def test_after_it_died(student):
    """It is three."""
    assert student.good() == 3


def test_clean(student, clean, worker_tmp_path):
    """Files are carried over; the student's names are not."""
    student.write(str(worker_tmp_path / "f"), "text")
    folder = clean.copy(worker_tmp_path)
    assert clean.run(read, folder / "f") == "text"
    assert not clean.run(read, "/tmp/nothing")


@in_worker
def read(path):
    import os

    return open(path).read() if os.path.exists(path) else ""


def test_source(source):
    """The answer's text."""
    assert "def good" in source


@pytest.mark.parametrize("again", [1, 2])
def test_random(rng, again):
    """Random numbers are the check's own."""
    pytest.fail(f"drew {rng.integers(10**9)}")


def test_seeded(student):
    """The worker is reseeded for each check."""
    pytest.fail(f"drew {student.draw()}")


def test_seeded_again(student):
    """The worker is reseeded for each check."""
    first = student.draw()
    pytest.fail(f"drew {first}")


KINDS = [
    "wraps",
    "compares",
    "float_like",
    "array_like",
    "ndarray_like",
    "number_like",
    "tensor_like",
    "lies",
    "callable",
]
EXPECTED = 0.7234561


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", range(10))
def test_hostile(student, kind, way):
    """Only the right number will do."""
    value = student.hostile(kind)
    expected = np.full(3, EXPECTED)
    match way:
        case 0:
            np.testing.assert_allclose(value, expected)
        case 1:
            assert value == EXPECTED
        case 2:
            assert operator.eq(EXPECTED, value)
        case 3:
            assert abs(expected - value).max() < 1e-6
        case 4:
            assert value == pytest.approx(EXPECTED)
        case 5:
            assert_close(value, expected)
        case 6:
            assert value > EXPECTED - 1e-6 and value < EXPECTED + 1e-6
        case 7:
            np.testing.assert_array_equal(expected, value)
        case 8:
            assert operator.eq([EXPECTED], [value])
        case 9:
            assert np.allclose(expected, value)


def test_what_hostile_objects_were_given(student):
    """Nothing of what was expected."""
    assert student.given() == []
