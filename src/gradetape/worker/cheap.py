"""Which statements of a cell are run though the cell failed: what defines something, and what costs next to nothing.

Nothing of a submission's own is called here. A value is cheap if it consists of constants, names, attributes of
modules, arithmetic on numbers, and calls of a few functions and classes that only make something small, with cheap
arguments.
"""

from __future__ import annotations

import ast
import sys
from types import ModuleType
from typing import Any

from gradetape.worker.definitions import DEFINITIONS

_DEFINITIONS = (*DEFINITIONS, ast.Import, ast.ImportFrom, ast.Pass)
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_MOST_POWER = 64
_BUILTIN = frozenset({"int", "float", "complex", "bool", "str", "bytes", "set", "dict", "frozenset", "slice", "object"})
_FUNCTIONS = {
    "tensorflow": (
        "function", "custom_gradient", "constant", "Variable", "TensorSpec", "RaggedTensorSpec", "SparseTensorSpec",
        "TensorShape", "as_dtype",
    ),
    "numpy": ("array", "asarray", "dtype", "float16", "float32", "float64", "int8", "int16", "int32", "int64", "bool_"),
    "numpy.random": ("default_rng", "RandomState", "SeedSequence"),
    "functools": ("partial", "lru_cache", "cache", "wraps", "singledispatch"),
    "collections": ("namedtuple", "OrderedDict", "defaultdict", "Counter", "deque"),
    "dataclasses": ("dataclass", "field", "make_dataclass"),
    "typing": ("TypeVar", "NewType", "NamedTuple", "cast"),
    "pathlib": ("Path", "PurePath"),
    "random": ("Random",),
    "logging": ("getLogger",),
    "keras": ("Input", "KerasTensor"),
    "tf_keras": ("Input",),
}  # fmt: skip
_KERAS = ("keras", "tf_keras")
_LARGE = ("Model", "Functional", "Sequential")  # building them may take their weights' memory


def is_cheap(statement: ast.stmt, namespace: dict[str, Any]) -> bool:
    """Whether a statement only defines something, given the names that are defined so far."""
    if isinstance(statement, _DEFINITIONS):
        return True
    values = Values(namespace)
    if isinstance(statement, ast.Assign):
        return values.is_cheap(statement.value)
    if isinstance(statement, ast.AnnAssign):
        return statement.value is None or values.is_cheap(statement.value)
    if isinstance(statement, ast.If):
        return values.is_cheap(statement.test) and _all_cheap([*statement.body, *statement.orelse], namespace)
    if isinstance(statement, ast.Try):
        handled = [each for handler in statement.handlers for each in handler.body]
        return _all_cheap([*statement.body, *handled, *statement.orelse, *statement.finalbody], namespace)
    return False


def _all_cheap(statements: list[ast.stmt], namespace: dict[str, Any]) -> bool:
    return all(is_cheap(each, namespace) for each in statements)


class Values:
    """Which expressions are cheap, given the names that are defined."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace

    def is_cheap(self, value: ast.expr) -> bool:
        """Whether an expression costs next to nothing."""
        match value:
            case ast.Constant() | ast.Name() | ast.Lambda():
                return True
            case ast.Attribute():
                return self._found(value) is not None
            case ast.Tuple(elts) | ast.List(elts) | ast.Set(elts) | ast.BoolOp(values=elts):
                return all(map(self.is_cheap, elts))
            case ast.Dict(keys, values):
                return all(self.is_cheap(each) for each in (*keys, *values) if each is not None)
            case ast.UnaryOp(operand=operand):
                return self._is_number(operand) or (isinstance(value.op, ast.Not) and self.is_cheap(operand))
            case ast.BinOp():
                return self._is_number(value)
            case ast.Compare(left=left, comparators=others):
                return all(isinstance(each, ast.Constant) or self._is_number(each) for each in (left, *others))
            case ast.Call():
                return self._is_cheap_call(value)
        return False

    def _is_cheap_call(self, call: ast.Call) -> bool:
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        return _makes_little(self._found(call.func)) and all(map(self.is_cheap, arguments))

    def _found(self, value: ast.expr) -> Any:
        """What a name or an attribute of a module or class refers to, or None; no code of a submission is run."""
        if isinstance(value, ast.Name):
            return self._namespace.get(value.id, getattr(sys.modules["builtins"], value.id, None))
        if isinstance(value, ast.Attribute) and not value.attr.startswith("__"):
            holder = self._found(value.value)
            if isinstance(holder, ModuleType):
                return getattr(holder, value.attr, None)
            if type(holder) is type:
                return vars(holder).get(value.attr)
        return None

    def _is_number(self, value: ast.expr) -> bool:
        """Whether a value is a number, or arithmetic on numbers that cannot take long."""
        match value:
            case ast.Constant(value=constant):
                return isinstance(constant, int | float | complex)
            case ast.Name() | ast.Attribute():
                return type(self._found(value)) in (int, float, complex, bool)
            case ast.UnaryOp(operand=operand):
                return self._is_number(operand)
            case ast.BinOp(left, ast.Pow(), ast.Constant(value=power)):
                return isinstance(power, int | float) and abs(power) <= _MOST_POWER and self._is_number(left)
            case ast.BinOp(left, operator, right):
                return isinstance(operator, _ARITHMETIC) and self._is_number(left) and self._is_number(right)
        return False


def _makes_little(called: Any) -> bool:
    """Whether a function or class is known to make only something small of small arguments."""
    if called is None:
        return False
    if isinstance(called, type) and called.__module__ == "builtins":
        return called.__name__ in _BUILTIN
    if isinstance(called, type) and str(called.__module__).split(".")[0] in _KERAS:
        return not any(base.__name__ in _LARGE for base in called.__mro__)
    known = (getattr(sys.modules.get(module), name, None) for module, names in _FUNCTIONS.items() for name in names)
    return any(called is each for each in known)
