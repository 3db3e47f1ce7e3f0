"""Handles represent objects in the worker. An attribute, a call or an index on a handle is one exchange. The judge
computes in its own process: an operator, a comparison or a NumPy function on a tensor's handle fetches the numbers once
and uses those, so that neither the student's `__eq__` nor NumPy's protocols (`__array_wrap__`, `__rsub__`) ever meet an
expected value. On any other object an operator raises TypeError with advice. Names with double underscores are never
looked up in the worker.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, Protocol

import numpy as np
import numpy.typing as npt
from numpy.lib.mixins import NDArrayOperatorsMixin

from gradetape.errors import StudentError
from gradetape.wire.operations import Operation
from gradetape.wire.values import Ref


class HandleOwner(Protocol):
    """The part of a connection that a handle needs."""

    def ask(self, operation: Operation, *args: object) -> Any:
        """One exchange: the operation's result; raises the exception that it raised in the worker."""


_UNARY = "neg pos abs invert bool int float complex index round trunc floor ceil"
_BINARY = "add sub mul truediv floordiv mod divmod pow matmul and or xor lshift rshift"
_COMPARISONS = "eq ne lt le gt ge contains"
_OPERATORS = (*_UNARY.split(), *_BINARY.split(), *(f"r{name}" for name in _BINARY.split()), *_COMPARISONS.split())


class Handle:
    """An object in the worker. One object is one handle, so `is` works.

    Large because Python looks up each operation of the language as a method of the class.
    """

    __slots__ = ("__weakref__", "_gradetape_owner", "_gradetape_ref")
    _gradetape_owner: HandleOwner
    _gradetape_ref: Ref

    def __init__(self, owner: HandleOwner, ref: Ref) -> None:
        object.__setattr__(self, "_gradetape_owner", owner)
        object.__setattr__(self, "_gradetape_ref", ref)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"{name} is not looked up in the worker")
        return self._gradetape_owner.ask(Operation.GETATTR, self, name)

    def __setattr__(self, name: str, value: object) -> None:
        self._gradetape_owner.ask(Operation.SETATTR, self, name, value)

    def __delattr__(self, name: str) -> None:
        self._gradetape_owner.ask(Operation.DELATTR, self, name)

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """Calls it in the worker."""
        return self._gradetape_owner.ask(Operation.CALL, self, list(args), kwargs)

    def __getitem__(self, index: object) -> Any:
        return self._gradetape_owner.ask(Operation.GETITEM, self, index)

    def __setitem__(self, index: object, value: object) -> None:
        self._gradetape_owner.ask(Operation.SETITEM, self, index, value)

    def __len__(self) -> int:
        return _checked(self._gradetape_owner.ask(Operation.LEN, self), int)  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[Any]:
        return _items(self._gradetape_owner, self._gradetape_owner.ask(Operation.ITER, self))

    def __enter__(self) -> Any:
        return self._gradetape_owner.ask(Operation.ENTER, self)

    def __exit__(self, kind: object, value: object, traceback: object) -> None:
        self._gradetape_owner.ask(Operation.EXIT, self)

    def __instancecheck__(self, value: object) -> bool:
        return self._gradetape_owner.ask(Operation.ISINSTANCE, value, self) is True

    def __subclasscheck__(self, value: object) -> bool:
        return self._gradetape_owner.ask(Operation.ISSUBCLASS, value, self) is True

    def __hash__(self) -> int:
        return hash(self._gradetape_ref.id)

    def __repr__(self) -> str:
        return f"<{ascii(self._gradetape_ref.cls)[1:-1]} in the worker>"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __dir__(self) -> list[str]:
        return []

    def __array__(self, dtype: object = None, copy: bool | None = None) -> NoReturn:
        raise TypeError(f"{self!r} is not numeric: return a tensor or an array here")

    def __array_ufunc__(self, ufunc: object, method: str, *inputs: object, **kwargs: object) -> Any:
        self.__array__()

    def __array_function__(self, func: object, types: object, args: object, kwargs: object) -> Any:
        self.__array__()

    def __reduce_ex__(self, *_: object) -> NoReturn:
        raise TypeError("a handle cannot be copied or pickled: its object is in the worker")

    __copy__ = __deepcopy__ = __reduce__ = __reduce_ex__


def _items(owner: HandleOwner, iterator: object) -> Iterator[Any]:
    while items := _checked(owner.ask(Operation.NEXT, iterator), list):
        yield from items


def _checked(value: object, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"the object in the worker returned {type(value).__name__} instead of {kind.__name__}")
    return value


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refuse(self: Handle, *_: object) -> NoReturn:
        raise TypeError(
            f"__{name}__ of {self!r} is not supported: a check computes only with tensors and plain data. "
            "To compute in the worker, call tf.… or a @in_worker function. To compare identity, use `is`."
        )

    return refuse


for _name in _OPERATORS:
    setattr(Handle, f"__{_name}__", _refusal(_name))


class TensorHandle(NDArrayOperatorsMixin, Handle):
    """A tensor or a variable in the worker; it computes like the NumPy array of its numbers.

    A tensor's numbers are fetched once. A variable's are fetched each time, since they change.
    Large because Python looks up each operation of the language as a method of the class.
    """

    __slots__ = ("_gradetape_seen",)
    _gradetape_seen: npt.NDArray[Any] | None

    def __init__(self, owner: HandleOwner, ref: Ref) -> None:
        super().__init__(owner, ref)
        object.__setattr__(self, "_gradetape_seen", None)

    def _gradetape_numbers(self) -> npt.NDArray[Any]:
        seen = self._gradetape_seen
        if seen is None or self._gradetape_ref.kind == "variable":
            seen = _checked(self._gradetape_owner.ask(Operation.NUMBERS, self), np.ndarray)
            seen.setflags(write=False)
            object.__setattr__(self, "_gradetape_seen", seen)
        return seen

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:  # type: ignore[override]
        numbers = self._gradetape_numbers()
        if copy or (dtype is not None and dtype != numbers.dtype):
            return numbers.astype(dtype or numbers.dtype)
        return numbers

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: object, **kwargs: Any) -> Any:
        if any(isinstance(out, Handle) for out in kwargs.get("out", ())):
            del kwargs["out"]  # `x += 1` makes a new array: the object in the worker does not change
        return getattr(ufunc, method)(*_numbers(inputs), **_numbers(kwargs))

    def __array_function__(self, func: Any, types: object, args: object, kwargs: Any) -> Any:
        return func(*_numbers(args), **_numbers(kwargs))

    def __len__(self) -> int:
        return len(self._gradetape_numbers())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._gradetape_numbers())

    def __contains__(self, value: object) -> bool:
        return _numbers(value) in self._gradetape_numbers()

    def __bool__(self) -> bool:
        return bool(self._gradetape_numbers())

    def __int__(self) -> int:
        return int(self._gradetape_numbers())

    def __float__(self) -> float:
        return float(self._gradetape_numbers())

    def __complex__(self) -> complex:
        return complex(self._gradetape_numbers())

    def __index__(self) -> int:
        return self._gradetape_numbers().__index__()

    def __round__(self, digits: int | None = None) -> Any:
        return round(self._gradetape_numbers()[()], digits)  # type: ignore[call-overload]

    def __trunc__(self) -> int:
        return math.trunc(float(self))

    def __floor__(self) -> int:
        return math.floor(float(self))

    def __ceil__(self) -> int:
        return math.ceil(float(self))

    def __format__(self, spec: str) -> str:
        numbers = self._gradetape_numbers()
        return format(numbers[()], spec) if numbers.ndim == 0 else format(str(numbers), spec)

    __hash__ = Handle.__hash__

    def __repr__(self) -> str:
        seen = self._gradetape_seen
        if seen is None:
            return super().__repr__()
        text = np.array2string(seen, threshold=20, edgeitems=3, precision=8, separator=", ")
        return f"<{self._gradetape_ref.kind} shape={seen.shape} dtype={seen.dtype} {text[:600]}>"


def _numbers(value: Any) -> Any:
    """`value` with its tensors' handles replaced by arrays."""
    if isinstance(value, TensorHandle):
        return np.asarray(value)
    if type(value) in (list, tuple):
        return type(value)(_numbers(item) for item in value)
    if type(value) is dict:
        return {key: _numbers(item) for key, item in value.items()}
    return value


class Names:
    """A submission's names, or a module's: attributes are handles or plain data, looked up at each use."""

    __slots__ = ("_gradetape_ask",)

    def __init__(self, ask: Callable[[str], Any]) -> None:
        self._gradetape_ask = ask

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._gradetape_ask(name)

    def __repr__(self) -> str:
        return "<names in the worker>"


def student_error(chain: list[str], kind: str, text: str, traceback: str) -> StudentError:
    """The exception to raise in a check for an exception in the worker.

    `chain` names the classes of that exception, most special first; the first listed one is a base class as well.
    """
    base = next((ERRORS[name] for name in chain if name in ERRORS), None)
    error = (_combined(base) if base else StudentError)(f"{kind}: {text}" if text else kind)
    error.kind, error.traceback = kind, traceback
    return error


class InvalidArgumentError(Exception):
    """Represents `tf.errors.InvalidArgumentError`, which the judge does not import."""


ERRORS: dict[str, type[Exception]] = {
    error.__name__: error
    for error in (
        ValueError, TypeError, KeyError, IndexError, LookupError, AttributeError, NameError, NotImplementedError,
        RuntimeError, ArithmeticError, ZeroDivisionError, OverflowError, OSError, FileNotFoundError, FileExistsError,
        PermissionError, NotADirectoryError, IsADirectoryError, ImportError, AssertionError, InvalidArgumentError,
    )
}  # fmt: skip


def _combined(base: type[Exception]) -> type[StudentError]:
    return type(base.__name__, (StudentError, base), {"__module__": __name__, "__str__": Exception.__str__})
