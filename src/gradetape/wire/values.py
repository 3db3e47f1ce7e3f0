"""Plain values without a class in NumPy or Python, which are sent besides numbers and text.

The judge and the worker share this module, so it imports neither TensorFlow nor the judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


class Ref(NamedTuple):
    """Names an object in the worker: its number, its kind (`object`, `tensor` or `variable`) and its class's name."""

    id: int
    kind: str
    cls: str


class DType:
    """A TensorFlow dtype by name; equals its name and the NumPy dtype of that name."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return self.name == _dtype_name(other)

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    @property
    def as_numpy_dtype(self) -> np.dtype[Any]:
        """The NumPy dtype; raises TypeError if NumPy has none of that name."""
        return np.dtype(self.name)

    @property
    def is_floating(self) -> bool:
        """Whether it is a real floating type."""
        return self.name in {"bfloat16", "float16", "float32", "float64"}

    @property
    def is_integer(self) -> bool:
        """Whether it is an integer type."""
        return self.name.startswith(("int", "uint"))


def _dtype_name(value: object) -> str | None:
    if isinstance(value, DType):
        return value.name
    if isinstance(value, str):
        return value
    if not isinstance(value, np.dtype | type):  # NumPy makes a dtype of None, and asks objects for theirs
        return None
    try:
        return np.dtype(value).name
    except TypeError:
        return None


class TensorShape:
    """A static shape: a sequence of int or None, or unknown if `rank` is None."""

    __slots__ = ("_dims",)

    def __init__(self, dims: Sequence[int | None] | None) -> None:
        self._dims = None if dims is None else tuple(dims)

    @property
    def rank(self) -> int | None:
        """The number of dimensions, or None if that is unknown."""
        return None if self._dims is None else len(self._dims)

    def as_list(self) -> list[int | None]:
        """The dimensions; raises ValueError for an unknown rank, as TensorFlow does."""
        if self._dims is None:
            raise ValueError("as_list() is not defined on a TensorShape of unknown rank")
        return list(self._dims)

    def __iter__(self) -> Iterator[int | None]:
        return iter(self.as_list())

    def __len__(self) -> int:
        return len(self.as_list())

    def __getitem__(self, index: Any) -> Any:
        found = self.as_list()[index]
        return TensorShape(found) if isinstance(index, slice) else found

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TensorShape):
            return self._dims == other._dims
        return isinstance(other, list | tuple) and self._dims == tuple(other)

    def __hash__(self) -> int:
        return hash(self._dims)

    def __repr__(self) -> str:
        return "TensorShape(None)" if self._dims is None else f"TensorShape({list(self._dims)})"


class TensorSpec(NamedTuple):
    """The type of a tensor: a static shape, a dtype and an optional name."""

    shape: TensorShape
    dtype: DType
    name: str | None = None


class Ragged(NamedTuple):
    """A ragged tensor: its flat values, and int64 row splits from the outermost dimension inwards."""

    flat_values: npt.NDArray[Any]
    nested_row_splits: tuple[npt.NDArray[np.int64], ...]

    def to_list(self) -> list[Any]:
        """Nested Python lists, as `tf.RaggedTensor.to_list` gives them."""
        rows: list[Any] = self.flat_values.tolist()
        for splits in reversed(self.nested_row_splits):
            rows = [rows[start:stop] for start, stop in zip(splits[:-1].tolist(), splits[1:].tolist(), strict=True)]
        return rows


class Sparse(NamedTuple):
    """A sparse tensor: `indices` of shape [n, rank], `values` of shape [n], `dense_shape` of shape [rank]."""

    indices: npt.NDArray[np.int64]
    values: npt.NDArray[Any]
    dense_shape: npt.NDArray[np.int64]


class FunctionSource(NamedTuple):
    """The source of a self-contained function that is to run in the worker."""

    name: str
    text: str


class WorkerPath(PurePosixPath):
    """A path in the worker's file system. In the judge it is only a name: it cannot be opened there."""
