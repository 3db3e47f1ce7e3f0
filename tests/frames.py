"""Frames that no honest worker sends, and the values that a decoded frame may have."""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import EllipsisType

import msgspec
import numpy as np

from gradetape.wire.codec import MAX_INT_BYTES, Kind
from gradetape.wire.values import DType, FunctionSource, Ragged, Ref, Sparse, TensorShape, TensorSpec, WorkerPath

pack = msgspec.msgpack.encode
Ext = msgspec.msgpack.Ext
BASE = (type(None), bool, int, float, str, bytes, slice, EllipsisType)
WIRE = (DType, WorkerPath, Ragged, Ref, FunctionSource, Sparse, TensorShape, TensorSpec)


def ext(kind: int, payload: object) -> Ext:
    return Ext(kind, pack(payload))


def deep(make: Callable[[object], object], levels: int) -> bytes:
    body = pack(None)
    for _ in range(levels):
        body = pack(make(msgspec.Raw(body)))
    return body


MAP_WITH_KEY = b"\x81%b\x01"
ARRAY = Kind.ARRAY
MALFORMED: dict[str, tuple[bytes, ...]] = {
    "nothing": (b"",),
    "something behind": (pack(1) + pack(2),),
    "reserved byte": (b"\xc1",),
    "list cut short": (b"\x93\x01",),
    "a huge count of items": (b"\xdd\xff\xff\xff\xff" + bytes(100),),
    "a huge count of pairs": (b"\xdf\xff\xff\xff\xff" + b"\xa1a\x01" * 30,),
    "a huge text": (b"\xdb\xff\xff\xff\xffabc",),
    "a huge extension": (b"\xc9\xff\xff\xff\xff\x01abc",),
    "60 MB of empty lists": (b"\xdd" + struct.pack(">I", 60 << 20) + b"\x90" * (60 << 20),),
    "deep lists": (b"\x91" * 100_000 + b"\x90",),
    "deep maps": (b"\x81\xa1a" * 100_000 + b"\x90",),
    "deep extensions": (deep(lambda inner: Ext(Kind.TUPLE, pack([inner])), 70),),
    "deep lists in deep extensions": (deep(lambda inner: Ext(Kind.TUPLE, pack([[[[[[inner]]]]]])), 60) * 2,),
    "a number as a key": (MAP_WITH_KEY % pack(1),),
    "a list as a key": (MAP_WITH_KEY % pack([1]),),
    "an extension as a key": (MAP_WITH_KEY % pack(ext(Kind.TUPLE, [1, 2])),),
    "nil as a key": (MAP_WITH_KEY % pack(None),),
    "text that is not UTF-8": (b"\xa2\xff\xfe",),
    "a point in time": (b"\xd6\xff\0\0\0\0",),
    "a long point in time": (b"\xc7\x0c\xff" + bytes(12),),
    "a negative extension": (b"\xd4\x80\0",),
    "an unknown extension": (pack(Ext(99, b"")),),
    "an overlong integer": (pack(Ext(Kind.BIG_INT, bytes(MAX_INT_BYTES + 1))),),
    "an array without a buffer": (pack(ext(ARRAY, ["<f4", [1], 0])),),
    "an array with a negative buffer": (pack(ext(ARRAY, ["<f4", [1], -1])), bytes(4)),
    "an array with a buffer too small": (pack(ext(ARRAY, ["<f4", [2], 0])), bytes(4)),
    "an array with a buffer too large": (pack(ext(ARRAY, ["<f4", [1], 0])), bytes(5)),
    "a buffer of two arrays": (pack([ext(ARRAY, ["<f4", [1], 0]), ext(ARRAY, ["<f4", [1], 0])]), bytes(4)),
    "an array with a negative side": (pack(ext(ARRAY, ["<f4", [-1, -1], 0])), bytes(4)),
    "an array with a true side": (pack(ext(ARRAY, ["<f4", [True], 0])), bytes(4)),
    "an array with 65 dimensions": (pack(ext(ARRAY, ["<f4", [1] * 65, 0])), bytes(4)),
    "an empty array with a huge side": (pack(ext(ARRAY, ["<f4", [0, 1 << 62], 0])), b""),
    "an empty array with a large side": (pack(ext(ARRAY, ["<f4", [0, 1 << 40], 0])), b""),
    "an array of nothings": (pack(ext(ARRAY, ["|S0", [1 << 62], 0])), b""),
    "an array of Python objects": (pack(ext(ARRAY, ["|O", [1], 0])), bytes(8)),
    "an array of void": (pack(ext(ARRAY, ["|V4", [1], 0])), bytes(4)),
    "a structured array": (pack(ext(ARRAY, ["i4,i4", [1], 0])), bytes(8)),
    "an array of subarrays": (pack(ext(ARRAY, ["(2,)i4", [1], 0])), bytes(8)),
    "a dtype that is no text": (pack(ext(ARRAY, [["<f4"], [1], 0])), bytes(4)),
    "a dtype of an odd size": (pack(ext(ARRAY, ["<f3", [1], 0])), bytes(3)),
    "a time without a step": (pack(ext(ARRAY, ["<m8[0s]", [1], 0])), bytes(8)),
    "text that is not valid Unicode": (pack(ext(ARRAY, ["<U1", [1], 0])), b"\xff" * 4),
    "swapped text that is not valid Unicode": (pack(ext(ARRAY, [">U1", [1], 0])), b"\0\x11\0\0"),
    "a scalar beyond Unicode": (pack(ext(Kind.SCALAR, ["<U1", b"\xff" * 4])),),
    "a scalar of the wrong size": (pack(ext(Kind.SCALAR, ["<f4", b"abc"])),),
    "an object as a scalar": (pack(ext(Kind.SCALAR, ["|O", bytes(8)])),),
    "a tuple made of an array": (pack(Ext(Kind.TUPLE, pack(ext(ARRAY, ["|u1", [64 << 20], 0])))), bytes(64 << 20)),
    "a tuple made of text": (pack(ext(Kind.TUPLE, "abc")),),
    "a slice of two": (pack(ext(Kind.SLICE, [1, 2])),),
    "an object as a dtype": (pack(ext(Kind.NUMPY_DTYPE, "O")),),
    "a dtype with a number for a name": (pack(ext(Kind.DTYPE, 3)),),
    "a shape of text": (pack(ext(Kind.SHAPE, "")),),
    "a shape of floats": (pack(ext(Kind.SHAPE, [1.5])),),
    "a path that is a number": (pack(ext(Kind.PATH, 3)),),
    "strings that are numbers": (pack(ext(Kind.STRINGS, [[2], [1, 2]])),),
    "more strings than the shape holds": (pack(ext(Kind.STRINGS, [[1], [b"", b""]])),),
    "a reference cut short": (pack(Ext(Kind.REF, bytes(8))),),
    "a reference of no kind": (pack(Ext(Kind.REF, bytes(8) + b"\x07")),),
    "row splits that do not fit": (
        pack(ext(Kind.RAGGED, [ext(ARRAY, ["<i8", [1], 0]), ext(Kind.TUPLE, [ext(ARRAY, ["<i8", [2], 1])])])),
        bytes(8),
        struct.pack("<qq", 0, 1 << 40),
    ),
    "row splits that grow as they are read": (
        pack(ext(Kind.RAGGED, [ext(ARRAY, ["<i8", [1], 0]), ext(Kind.TUPLE, [ext(ARRAY, ["|i1", [2], 1])])])),
        bytes(8),
        b"\0\1",
    ),
    "indices that grow as they are read": (
        pack(
            ext(
                Kind.SPARSE,
                [
                    ext(ARRAY, ["|i1", [1, 1], 0]),
                    ext(ARRAY, ["<i8", [1], 1]),
                    ext(ARRAY, ["<i8", [1], 2]),
                ],
            )
        ),
        b"\0",
        bytes(8),
        struct.pack("<q", 1),
    ),
    "row splits that fall": (
        pack(ext(Kind.RAGGED, [ext(ARRAY, ["<i8", [2], 0]), ext(Kind.TUPLE, [ext(ARRAY, ["<i8", [4], 1])])])),
        bytes(16),
        struct.pack("<qqqq", 0, 3, 1, 2),
    ),
}


def is_plain(value: object) -> bool:
    """Whether a value, and all in it, is of an exact type that may come over."""
    kind = type(value)
    if kind in (list, tuple):
        return all(map(is_plain, value))  # type: ignore[call-overload]
    if kind is dict:
        return all(type(key) is str and is_plain(item) for key, item in value.items())  # type: ignore[attr-defined]
    if kind is slice:
        return all(map(is_plain, (value.start, value.stop, value.step)))  # type: ignore[attr-defined]
    if kind is np.ndarray:
        kinds = "biufcSUmMV" if value.dtype.name in ("bfloat16", "int4") else "biufcSUmM"  # type: ignore[attr-defined]
        bytes_alone = value.dtype == object and all(type(item) is bytes for item in value.flat)  # type: ignore[attr-defined]
        return bytes_alone or value.dtype.kind in kinds  # type: ignore[attr-defined]
    if isinstance(value, np.generic):
        return kind.__module__ in ("numpy", "ml_dtypes") and kind not in (np.void, np.object_)
    return (
        kind in BASE
        or kind in WIRE
        or (isinstance(value, np.dtype) and (value.char not in "OV" or value == "bfloat16"))
    )
