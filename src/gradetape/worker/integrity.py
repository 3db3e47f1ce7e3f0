"""Finds what a submission's cells replaced in NumPy, TensorFlow and Keras.

The public names are recorded when the zygote has imported them, and compared once the cells have run: whether each name
still refers to the same function or class, and each function still has its code. This helps staff but protects nothing:
code that knows it can undo its changes, or replace the comparison. Points never depend on it. `comparison` finds more,
and from outside, where the kernel lets the zygote read a worker's memory.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator
from itertools import chain, groupby, islice
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from gradetape.worker import layout
from gradetape.worker.generation import keras
from gradetape.worker.inventory import DictRecord
from gradetape.worker.layout import UnknownLayout

_ROOTS = {"np": np, "tf": tf, "keras": keras, "builtins": builtins}
_PACKAGES = ("numpy", "tensorflow", "keras", "tf_keras")
_SKIP = ("compat", "raw_ops", "src", "input")  # aliases, names that no check would use, and what a kernel replaces
_DEPTH = 2
_MOST = 20


class NameRecord(NamedTuple):
    """A recorded name: its full name, its holder, its value, and the value's code."""

    place: str
    holder: Any
    name: str
    value: object
    code: CodeType | None

    def changes(self) -> Iterator[str]:
        """The place, if the name has another value now, or its value other code."""
        now = vars(self.holder).get(self.name)
        if now is not self.value or _code(now) is not self.code:
            yield self.place


class ClassRecord(NamedTuple):
    """A recorded class: the names of its own."""

    holder: type
    names: frozenset[str]

    def changes(self) -> Iterator[str]:
        """The places of new names that hide an inherited function."""
        for name in vars(self.holder).keys() - self.names:
            if any(_code(vars(base).get(name)) is not None for base in self.holder.__mro__[1:]):
                yield _place(self.holder, name)


def _code(value: object) -> CodeType | None:
    inner = value.__func__ if isinstance(value, staticmethod | classmethod) else value
    return inner.__code__ if isinstance(inner, FunctionType) else None


def _recorded() -> Iterator[NameRecord | ClassRecord]:
    seen: set[int] = set()
    for root, module in _ROOTS.items():
        yield from _of_module(root, module, seen, _DEPTH)


def _of_module(place: str, module: ModuleType, seen: set[int], depth: int) -> Iterator[NameRecord | ClassRecord]:
    """The functions and classes of a module and of those below it; a module that is not loaded yet is skipped."""
    seen.add(id(module))
    public = [(name, value) for name, value in vars(module).items() if not name.startswith("_") and name not in _SKIP]
    for name, value in public:
        if callable(value):
            yield NameRecord(f"{place}.{name}", module, name, value, _code(value))
    for name, value in public:
        if isinstance(value, type):
            yield from _of_class(value, seen)
        elif depth and type(value) is ModuleType and id(value) not in seen and _package(value) == _package(module):
            yield from _of_module(f"{place}.{name}", value, seen, depth - 1)


def _of_class(cls: type, seen: set[int]) -> Iterator[NameRecord | ClassRecord]:
    """The functions of a class and of the classes that it derives from, public or not."""
    if id(cls) in seen or _package(cls) not in _PACKAGES:
        return
    seen.add(id(cls))
    yield ClassRecord(cls, frozenset(vars(cls)))
    for name, value in list(vars(cls).items()):
        if _code(value) is not None:
            yield NameRecord(_place(cls, name), cls, name, value, _code(value))
    for base in cls.__bases__:
        yield from _of_class(base, seen)


def _place(cls: type, name: str) -> str:
    return f"{cls.__module__}.{cls.__qualname__}.{name}"


def _package(thing: ModuleType | type) -> str:
    name = thing.__name__ if isinstance(thing, ModuleType) else str(thing.__module__)
    return name.split(".")[0]


class _Holder(NamedTuple):
    """The records of a module or a class, and the words that change if they do.

    `tables` are those that say where the table of its names is; only while they hold may `words` be read. A class that
    is built in has none of them: its records are always looked at.
    """

    records: tuple[NameRecord | ClassRecord, ...]
    tables: tuple[int, ...]
    words: tuple[int, ...]

    @classmethod
    def of(cls, holder: Any, records: tuple[NameRecord | ClassRecord, ...]) -> _Holder:
        """Raises UnknownLayout for a table of another kind."""
        names = layout.dict_of(holder) if isinstance(holder, type) else vars(holder)
        if names is None:
            return cls(records, (), ())
        recorded = {record.name: record.value for record in records if isinstance(record, NameRecord)}
        keys, values, *rest = DictRecord("", names, True, tuple, lambda name, _: name in recorded).addresses()
        return cls(records, (keys, values), (*rest, *chain.from_iterable(map(_code_words, recorded.values()))))


def _code_words(value: object) -> tuple[int, ...]:
    """The words in which a function keeps its code, and a wrapper its function."""
    if isinstance(value, staticmethod | classmethod):
        return (*layout.offsets(value, [value.__func__]), *_code_words(value.__func__))
    return layout.offsets(value, [value.__code__]) if isinstance(value, FunctionType) else ()


class _Words:
    """Some words of this process for each holder, as they were."""

    def __init__(self, holders: list[tuple[int, ...]]) -> None:
        self._addresses = np.array(list(chain.from_iterable(holders)), np.uint64)
        self._owners = np.repeat(np.arange(len(holders)), [len(words) for words in holders])
        self._before = layout.words(self._addresses)

    def differ(self, skipped: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Which holders have other words now; those of the skipped are not read, and count as such."""
        read = ~skipped[self._owners]
        differ = skipped.copy()
        differ[self._owners[read][layout.words(self._addresses[read]) != self._before[read]]] = True
        return differ


class _Names:
    """Everything that is recorded, by its holders."""

    def __init__(self, records: tuple[NameRecord | ClassRecord, ...]) -> None:
        layout.verify()
        groups = [(holder, tuple(some)) for holder, some in groupby(records, lambda record: record.holder)]
        self._holders = [_Holder.of(holder, some) for holder, some in groups]
        self._unknown = np.array([not holder.tables for holder in self._holders], np.bool_)
        self._tables = _Words([holder.tables for holder in self._holders])
        self._words = _Words([holder.words for holder in self._holders])

    def suspects(self) -> Iterator[NameRecord | ClassRecord]:
        """The records of the holders in which something differs."""
        for number in np.flatnonzero(self._words.differ(self._tables.differ(self._unknown))).tolist():
            yield from self._holders[number].records


def _names() -> _Names | None:
    try:
        return _Names(_BEFORE)
    except UnknownLayout:
        return None


_BEFORE = tuple(_recorded())
_LOADED = tuple((name, sys.modules[name]) for name in _PACKAGES if name in sys.modules)
_NAMES = _names()


def changed() -> list[str]:
    """The places of changes since the import, a few at most."""
    replaced = (f"sys.modules[{name!r}]" for name, module in _LOADED if sys.modules.get(name) is not module)
    suspects = _BEFORE if _NAMES is None else _NAMES.suspects()
    return list(islice(chain(replaced, chain.from_iterable(recorded.changes() for recorded in suspects)), _MOST))
