"""Runs what a cell defines although the cell failed: its imports, functions, classes and cheap assignments."""

from __future__ import annotations

import ast
import re
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from gradetape.worker.cheap import is_cheap
from gradetape.worker.compiler import CellCompiler
from gradetape.worker.definitions import DEFINITIONS

_CELL_MAGIC = re.compile(r"\s*%%(?P<name>\w+)[^\n]*(?:\n|$)")
_WRAPPING = ("time", "timeit", "capture", "prun")
_SHOWN = 20
Run = Callable[[ast.stmt], None]


class Place(NamedTuple):
    """Where a cell stopped: the statements of the text, and the number of the one that failed."""

    name: str
    statements: list[ast.stmt]
    failed: int


class Salvaged(NamedTuple):
    """The statements that were run, those that were left out, and the errors of those that were tried."""

    run: list[ast.stmt]
    left_out: list[ast.stmt]
    errors: list[BaseException]

    def described(self, failed: ast.stmt) -> str:
        """What was run after a statement failed, as text; empty if nothing was."""
        if not self.run:
            return ""
        shown = [_described(each) for each in self.run[:_SHOWN]]
        more = [f"and {len(self.run) - _SHOWN} more"] if len(self.run) > _SHOWN else []
        left_out = f"; left out: {_lines(self.left_out)}" if self.left_out else ""
        told = "; ".join(shown + more)
        return f"{_lines([failed])} failed; of the rest, this was still run: {told}{left_out}"


def python_text(source: str, is_known: Callable[[str], bool]) -> str:
    """A cell without the magics that only wrap its code, whose lines are then empty; empty if it is not Python.

    `is_known`: there is a cell magic of this name.
    """
    start = 0
    while found := _CELL_MAGIC.match(source, start):
        if found["name"] not in _WRAPPING and is_known(found["name"]):
            return ""
        start = found.end()
    return "\n" * source.count("\n", 0, start) + source[start:]


def salvage(statements: list[ast.stmt], namespace: dict[str, Any], run: Run) -> Salvaged:
    """Runs what is cheap of these statements, each by itself."""
    salvaged = Salvaged([], [], [])
    for statement in statements:
        done = False
        try:
            if done := is_cheap(statement, namespace):
                run(statement)
        except BaseException as error:  # it is left out, whatever it raises
            done = False
            salvaged.errors.append(error)
        (salvaged.run if done else salvaged.left_out).append(statement)
    return salvaged


def defines_new(statement: ast.stmt, namespace: dict[str, Any]) -> bool:
    """Whether a statement defines only names that are not defined."""
    names = [each.id for each in ast.walk(statement) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]
    named = [statement.name] if isinstance(statement, DEFINITIONS) else []
    imported = statement.names if isinstance(statement, ast.Import | ast.ImportFrom) else []
    own = named or [*names, *((each.asname or each.name).partition(".")[0] for each in imported)]
    return not any(name in namespace for name in own)


def runner(compiler: CellCompiler, name: str, namespace: dict[str, Any]) -> Run:
    """What runs one statement of the text that has this name."""

    def run(statement: ast.stmt) -> None:
        exec(compiler(ast.Module([statement], []), name, "exec"), namespace)

    return run


def stopped_at(error: BaseException, cell: str, text_of: Callable[[str], str]) -> Place | None:
    """Where an error stopped a cell whose code has names that begin with `cell`; None if it was not in its text."""
    found: Place | None = None
    for name, line in _lines_in(error, cell):
        try:
            statements = ast.parse(text_of(name)).body
        except (SyntaxError, ValueError):
            return found
        failed = [number for number, each in enumerate(statements) if _holds(each, line)]
        if not failed:
            return found
        found = Place(name, statements, failed[0])
        if not _is_cell_magic(statements[failed[0]]):
            return found
    return found


def _lines_in(error: BaseException, cell: str) -> Iterator[tuple[str, int]]:
    """The outermost line of the traceback in each text of a cell."""
    seen = set()
    if isinstance(error, SyntaxError) and error.filename and error.lineno and error.filename.startswith(cell):
        yield error.filename, error.lineno  # a `return` outside of a function, after other lines have run
    for frame, line in traceback.walk_tb(error.__traceback__):
        name = frame.f_code.co_filename
        if name.startswith((f"{cell}>", f"{cell}.")) and name not in seen:
            seen.add(name)
            yield name, line


def _holds(statement: ast.stmt, line: int) -> bool:
    first = min([statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", ()))])
    return bool(first <= line <= (statement.end_lineno or first))


def _is_cell_magic(statement: ast.stmt) -> bool:
    """Whether a statement only runs a magic: the code in it has a text of its own."""
    calls = (each for each in ast.walk(statement) if isinstance(each, ast.Call))
    names = (each.func.attr for each in calls if isinstance(each.func, ast.Attribute))
    return any(name in ("run_cell_magic", "run_line_magic") for name in names)


def _described(statement: ast.stmt) -> str:
    """A statement in a few words."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return f"def {name}"
        case ast.ClassDef(name=name):
            return f"class {name}"
        case ast.Assign(targets=targets):
            return ", ".join(ast.unparse(each).strip("()") for each in targets)[:80]
        case ast.AnnAssign(target=target):
            return ast.unparse(target)[:80]
    return ast.unparse(statement).partition("\n")[0][:80]


def _lines(statements: list[ast.stmt]) -> str:
    """The lines of statements, as text."""
    spans = [(each.lineno, each.end_lineno or each.lineno) for each in statements]
    texts = [str(first) if first == last else f"{first}-{last}" for first, last in spans[:_SHOWN]]
    plural = len(spans) > 1 or spans[0][0] != spans[0][1]
    return f"line{'s' if plural else ''} {', '.join(texts)}{', …' if len(spans) > _SHOWN else ''}"
