"""What is compared of a worker: the code of the libraries and of the worker itself.

Only what is code is compared: functions and what they close over, classes, modules, methods, properties, and the names
of modules and classes that refer to them. Numbers, lists, caches and registries change in an honest run. Each record
lists the words that belong to it, and says by name what differs if one of them does.
"""

from __future__ import annotations

import builtins
import functools
import gc
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple, Protocol

from gradetape.worker import layout
from gradetape.worker.layout import KeysHead, UnknownLayout
from gradetape.worker.memory import WORD

Read = Callable[[int, int], bytes]

_PACKAGES = frozenset(
    {"numpy", "ml_dtypes", "tensorflow", "keras", "tf_keras", "h5py", "msgspec", "gradetape", "builtins"}
)
# What the worker, Keras and TensorFlow do their work with, and honest code leaves alone.
_STANDARD = frozenset(
    {
        "ast", "codecs", "collections", "copy", "functools", "inspect", "io", "json", "linecache", "math", "operator",
        "os", "pathlib", "posixpath", "shutil", "socket", "struct", "tempfile", "types", "zipfile",
    }
)  # fmt: skip
_OWN = "gradetape"
_ALIASES = ("tensorflow._api.v2.compat.", "tensorflow.compat.")  # filled in when they are first used
_SHORT = {"numpy": "np", "tensorflow": "tf"}
_WRAPPERS = (staticmethod, classmethod, property, partial, MethodType, functools._lru_cache_wrapper)
_SOCKET_END = 32  # the class, the descriptor, and what kind of socket it is
_DESCRIPTORS = (staticmethod, classmethod, property)


class CodeRecord(Protocol):
    """A part of the code that is compared."""

    def addresses(self) -> Iterable[int]:
        """The words that belong to it."""

    def changes(self, read: Read) -> Iterator[str]:
        """The names of what differs in the memory that `read` reads, if one of its words does."""


class FunctionRecord(NamedTuple):
    """A function: its code, defaults, closure, and the code in its closure."""

    function: FunctionType
    offsets: tuple[int, ...]

    def addresses(self) -> Iterable[int]:
        """The words of the function, and of the cells that hold code."""
        address = id(self.function)
        found = [address + offset for offset in self.offsets]
        for cell in self.function.__closure__ or ():
            if _holds_code(cell):
                found += layout.offsets(cell, [cell.cell_contents])
        return found

    def changes(self, read: Read) -> Iterator[str]:
        """Its full name."""
        yield f"{shortened(str(self.function.__module__))}.{self.function.__qualname__}"


class PartRecord(NamedTuple):
    """An object with what it refers to, as a wrapper of a function."""

    name: str
    words: tuple[int, ...]

    def addresses(self) -> Iterable[int]:
        """The words that refer to its parts."""
        return self.words

    def changes(self, read: Read) -> Iterator[str]:
        """Its name."""
        yield self.name


class SlotsRecord(NamedTuple):
    """Some slots of a class. `follows`: much else in them follows from a change that has a name of its own."""

    holder: type
    what: str
    offsets: tuple[int, ...]
    follows: bool

    def addresses(self) -> Iterable[int]:
        """The slots."""
        return (id(self.holder) + offset for offset in self.offsets)

    def changes(self, read: Read) -> Iterator[str]:
        """Its name, if a slot differs. Of its bases and their order the content counts: Keras 2 renews the tuples."""
        own, now = (read_words(each, id(self.holder), self.offsets) for each in (layout.string, read))
        renewed = {layout.TYPE_BASES: self.holder.__bases__, layout.TYPE_MRO: self.holder.__mro__}
        for offset, was, value in zip(self.offsets, own, now, strict=True):
            if was != value and not (offset in renewed and layout.same_tuple(renewed[offset], value, read)):
                yield f"{class_name(self.holder)} ({self.what})"
                return


def _slots_of(cls: type) -> Iterator[SlotsRecord]:
    yield SlotsRecord(cls, "its bases", layout.TYPE_OWN, follows=False)
    yield SlotsRecord(cls, "its slots", layout.TYPE_SLOTS, follows=layout.dict_of(cls) is not None)


class DictRecord(NamedTuple):
    """The names in a dict that refer to code.

    `strict`: every value counts as code, and a new name is a change. `hidden` are the names and values that a new name
    would hide. `only` chooses among the names by their values.
    """

    place: str
    names: dict[Any, Any]
    strict: bool
    hidden: Callable[[], Iterable[tuple[str, object]]]
    only: Callable[[Any, Any], bool] = lambda _key, _value: True

    def addresses(self) -> Iterable[int]:
        """The dict's tables, how full they are, and the entries that refer to code."""
        keys = layout.word(id(self.names) + layout.DICT_KEYS)
        head = KeysHead.read(layout.string(keys, layout.KEYS_HEAD))
        yield from (id(self.names) + layout.DICT_KEYS, id(self.names) + layout.DICT_VALUES, keys + layout.KEYS_COUNT)
        compared = {id(key) for key, value in self.names.items() if self._is_compared(key, value)}
        first = keys + head.entries + head.key
        for number, key in enumerate(_words(layout.string(first, head.number * head.size))[:: head.size // WORD]):
            if key in compared:
                at = first + number * head.size
                yield from (at, at + WORD)

    def changes(self, read: Read) -> Iterator[str]:
        """The names whose values differ, are gone or are new."""
        try:
            found = entries(id(self.names), read)
        except UnknownLayout:
            yield f"{self.place} (it cannot be read)"
            return
        for key, value in self.names.items():
            if found.get(id(key)) != id(value) and self._is_compared(key, value):
                yield self._name(key)
        yield from self._new(found)

    def _is_compared(self, key: Any, value: Any) -> bool:
        return self.only(key, value) and (self.strict or is_code(value))

    def _new(self, found: dict[int, int]) -> Iterator[str]:
        """The new names; of a dict that is not strict, those that hide something."""
        new = found.keys() - {id(key) for key in self.names}
        if new and self.strict:
            yield f"{self.place} (it has new names)"
        for name, value in self.hidden() if new else ():
            if id(name) in new and found[id(name)] != id(value) and is_code(value):
                yield self._name(name)

    def _name(self, key: object) -> str:
        return f"{self.place}.{key}" if isinstance(key, str) and key.isidentifier() else f"{self.place}[{key!r}]"


def entries(address: int, read: Read) -> dict[int, int]:
    """The keys and values of a dict as numbers, read from memory that may hold anything; raises UnknownLayout."""
    tables = read(address + layout.DICT_KEYS, 2 * WORD)
    keys, values = int.from_bytes(tables[:WORD], "little"), int.from_bytes(tables[WORD:], "little")
    head = KeysHead.read(read(keys, layout.KEYS_HEAD))
    data = read(keys + head.entries + head.key, head.number * head.size)
    if values or len(data) < head.number * head.size - head.key:
        raise UnknownLayout
    numbers, step = _words(data), head.size // WORD
    pairs = zip(numbers[::step], numbers[1::step], strict=False)
    return {key: value for key, value in pairs if value}


def _words(data: bytes) -> memoryview:
    return memoryview(data[: len(data) // WORD * WORD]).cast("Q")


def read_words(read: Read, address: int, offsets: Iterable[int]) -> list[int]:
    """Some words of an object."""
    return [int.from_bytes(read(address + offset, WORD), "little") for offset in offsets]


def is_code(value: object) -> bool:
    """Whether a value is something that computes, or holds such things."""
    return callable(value) or isinstance(value, (ModuleType, *_DESCRIPTORS))


def class_name(cls: type) -> str:
    """A class's full name."""
    return f"{shortened(str(cls.__module__))}.{cls.__qualname__}"


def shortened(name: str) -> str:
    """A module's name, with the usual short names of NumPy and TensorFlow."""
    first, dot, rest = name.partition(".")
    return f"{_SHORT.get(first, first)}{dot}{rest}"


def records(worker: object) -> list[CodeRecord]:
    """Everything that is compared: first what has names of its own, then the slots of classes."""
    modules = {name: module for name, module in sys.modules.items() if _is_compared(name, module)}
    classes = [each for each in _derived(object) if _package(each) in _PACKAGES]
    loaded = DictRecord("sys.modules", sys.modules, False, tuple, lambda name, _: name in modules)
    found: list[CodeRecord] = [loaded]
    found += _of_modules(modules)
    found += [part for cls in classes for part in _of_class(cls)]
    found += _of_functions()
    found += OwnObjects().walk(worker)
    found += [record for each in classes for record in _slots_of(each)]
    found.append(PartRecord("gc.callbacks", layout.list_addresses(gc.callbacks)))
    return found


def _derived(base: type) -> list[type]:
    """A class and all that derive from it, those too that are written in C and that no collector knows."""
    found, left = {id(base): base}, [base]
    while left:
        derived: list[type] = type.__subclasses__(left.pop())
        left += [each for each in derived if id(each) not in found]
        found.update((id(each), each) for each in derived)
    return list(found.values())


def _is_compared(name: str, module: object) -> bool:
    package = name.partition(".")[0]
    return (
        isinstance(module, ModuleType)
        and (package in _PACKAGES or package in _STANDARD)
        and not name.startswith(_ALIASES)
    )


def _of_modules(modules: dict[str, ModuleType]) -> Iterator[CodeRecord]:
    for name, module in modules.items():
        own = name.partition(".")[0] == _OWN
        place = shortened(name)
        yield DictRecord(place, vars(module), own, _builtin_names, partial(_stays, module))
        yield PartRecord(place, (id(module) + layout.OB_TYPE, *layout.offsets(module, [vars(module)])))
        for key, value in vars(module).items():
            if isinstance(value, _WRAPPERS):
                yield from _wrapper(f"{place}.{key}", value)


def _stays(holder: ModuleType, name: str, value: object) -> bool:
    """Whether a name of a module keeps its value in an honest run.

    What is loaded when it is first used is replaced then, and a package's name for another package's module is when the
    module is imported under the package's name, as `tensorflow.math` is.
    """
    if not isinstance(value, ModuleType):
        return True
    imported = hasattr(holder, "__path__") and value.__name__ != f"{holder.__name__}.{name}"
    return type(value) is ModuleType and not imported


def _builtin_names() -> Iterable[tuple[str, object]]:
    return vars(builtins).items()


def _of_class(cls: type) -> Iterator[CodeRecord]:
    names = layout.dict_of(cls)
    if names is None:
        return
    place = class_name(cls)
    yield DictRecord(place, names, _package(cls) == _OWN, partial(_inherited, cls))
    for key, value in names.items():
        if isinstance(value, _WRAPPERS):
            yield from _wrapper(f"{place}.{key}", value)


def _inherited(cls: type) -> Iterator[tuple[str, object]]:
    """What a class inherits."""
    for base in cls.__mro__[1:]:
        yield from vars(base).items()


def _wrapper(name: str, value: object) -> Iterator[CodeRecord]:
    parts = [part for part in gc.get_referents(value) if is_code(part) or type(part) in (tuple, dict)]
    if words := layout.offsets(value, parts):
        yield PartRecord(name, words)


def _of_functions() -> Iterator[CodeRecord]:
    offsets, packages = layout.function_offsets(), _PACKAGES | _STANDARD
    for each in gc.get_objects():
        if type(each) is FunctionType and _package(each) in packages:
            yield FunctionRecord(each, offsets)


def _holds_code(cell: CellType) -> bool:
    try:
        return is_code(cell.cell_contents)
    except ValueError:  # it is empty
        return False


def _package(thing: Any) -> str:
    name = getattr(thing, "__module__", None)
    return name.partition(".")[0] if isinstance(name, str) else ""


class OwnObjects:
    """The objects of the worker itself, each once; those that hold state are compared by reference alone."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def walk(self, value: object, name: str = "") -> Iterator[CodeRecord]:
        """The records of an object and of the objects of the worker that it refers to."""
        if id(value) in self._seen:
            return
        self._seen.add(id(value))
        if isinstance(value, dict):
            yield from self._of_dict(value, name)
        elif isinstance(value, socket.socket):
            yield PartRecord(name, tuple(range(id(value) + layout.OB_TYPE, id(value) + _SOCKET_END, WORD)))
        elif isinstance(value, MethodType | partial):
            yield from _wrapper(name, value)
            yield from self.walk(getattr(value, "__self__", None), name)
        elif _package(type(value)) == _OWN and not isinstance(value, type):
            yield from self._of_object(value)

    def _of_dict(self, value: dict[Any, Any], name: str) -> Iterator[CodeRecord]:
        if not value or not all(map(is_code, value.values())):
            return
        yield DictRecord(name, value, True, tuple)
        for key, each in value.items():
            yield from self.walk(each, f"{name}[{str(key)!r}]")

    def _of_object(self, value: object) -> Iterator[CodeRecord]:
        """An object without a `__dict__`: what it refers to, but for state."""
        place = class_name(type(value))
        for name, part in _slots(value).items():
            if not _is_state(part):
                yield PartRecord(f"{place}.{name}", layout.offsets(value, [part]))
                yield from self.walk(part, f"{place}.{name}")
        yield PartRecord(place, (id(value) + layout.OB_TYPE,))


def _slots(value: object) -> dict[str, object]:
    names = (name for cls in type(value).__mro__ for name in vars(cls).get("__slots__", ()))
    return {name: getattr(value, name, None) for name in names}


def _is_state(value: object) -> bool:
    """Whether a value of the worker's is replaced as it works: a number, a list, or an object that holds only such."""
    if isinstance(value, int | float | str | list | set | None):
        return True
    slots = _slots(value) if _package(type(value)) == _OWN else {}
    return bool(slots) and all(map(_is_state, slots.values()))
