"""Inputs at the corners, by name: each one is what its description says, in every dtype."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from gradetape.checks import corners

FLOATS = ("float16", "float32", "float64")
INTEGERS = ("int8", "uint8", "int16", "int32", "uint32", "int64", "uint64")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_shapes_have_each_rank_and_each_axis_short_or_empty() -> None:
    found = corners.shapes(range(6))
    assert found["rank 0"] == ()
    assert found["rank 2, axis 1 of size 0"] == (3, 0) and found["rank 2, all of size 1"] == (1, 1)
    assert sorted({len(shape) for shape in found.values()}) == [0, 1, 2, 3, 4, 5]
    assert len(set(found.values())) == len(found)
    full = [shape for name, shape in found.items() if "," not in name]
    assert all(len(set(shape)) == len(shape) for shape in full), "axes that are swapped show"


def test_dtypes_hold_the_same_values() -> None:
    found = corners.dtypes([0, 1, 2])
    assert all(array.tolist() == [0, 1, 2] for array in found.values())
    assert [str(array.dtype) for array in found.values()] == list(found) == ["float32", "float64", "int32", "int64"]


@pytest.mark.parametrize(("values", "name"), [([0.5], "int32"), ([300], "uint8"), ([-1], "uint8"), ([1e9], "float16")])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_dtype_that_would_change_the_values_is_refused(values: list[float], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} cannot hold these values. Name the dtypes that can, or choose"):
        corners.dtypes(values, ["float64", name])


@pytest.mark.parametrize("dtype", FLOATS)
def test_floats_are_what_their_names_say(rng: np.random.Generator, dtype: str) -> None:
    found = corners.floats(rng, 50, dtype)
    assert {(array.shape, str(array.dtype)) for array in found.values()} == {((50,), dtype)}
    assert all(np.isfinite(array).all() for array in found.values())
    assert len(set(found["equal numbers"].tolist())) == 1 and len(set(found["ties"].tolist())) == 3
    zeros = found["zeros of both signs"]
    assert not zeros.any() and len(set(np.signbit(zeros).tolist())) == 2
    assert np.abs(found["large numbers"]).max() > 500 and np.abs(found["small numbers"]).max() < 0.01
    near = found["numbers that nearly cancel"]
    assert 0 < near.astype("float64").std() < near.mean() / 50
    assert (found["negative numbers"] < 0).all() and (found["positive numbers"] > 0).all()


def test_the_naive_variance_of_numbers_that_nearly_cancel_is_wrong(rng: np.random.Generator) -> None:
    x = corners.floats(rng, 50)["numbers that nearly cancel"]
    naive, exact = (x**2).mean() - x.mean() ** 2, x.astype("float64").var()
    assert abs(naive - exact) > 0.1 * exact


@pytest.mark.parametrize("dtype", FLOATS)
def test_numbers_that_are_not_finite_are_one_or_two_of_a_vector(rng: np.random.Generator, dtype: str) -> None:
    found = corners.floats(rng, 9, dtype, finite=False)
    assert np.isnan(found["a NaN"]).sum() == 1 and np.isposinf(found["an infinity"]).sum() == 1
    infinities = found["infinities"]
    assert np.isposinf(infinities).sum() == np.isneginf(infinities).sum() == 1 and np.isfinite(infinities).sum() == 7


@pytest.mark.parametrize("size", [0, 1])
def test_vectors_may_have_one_number_or_none(rng: np.random.Generator, size: int) -> None:
    for found in (corners.floats(rng, size), corners.integers(rng, size)):
        assert {array.shape for array in found.values()} == {(size,)}


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_are_what_their_names_say(rng: np.random.Generator, dtype: str) -> None:
    found = corners.integers(rng, 8, dtype)
    assert {(array.shape, str(array.dtype)) for array in found.values()} == {((8,), dtype)}
    assert 0 in found["with zero"] and len(set(found["duplicates"].tolist())) == 3
    assert ("negative numbers" in found) == dtype.startswith("int")
    assert all((array > 0).all() for name, array in found.items() if name in ("random numbers", "numbers near"))
    [(name, near)] = [each for each in found.items() if each[0].startswith("numbers near")]
    exact = int(name.split()[-1])
    assert sorted(set(near.tolist())) == [exact + step for step in range(5)], "none of them wrapped around"


@pytest.mark.parametrize(("dtype", "floating"), [("int64", "float64"), ("int32", "float32")])
def test_neighbours_near_the_limit_become_equal_as_floats(rng: np.random.Generator, dtype: str, floating: str) -> None:
    near = next(array for name, array in corners.integers(rng, 8, dtype).items() if name.startswith("numbers near"))
    assert len(set(near.astype(floating).tolist())) < len(set(near.tolist()))


def test_strings_hold_what_ascii_does_not() -> None:
    found = corners.strings()
    assert found["an empty string"] == "" and found["only spaces"].isspace()
    several, combined = found["characters of several bytes"], found["a combining character"]
    assert len(several.encode()) > len(several)
    assert len(unicodedata.normalize("NFC", combined)) < len(combined)
    assert [len(found[name].split()) for name in ("a no-break space", "an ideographic space")] == [3, 3]
    assert [len(found[name].split(" ")) for name in ("a no-break space", "an ideographic space")] == [2, 2]


def test_lengths_are_around_a_size() -> None:
    assert corners.lengths(4) == (1, 3, 4, 5, 8, 9)
    assert corners.lengths(1, empty=True) == (0, 1, 2, 3)


def test_uneven_parts_add_up_and_differ(rng: np.random.Generator) -> None:
    for parts in (2, 3, 5):
        sizes = corners.uneven(rng, 9, parts)
        assert sum(sizes) == 9 and len(sizes) == parts and min(sizes) > 0 and len(set(sizes)) > 1


@pytest.mark.parametrize(("total", "parts"), [(3, 3), (5, 1)])
def test_sizes_that_cannot_differ_are_refused(rng: np.random.Generator, total: int, parts: int) -> None:
    with pytest.raises(ValueError, match=f"{total} cannot be cut into {parts} sizes that differ"):
        corners.uneven(rng, total, parts)
