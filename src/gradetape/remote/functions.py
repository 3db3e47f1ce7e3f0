"""Functions that a check runs in the worker in one round trip."""

from __future__ import annotations

import ast
import builtins
import dis
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import CodeType, FunctionType
from typing import Any

from gradetape.errors import CourseError
from gradetape.remote.handles import Handle, HandleOwner
from gradetape.wire.operations import Operation
from gradetape.wire.values import FunctionSource

_PRESENT = frozenset({"tf", "keras", "np"})
_default: ContextVar[Callable[[], HandleOwner]] = ContextVar(
    "the worker of functions without handles among their arguments"
)


class WorkerFunction:
    """A self-contained function that runs in the worker: it uses only its arguments, `tf`, `keras` and `np`.

    @in_worker
    def doubled_twice(fn, x):
        return fn(fn(tf.constant(x)))
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        assert isinstance(function, FunctionType)
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self._source = FunctionSource(function.__name__, _text(function))

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """Runs it in the worker of the handles among the arguments; without handles, in the student's worker."""
        owner = next(_owners([*args, *kwargs.values()]), None) or _default.get()()
        return owner.ask(Operation.CALL, self, list(args), kwargs)

    def gradetape_source(self) -> FunctionSource:
        """What is sent instead of the function."""
        return self._source

    def __repr__(self) -> str:
        return f"<worker function {self.__name__}>"


@contextmanager
def default_worker(get: Callable[[], HandleOwner]) -> Iterator[None]:
    """Sets the worker of functions without handles, while the context lasts."""
    token = _default.set(get)
    try:
        yield
    finally:
        _default.reset(token)


def _owners(values: Any) -> Iterator[HandleOwner]:
    for value in values:
        if isinstance(value, Handle):
            yield value._gradetape_owner
        elif type(value) in (list, tuple):
            yield from _owners(value)
        elif type(value) is dict:
            yield from _owners(value.values())


def _text(function: FunctionType) -> str:
    """The function's source without decorators, annotations, docstrings and comments; raises CourseError if it is not
    self-contained."""
    node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(node, ast.FunctionDef)
    node.decorator_list = []
    text = ast.unparse(_Bare().visit(node)) + "\n"
    present = {*_PRESENT, *dir(builtins), function.__name__}
    foreign = sorted(_global_names(compile(text, function.__name__, "exec", dont_inherit=True)) - present)
    if foreign:
        raise CourseError(
            f"{inspect.getsourcefile(function)}: the @in_worker function {function.__name__} uses "
            f"{', '.join(foreign)}, which is not defined in the worker. "
            "Pass it as an argument, or define it inside the function."
        )
    return text


class _Bare(ast.NodeTransformer):
    """Drops annotations, whose names are not defined in the worker (AutoGraph would look them up), and docstrings."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node


def _global_names(code: CodeType) -> set[str]:
    """The global names that code, or a function or class in it, loads; without the names that a class's body
    defines."""
    steps = list(dis.get_instructions(code))
    names = {step.argval for step in steps if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    names -= {step.argval for step in steps if step.opname == "STORE_NAME"}
    return names.union(*(_global_names(inner) for inner in code.co_consts if isinstance(inner, CodeType)))
