"""The worker's objects: those that the judge has handles of, and their conversion to plain data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from gradetape.wire.values import DType, FunctionSource, Ragged, Ref, Sparse, TensorShape, TensorSpec, WorkerPath
from gradetape.worker.generation import keras
from gradetape.worker.shipped import ShippedFunctions

_VARIABLES = tuple({tf.Variable, getattr(keras, "Variable", tf.Variable)})


class Objects:
    """Objects by number. An object keeps its number as long as the judge holds it."""

    __slots__ = ("_functions", "_held", "_in_reply", "_last", "_numbers", "_revivers")

    def __init__(self) -> None:
        self._held: dict[int, tuple[object, int]] = {}
        self._numbers: dict[int, int] = {}
        self._last = 0
        self._in_reply: list[int] = []
        self._functions = ShippedFunctions()
        self._revivers: dict[type, Callable[[Any], object]] = {
            Ref: lambda value: self._held[value.id][0],
            FunctionSource: self._functions.function,
            DType: lambda value: tf.as_dtype(value.name),
            TensorShape: lambda value: tf.TensorShape(None if value.rank is None else value.as_list()),
            TensorSpec: lambda value: tf.TensorSpec(*value),
            Ragged: lambda value: tf.RaggedTensor.from_nested_row_splits(*value),
            Sparse: lambda value: tf.SparseTensor(*value),
            WorkerPath: lambda value: Path(str(value)),
        }

    def revive(self, value: Any) -> object:
        """The TensorFlow value or object that a received value represents."""
        return self._revivers[type(value)](value)

    def refer(self, value: object) -> Any:
        """The plain form of a TensorFlow value if it has one, otherwise a reference."""
        if isinstance(value, tf.DType):
            return DType(value.name)
        if isinstance(value, tf.TensorShape):
            return _shape(value)
        if isinstance(value, tf.TensorSpec):
            return TensorSpec(_shape(value.shape), DType(value.dtype.name), value.name)
        if isinstance(value, tf.RaggedTensor) and tf.is_tensor(value.flat_values) and _is_eager(value.flat_values):
            splits = tuple(part.numpy().astype(np.int64) for part in value.nested_row_splits)
            return Ragged(numbers(value.flat_values), splits)
        if isinstance(value, tf.SparseTensor) and _is_eager(value.values):
            return Sparse(value.indices.numpy(), numbers(value.values), value.dense_shape.numpy())
        return self.hold(value)

    def hold(self, value: object) -> Ref:
        """A reference to an object, which is kept until the judge releases it."""
        number = self._numbers.get(id(value))
        if number is None:
            self._last += 1
            number = self._numbers[id(value)] = self._last
        count = self._held[number][1] if number in self._held else 0
        self._held[number] = (value, count + 1)
        self._in_reply.append(number)
        return Ref(number, _kind(value), type(value).__name__[:80])

    def begin(self) -> None:
        """Begins a new reply, which refers to the objects held from now on."""
        self._in_reply = []

    def undo(self) -> None:
        """Releases what the reply referred to, since it was not sent."""
        self.release([[number, 1] for number in self._in_reply])

    def release(self, dropped: list[list[int]]) -> None:
        """Releases objects, each given as its number and how often the judge had received it."""
        for number, times in dropped:
            value, count = self._held[number]
            if count > times:
                self._held[number] = (value, count - times)
            else:
                del self._held[number], self._numbers[id(value)]

    def begin_check(self) -> None:
        """A new check begins."""
        self._functions.begin_check()


def numbers(value: Any) -> Any:
    """A tensor's, variable's or array's numbers as an array; strings as an array of bytes."""
    found = value.numpy() if hasattr(value, "numpy") else np.asarray(value)
    return np.asarray(found, dtype=object if isinstance(found, bytes) else None)


def _kind(value: object) -> str:
    if isinstance(value, _VARIABLES):
        return "variable"
    return "tensor" if isinstance(value, tf.Tensor) and _is_eager(value) else "object"


def _is_eager(value: Any) -> bool:
    return hasattr(value, "numpy")


def _shape(shape: Any) -> TensorShape:
    return TensorShape(None if shape.rank is None else shape.as_list())
