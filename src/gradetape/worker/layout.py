"""Where CPython keeps what is compared: offsets within its objects, tried on samples of this very interpreter.

The offsets of a function, a frame and a thread's state are searched for; those of a dict and of a type are the same in
all versions of CPython that gradetape supports, and verified. An interpreter with another layout is refused.
"""

from __future__ import annotations

import builtins
import ctypes
import gc
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType, FunctionType
from typing import Any, NamedTuple

import numpy as np

from gradetape.worker.memory import WORD, Words

DICT_KEYS, DICT_VALUES = 32, 40
KEYS_HEAD = 32
KEYS_COUNT = 24
OB_TYPE = 8
_TYPE_DICT, _TYPE_BASE, TYPE_BASES, TYPE_MRO = 264, 256, 336, 344
_TYPE_END = 408
_TYPE_VECTORCALL = 56  # where the class says at which offset its objects keep what calls them
_LIST_SIZE = 16
# Name, getattro, flags, documentation, cache, subclasses, weak references, version tag: an ordinary run changes these.
_NO_SLOTS = frozenset({16, 24, 144, 168, 176, 352, 360, 368, 384})
# The metaclass, the base and the bases; then everything else.
TYPE_OWN = (OB_TYPE, _TYPE_BASE, TYPE_BASES)
TYPE_SLOTS = tuple(offset for offset in range(32, _TYPE_END, WORD) if offset not in (_NO_SLOTS | {*TYPE_OWN}))
_GENERAL, _UNICODE, _MOST_ENTRIES = 0, 1, 1 << 20
_STATE_BYTES = 256
_FRAME = 24
_TUPLE_SIZE = 16
_FRAME_BYTES = 96
_CODES = range(0, _FRAME_BYTES, WORD)


_FIRST = 4096  # the first page is never there
_ALL = np.ctypeslib.as_array((ctypes.c_uint64 * (1 << 45)).from_address(_FIRST))


class UnknownLayout(Exception):
    """This interpreter keeps its objects in another way."""


class KeysHead(NamedTuple):
    """The head of a dict's table: where its entries begin, the size of one, the key's place in it, and their number."""

    entries: int
    size: int
    key: int
    number: int

    @classmethod
    def read(cls, data: bytes) -> KeysHead:
        """Raises UnknownLayout for a table of another kind, or one that is too large to be read."""
        if len(data) < KEYS_HEAD:
            raise UnknownLayout
        log2_index_bytes, kind = data[9], data[10]
        [number] = struct.unpack_from("<q", data, KEYS_COUNT)
        if kind not in (_GENERAL, _UNICODE) or log2_index_bytes > 32 or not 0 <= number <= _MOST_ENTRIES:
            raise UnknownLayout
        general = kind == _GENERAL
        return cls(KEYS_HEAD + (1 << log2_index_bytes), 24 if general else 16, 8 if general else 0, number)


def word(address: int) -> int:
    """A word of this process."""
    return int.from_bytes(ctypes.string_at(address, WORD), "little")


def words(addresses: Words) -> Words:
    """Words of this process, all of which it has; no object is looked at, so that a fork's pages stay shared."""
    found: Words = _ALL[(addresses - np.uint64(_FIRST)) // np.uint64(WORD)]
    return found


def string(address: int, size: int) -> bytes:
    """Bytes of this process."""
    return ctypes.string_at(address, size)


def offsets(holder: object, parts: list[object]) -> tuple[int, ...]:
    """The words in which an object of this process refers to one of these parts, as addresses."""
    numbers, first = {id(part) for part in parts}, id(holder) + OB_TYPE + WORD
    return tuple(at for at in range(first, id(holder) + type(holder).__basicsize__, WORD) if word(at) in numbers)


def same_tuple(value: tuple[object, ...], address: int, read: Callable[[int, int], bytes]) -> bool:
    """Whether another memory holds a tuple of the same objects at an address."""
    size = WORD * (1 + len(value))
    return read(address + _TUPLE_SIZE, size) == string(id(value) + _TUPLE_SIZE, size)


def function_offsets() -> tuple[int, ...]:
    """Where a function keeps its globals, builtins, code, defaults, keyword defaults, closure, and what calls it."""
    captured = object()

    def sample(a: object = captured, *, b: object = None) -> object:
        return captured, a, b

    parts: list[object] = [
        sample.__globals__, vars(builtins), sample.__code__,
        sample.__defaults__, sample.__kwdefaults__, sample.__closure__,
    ]  # fmt: skip
    found = offsets(sample, parts)
    if len(found) != len(parts):
        raise UnknownLayout
    return (*(address - id(sample) for address in found), word(id(FunctionType) + _TYPE_VECTORCALL))


def list_addresses(value: list[Any]) -> tuple[int, ...]:
    """The words of a list's length and of where its items are."""
    return id(value) + _LIST_SIZE, id(value) + _LIST_SIZE + WORD


def verify() -> None:
    """Raises UnknownLayout if a dict or a type is not laid out as expected."""

    class Called:
        def __call__(self) -> None:
            """For the slot."""

    table = {str(number): object() for number in range(20)}
    head = KeysHead.read(string(word(id(table) + DICT_KEYS), KEYS_HEAD))
    first = word(id(table) + DICT_KEYS) + head.entries
    entries = [(word(first + head.size * at), word(first + head.size * at + WORD)) for at in range(head.number)]
    if entries != [(id(key), id(value)) for key, value in table.items()] or word(id(table) + DICT_VALUES):
        raise UnknownLayout
    known = {_TYPE_BASE: Called.__base__, TYPE_BASES: Called.__bases__, TYPE_MRO: Called.__mro__, OB_TYPE: type}
    held = {id(part) for part in gc.get_referents(Called) if type(part) is dict}
    wrong = any(word(id(Called) + at) != id(part) for at, part in known.items())
    wrong = wrong or not 0 < word(id(FunctionType) + _TYPE_VECTORCALL) < FunctionType.__basicsize__
    if wrong or word(id([1, 2]) + _LIST_SIZE) != 2 or word(id(Called) + _TYPE_DICT) not in held:
        raise UnknownLayout


def dict_of(cls: type) -> dict[str, Any] | None:
    """A class's own dict; None for a class that is built in."""
    number = word(id(cls) + _TYPE_DICT)
    return next((part for part in gc.get_referents(cls) if type(part) is dict and id(part) == number), None)


def frame_address(frame: FrameType) -> int:
    """Where a running frame begins on the stack of Python's frames; raises UnknownLayout."""
    address = word(id(frame) + _FRAME)
    if not any(word(address + at) == id(frame.f_code) for at in _CODES):
        raise UnknownLayout
    return address


class ThreadsLayout(NamedTuple):
    """Where the state of the main thread is, and where a state keeps the next newer one and the frame that it runs.

    `through`: the frame is found there, in what the state refers to; None if the state refers to the frame itself.
    """

    main: int
    newer: int
    frame: int
    through: int | None
    code: int


def threads(read: Callable[[int], int]) -> ThreadsLayout:
    """Where threads are, found by means of one that is started for it; raises UnknownLayout.

    `read` reads a word of this process, and gives 0 where nothing is.
    """
    begun, end = threading.Semaphore(0), threading.Lock()

    def wait(acquire: Callable[[], object]) -> None:
        begun.release()
        acquire()

    main = _main_state()
    before = ctypes.string_at(main, _STATE_BYTES)
    with end:
        thread = threading.Thread(target=wait, args=(end.acquire,))
        thread.start()
        begun.acquire()
        places = [at for at in range(0, _STATE_BYTES, WORD) if not _word(before, at) and read(main + at)]
        found = [ThreadsLayout(main, at, *place) for at in places for place in _frames(read(main + at), wait, read)]
    thread.join()
    if not found or read(main + found[0].newer):
        raise UnknownLayout
    return found[0]


def _frames(
    state: int, function: Callable[..., object], read: Callable[[int], int]
) -> Iterator[tuple[int, int | None, int]]:
    """Where a thread's state refers to the frame of a function that it runs."""
    sought = getattr(function, "__code__", None)
    for at in range(0, _STATE_BYTES, WORD):
        for through in (None, 0, WORD):
            value = read(state + at)
            frame = value if through is None else read(value + through)
            yield from ((at, through, code) for code in _CODES if read(frame + code) == id(sought))


def _main_state() -> int:
    get = ctypes.pythonapi.PyThreadState_Get
    get.restype = ctypes.c_void_p
    state: int = get()
    return state


def trace_addresses() -> tuple[int, ...]:
    """The words of the main thread's state that are set while a function traces or profiles it."""
    state = _main_state()
    profiling, tracing = sys.getprofile(), sys.gettrace()
    try:
        return tuple(sorted({*_set_by(state, sys.setprofile), *_set_by(state, sys.settrace)}))
    finally:
        sys.setprofile(profiling)
        sys.settrace(tracing)


def _set_by(state: int, install: Callable[[Any], None]) -> set[int]:
    """Which words of a thread's state become other than zero."""

    def ignore(*_: object) -> None:
        """Sees the call that removes it."""

    install(None)
    before = ctypes.string_at(state, _STATE_BYTES)
    install(ignore)
    during = ctypes.string_at(state, _STATE_BYTES)
    install(None)
    after = ctypes.string_at(state, _STATE_BYTES)
    offsets = range(0, _STATE_BYTES, WORD)
    return {state + at for at in offsets if not _word(before, at) and _word(during, at) and not _word(after, at)}


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + WORD], "little")
