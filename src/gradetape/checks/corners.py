"""Inputs at the corners of what a prompt allows, by name: give them to `assert_each`.

Each function returns a dictionary from a description, which messages show, to a value. Nothing here runs in the worker.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

Rng = np.random.Generator


def shapes(ranks: Iterable[int] = (1, 2, 3), size: int = 3) -> dict[str, tuple[int, ...]]:
    """Shapes of each rank with sizes that differ, for each axis one of size 1 and one of size 0, and one of ones alone.

    `shapes((2,))` has "rank 2", "rank 2, axis 0 of size 1", "rank 2, axis 0 of size 0", …, "rank 2, all of size 1".
    Rank 0 has one shape; `range(1, 6)` gives ranks 1 to 5.
    """
    found: dict[str, tuple[int, ...]] = {}
    for rank in ranks:
        full = tuple(size + axis for axis in range(rank))
        found[f"rank {rank}"] = full
        for axis in range(rank):
            for short in (1, 0):
                found[f"rank {rank}, axis {axis} of size {short}"] = (*full[:axis], short, *full[axis + 1 :])
        if rank > 1:
            found[f"rank {rank}, all of size 1"] = (1,) * rank
    return found


def dtypes(values: Any, names: Iterable[str] = ("float32", "float64", "int32", "int64")) -> dict[str, Any]:
    """The same values in each dtype: `dtypes([0, 1, 2])` has "float32", "float64", "int32" and "int64".

    Raises ValueError if a dtype changes a value, since its case would be another one.
    """
    found = {name: np.asarray(values).astype(name) for name in names}
    for name, array in found.items():
        if not np.allclose(array.astype("float64"), np.asarray(values), rtol=1e-6, atol=0, equal_nan=True):
            raise ValueError(f"{name} cannot hold these values. Name the dtypes that can, or choose smaller numbers.")
    return found


def floats(rng: Rng, size: int = 8, dtype: str = "float32", finite: bool = True) -> dict[str, Any]:
    """Vectors of `size` floating-point numbers: random, equal, tied, zeros of both signs, large, small, cancelling.

    Without `finite`, also vectors that hold a NaN, an infinity, and infinities of both signs. A size of 1 or 0 gives
    vectors with one number or none.
    """
    random = rng.normal(size=size)
    scale, offset, spread = (1e3, 64, 0.5) if np.finfo(dtype).bits == 16 else (1e6, 1e4, 0.1)
    found = {
        "random numbers": random,
        "equal numbers": np.full(size, rng.uniform(0.1, 0.9)),
        "ties": rng.permutation(np.arange(size) % 3) - 1.0,
        "zeros of both signs": np.where(np.arange(size) % 2, 0.0, -0.0),
        "large numbers": random * scale,
        "small numbers": random / scale,
        "numbers that nearly cancel": offset + random * spread,
        "negative numbers": -np.abs(random) - 0.1,
        "positive numbers": np.abs(random) + 0.1,
    }
    if not finite:
        found |= _not_finite(rng, random)
    return {name: numbers.astype(dtype) for name, numbers in found.items()}


def _not_finite(rng: Rng, random: Any) -> dict[str, Any]:
    found = {}
    for name, numbers in (("a NaN", (np.nan,)), ("an infinity", (np.inf,)), ("infinities", (np.inf, -np.inf))):
        vector = random.copy()
        vector[rng.choice(len(vector), len(numbers), replace=False)] = numbers
        found[name] = vector
    return found


def integers(rng: Rng, size: int = 8, dtype: str = "int64") -> dict[str, Any]:
    """Vectors of `size` integers: random, with zero, duplicates, negative, and near the limits of exact floats.

    Neighbours near `2**53` are equal in float64, neighbours near `2**24` in float32. A dtype without negative numbers
    has none, and one that ends below `2**24` has numbers near its end instead.
    """
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    exact = next((power for power in (2**53, 2**24) if most > power), most - 4)
    found = {
        "random numbers": rng.integers(1, 100, size=size),
        "with zero": rng.permutation(np.arange(size) % 100),
        "duplicates": rng.permutation(np.arange(size) % 3),
        "negative numbers": -rng.integers(1, 100, size=size),
        f"numbers near {exact}": exact + rng.permutation(np.arange(size) % 5),
    }
    return {name: numbers.astype(dtype) for name, numbers in found.items() if least < 0 or name != "negative numbers"}


def strings() -> dict[str, str]:
    """Texts: empty, blank, repeated spaces, characters of several bytes, combined ones, and spaces that are not ASCII.

    The no-break space (U+00A0) and the ideographic space (U+3000) are spaces to Python and letters to `tf.strings`.
    """
    return {
        "an empty string": "",
        "only spaces": "   ",
        "spaces at both ends": "  ab c ",
        "characters of several bytes": "é日本Ω😀 x",
        "a combining character": "e\u0301a",
        "a no-break space": "a\u00a0b c",
        "an ideographic space": "日\u3000本 x",
        "a tab and a line feed": "a\tb\nc",
    }


def lengths(around: int, empty: bool = False) -> tuple[int, ...]:
    """Lengths around a size such as a buffer's or a batch's: 1, size - 1, size, size + 1, 2 size, 2 size + 1.

    With `empty`, also 0. In batches of that size, the last one is a full one, one shorter by 1, or one example.
    """
    shortest = (0,) if empty else ()
    return tuple(sorted({*shortest, 1, max(around - 1, 1), around, around + 1, 2 * around, 2 * around + 1}))


def uneven(rng: Rng, total: int, parts: int) -> list[int]:
    """Sizes of at least 1, not all equal, that add up to `total`: batches of different lengths.

    Raises ValueError if `parts` sizes cannot differ.
    """
    if parts < 2 or total <= parts:
        raise ValueError(f"{total} cannot be cut into {parts} sizes that differ")
    sizes: list[int] = [total]
    while len(set(sizes)) < 2:
        cuts = np.sort(rng.choice(np.arange(1, total), parts - 1, replace=False))
        sizes = np.diff([0, *cuts, total]).tolist()
    return sizes
