"""The data-only codec: values to frames and back.

A frame is a msgpack body and the raw buffers of its arrays, which are never copied into the body. Values without a
msgpack type are sent as extensions (`Kind`). There is no pickle, no lookup of class names, and no code that runs on
decoding. A body is surveyed before it is decoded, since decoders allocate as they go: 60 MB of empty lists would become
4 GB, and a map with colliding keys costs seconds. So elements and depth are capped and map keys must be text. Each
buffer belongs to one array alone, so that the work on arrays is bounded by the bytes that were sent. Only exact base
types come out, besides the frozen values of `wire.values`.
"""

from __future__ import annotations

import math
import re
import struct
import sys
from collections.abc import Callable
from types import EllipsisType
from typing import Any

import ml_dtypes
import msgspec
import numpy as np
import numpy.typing as npt

from gradetape.errors import WireError, WireRefused
from gradetape.wire.operations import Operation
from gradetape.wire.survey import MAX_DEPTH, Quota, survey
from gradetape.wire.values import DType, FunctionSource, Ragged, Ref, Sparse, TensorShape, TensorSpec, WorkerPath

MAX_VALUES = 50_000
MAX_ELEMENTS = 10 * MAX_VALUES  # a value takes several elements: an array five and one for each dimension
MAX_INT_BYTES = 1 << 16
MAX_SIZE = 1 << 32

Array = npt.NDArray[Any]
Refer = Callable[[object], Ref | FunctionSource]
Revive = Callable[[Any], Any]


class Kind:
    """The extension types of a frame."""

    ARRAY = 1
    SCALAR = 2
    TUPLE = 3
    REF = 4
    BIG_INT = 5
    TEXT = 6
    SLICE = 7
    NUMPY_DTYPE = 8
    DTYPE = 9
    SHAPE = 10
    SPEC = 11
    RAGGED = 12
    SPARSE = 13
    SOURCE = 14
    PATH = 15
    STRINGS = 16
    ELLIPSIS = 17


_SMALL_FLOATS = ("bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3b11fnuz", "float8_e4m3fnuz", "float8_e5m2fnuz")
_BY_NAME: dict[Any, np.dtype[Any]] = {
    name: np.dtype(getattr(ml_dtypes, name)) for name in (*_SMALL_FLOATS, "int4", "uint4")
}
_NUMERIC = frozenset("?bhilqBHILQefdgFDG")
_REF = struct.Struct("<QB")
_REF_KINDS = ("object", "tensor", "variable")
_NUMBERS = re.compile(r"[<>|=]?[biufc]\d{1,2}")
_TEXTUAL = re.compile(r"[<>|=]?(?:[SU][1-9]\d{0,6}|[mM]8(?:\[(?:[1-9]\d{0,3})?(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?)")


def dtype_name(dtype: np.dtype[Any]) -> str | None:
    """The name under which an array's dtype is sent, or None if it cannot be sent (object, void, structured)."""
    if dtype.name in _BY_NAME:
        return dtype.name
    return dtype.str if dtype.itemsize and (dtype.char in _NUMERIC or dtype.kind in "SUmM") else None


def _dtype_of(name: Any) -> np.dtype[Any]:
    if name in _BY_NAME:
        return _BY_NAME[name]
    if type(name) is not str or not (_NUMBERS.fullmatch(name) or _TEXTUAL.fullmatch(name)):
        raise WireError("a dtype that is not allowed")
    try:
        dtype: np.dtype[Any] = np.dtype(name)
    except (TypeError, ValueError) as error:
        raise WireError("an unknown dtype") from error
    return dtype


class Encoder:
    """Values to frames.

    `refer` returns what is sent instead of a value that is not plain, or raises `WireRefused`. Large because each kind
    of value has a method.
    """

    __slots__ = ("_buffers", "_count", "_depth", "_forms", "_pack", "_refer")

    def __init__(self, refer: Refer) -> None:
        self._refer = refer
        self._pack = msgspec.msgpack.Encoder().encode
        self._buffers: list[Array] = []
        self._depth = self._count = 0
        self._forms: dict[type, Callable[[Any], object]] = {
            type(None): _same, bool: _same, float: _same, bytes: _same, Operation: _same,
            int: self._int, str: self._str, list: self._list, tuple: self._tuple, dict: self._dict,
            np.ndarray: self._array, Ref: self._ref, slice: self._slice, EllipsisType: self._ellipsis,
            DType: lambda v: self._ext(Kind.DTYPE, v.name),
            TensorShape: lambda v: self._ext(Kind.SHAPE, None if v.rank is None else v.as_list()),
            TensorSpec: lambda v: self._nested(Kind.SPEC, v), Ragged: lambda v: self._nested(Kind.RAGGED, v),
            Sparse: lambda v: self._nested(Kind.SPARSE, v), FunctionSource: lambda v: self._nested(Kind.SOURCE, v),
            WorkerPath: lambda v: self._ext(Kind.PATH, str(v)),
        }  # fmt: skip

    def encode(self, value: object) -> tuple[bytes, list[Array]]:
        """The body and the buffers of `value`; raises WireRefused if it cannot be sent."""
        self._buffers, self._depth, self._count = [], 0, 0
        return self._pack(self._plain(value)), self._buffers

    def _plain(self, value: object) -> object:
        form = self._forms.get(type(value))
        if form is not None:
            return form(value)
        if isinstance(value, np.generic):
            return self._scalar(value)
        if isinstance(value, np.dtype):
            return self._numpy_dtype(value)
        return self._plain(self._refer(value))

    def _ext(self, kind: int, payload: object) -> msgspec.msgpack.Ext:
        return msgspec.msgpack.Ext(kind, self._pack(payload))

    def _nested(self, kind: int, parts: tuple[Any, ...]) -> msgspec.msgpack.Ext:
        return self._ext(kind, self._list(parts))

    def _int(self, value: int) -> object:
        if -(1 << 63) <= value < 1 << 64:
            return value
        size = value.bit_length() // 8 + 1
        if size > MAX_INT_BYTES:
            raise WireRefused(f"an integer of {size} bytes cannot be sent: the limit is {MAX_INT_BYTES}")
        return msgspec.msgpack.Ext(Kind.BIG_INT, value.to_bytes(size, "little", signed=True))

    def _str(self, value: str) -> object:
        try:
            value.encode()
        except UnicodeEncodeError:
            return msgspec.msgpack.Ext(Kind.TEXT, value.encode("utf-8", "surrogatepass"))
        return value

    def _list(self, value: list[Any] | tuple[Any, ...]) -> list[object]:
        if self._depth >= MAX_DEPTH // 2:
            raise WireRefused("data nested this deeply (or containing itself) cannot be sent")
        self._take(len(value))
        self._depth += 1
        try:
            return [self._plain(item) for item in value]
        finally:
            self._depth -= 1

    def _take(self, count: int) -> None:
        self._count += count
        if self._count > MAX_VALUES:
            raise WireRefused(f"more than {MAX_VALUES} values cannot be sent in one message: use an array")

    def _tuple(self, value: tuple[Any, ...]) -> object:
        return self._nested(Kind.TUPLE, value)

    def _dict(self, value: dict[Any, Any]) -> object:
        if not all(type(key) is str and type(self._str(key)) is str for key in value):
            return self._plain(self._refer(value))
        return dict(zip(value, self._list(list(value.values())), strict=True))

    def _array(self, value: Array) -> object:
        name = dtype_name(value.dtype)
        if name is None:
            return self._strings(value) if _all_bytes(value) else self._plain(self._refer(value))
        self._buffers.append(np.ascontiguousarray(value))
        return self._ext(Kind.ARRAY, [name, value.shape, len(self._buffers) - 1])

    def _strings(self, value: Array) -> object:
        self._take(value.size)
        return self._ext(Kind.STRINGS, [value.shape, value.ravel().tolist()])

    def _scalar(self, value: np.generic) -> object:
        if not value.dtype.itemsize:  # empty text: NumPy itself has no array of that size
            return self._ext(Kind.SCALAR, [f"{value.dtype.kind}1", bytes(np.dtype(f"{value.dtype.kind}1").itemsize)])
        name = dtype_name(value.dtype)
        return self._plain(self._refer(value)) if name is None else self._ext(Kind.SCALAR, [name, value.tobytes()])

    def _numpy_dtype(self, value: np.dtype[Any]) -> object:
        name = dtype_name(value)
        return self._plain(self._refer(value)) if name is None else self._ext(Kind.NUMPY_DTYPE, name)

    def _ref(self, value: Ref) -> msgspec.msgpack.Ext:
        head = _REF.pack(value.id, _REF_KINDS.index(value.kind))
        return msgspec.msgpack.Ext(Kind.REF, head + value.cls.encode("utf-8", "replace"))

    def _slice(self, value: slice) -> object:
        return self._nested(Kind.SLICE, (value.start, value.stop, value.step))

    def _ellipsis(self, value: EllipsisType) -> msgspec.msgpack.Ext:
        return msgspec.msgpack.Ext(Kind.ELLIPSIS, b"")


def _same(value: Any) -> object:
    return value


def _all_bytes(value: Array) -> bool:
    return value.dtype.char == "O" and all(type(item) is bytes for item in value.ravel())


class Decoder:
    """Frames to values. `revive` turns the values of `wire.values` into this process's own objects.

    Only a process that trusts its peer, as the worker must trust the judge, may skip the survey.
    """

    __slots__ = ("_buffers", "_forms", "_quota", "_revive", "_trusting", "_unpack", "_used")

    def __init__(self, revive: Revive, *, trusting: bool = False) -> None:
        self._revive = revive
        self._trusting = trusting
        self._unpack = msgspec.msgpack.Decoder(ext_hook=self._extension).decode
        self._buffers: list[Any] = []
        self._used: set[int] = set()
        self._quota = Quota(0)
        self._forms: dict[int, Callable[[Any], Any]] = {
            Kind.ARRAY: self._array, Kind.SCALAR: _scalar, Kind.TUPLE: lambda v: tuple(_list(v)),
            Kind.SLICE: self._slice, Kind.NUMPY_DTYPE: _dtype_of,
            Kind.DTYPE: lambda v: self._revive(DType(_text(v))), Kind.SHAPE: lambda v: self._revive(_shape(v)),
            Kind.SPEC: self._spec, Kind.RAGGED: self._ragged, Kind.SPARSE: self._sparse,
            Kind.SOURCE: lambda v: self._revive(FunctionSource(*map(_text, _list(v)))),
            Kind.PATH: lambda v: self._revive(WorkerPath(_text(v))), Kind.STRINGS: _strings,
        }  # fmt: skip

    def decode(self, body: bytes | memoryview, buffers: list[Any]) -> Any:
        """The value of a frame; raises WireError for anything else."""
        self._buffers, self._used, self._quota = buffers, set(), Quota(MAX_ELEMENTS)
        try:
            return self._read(body)
        except WireError:
            raise
        except Exception as error:  # NumPy and msgspec raise various exceptions for invalid data
            raise WireError(f"not a frame: {type(error).__name__}") from error

    def _read(self, data: bytes | memoryview) -> Any:
        if not self._trusting:
            survey(data, self._quota)
        return self._unpack(data)

    def _extension(self, code: int, data: memoryview) -> Any:
        if code == Kind.BIG_INT:
            return _big_int(data)
        if code == Kind.TEXT:
            return str(data, "utf-8", "surrogatepass")
        if code == Kind.ELLIPSIS:
            return ...
        if code == Kind.REF:
            return self._revive(_ref(bytes(data)))
        form = self._forms.get(code)
        if form is None:
            raise WireError("an unknown extension")
        with self._quota.deeper():
            return form(self._read(data))

    def _array(self, value: list[Any]) -> Array:
        name, dims, index = _list(value)
        dtype, shape = _dtype_of(name), _sizes(dims)
        if type(index) is not int or not 0 <= index < len(self._buffers) or index in self._used:
            raise WireError("an array without a buffer of its own")
        self._used.add(index)
        data = memoryview(self._buffers[index])
        if math.prod(shape) * dtype.itemsize != data.nbytes:
            raise WireError("an array with inconsistent sizes")
        return _rebuilt(data, dtype, shape)

    def _slice(self, value: list[Any]) -> slice:
        start, stop, step = _list(value)
        return slice(start, stop, step)

    def _spec(self, value: list[Any]) -> Any:
        shape, dtype, name = _list(value)
        return self._revive(TensorSpec(shape, dtype, name if name is None else _text(name)))

    def _ragged(self, value: list[Any]) -> Any:
        flat, splits = _list(value)
        ragged = Ragged(_typed(flat, np.ndarray), tuple(self._int64(part) for part in _typed(splits, tuple)))
        rows = len(ragged.flat_values)
        for part in reversed(ragged.nested_row_splits):
            if part.ndim != 1 or not len(part) or part[0] != 0 or part[-1] != rows or (np.diff(part) < 0).any():
                raise WireError("row splits that do not fit")
            rows = len(part) - 1
        return self._revive(ragged)

    def _sparse(self, value: list[Any]) -> Any:
        indices, values, dense_shape = _list(value)
        sparse = Sparse(self._int64(indices), _typed(values, np.ndarray), self._int64(dense_shape))
        if sparse.indices.shape != (len(sparse.values), len(sparse.dense_shape)):
            raise WireError("a sparse tensor with inconsistent parts")
        return self._revive(sparse)

    def _int64(self, value: Any) -> npt.NDArray[np.int64]:
        """A check may send other integers; converting a worker's would cost the judge eight times their size."""
        array: npt.NDArray[Any] = _typed(value, np.ndarray)
        if array.dtype != np.int64 and not self._trusting:
            raise WireError("int64 expected")
        return array.astype(np.int64, copy=False)


def _typed(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise WireError(f"{kind.__name__} expected")
    return value


def _text(value: Any) -> str:
    return _typed(value, str)  # type: ignore[no-any-return]


def _list(value: Any) -> list[Any]:
    return _typed(value, list)  # type: ignore[no-any-return]


def _shape(value: Any) -> TensorShape:
    if value is not None and not all(dim is None or type(dim) is int for dim in _list(value)):
        raise WireError("a malformed shape")
    return TensorShape(value)


def _sizes(dims: Any) -> tuple[int, ...]:
    if len(_list(dims)) > 64 or not all(type(dim) is int and dim >= 0 for dim in dims):
        raise WireError("a malformed shape")
    if math.prod(dim or 1 for dim in dims) > MAX_SIZE:
        raise WireError("a shape beyond the limit")
    return tuple(dims)


def _rebuilt(data: memoryview, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    if not data.nbytes:
        return np.empty(shape, dtype)
    raw = np.frombuffer(data, dtype=np.uint8)
    if dtype.char == "?":
        raw = (raw != 0).view(np.uint8)  # a byte of 2 would be neither True nor False
    array: Array = raw.view(dtype).reshape(shape)
    if dtype.kind == "U" and (array.reshape(-1).view(dtype.str[0] + "u4") > sys.maxunicode).any():
        raise WireError("text that is not valid Unicode")
    return array


def _scalar(value: list[Any]) -> np.generic:
    name, raw = _list(value)
    dtype = _dtype_of(name)
    if type(raw) is not bytes or len(raw) != dtype.itemsize:
        raise WireError("a scalar of the wrong size")
    scalar: Any = _rebuilt(memoryview(raw), dtype, ())[()]
    return scalar  # type: ignore[no-any-return]


def _ref(raw: bytes) -> Ref:
    if len(raw) < _REF.size or raw[_REF.size - 1] >= len(_REF_KINDS):
        raise WireError("a malformed reference")
    number, kind = _REF.unpack_from(raw)
    return Ref(number, _REF_KINDS[kind], raw[_REF.size :].decode("utf-8", "replace"))


def _big_int(raw: memoryview) -> int:
    if len(raw) > MAX_INT_BYTES:
        raise WireError("an integer beyond the limit")
    return int.from_bytes(raw, "little", signed=True)


def _strings(value: list[Any]) -> Array:
    dims, items = _list(value)
    shape = _sizes(dims)
    if math.prod(shape) != len(_list(items)) or not all(type(item) is bytes for item in items):
        raise WireError("an array of byte strings with inconsistent sizes")
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array.reshape(shape)
