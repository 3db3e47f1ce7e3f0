"""Runs a notebook's cells, in order, in one namespace, as "Restart and run all" would.

Each cell is compiled under a file name of its own and entered into `linecache`: AutoGraph reads the source from there;
otherwise every `for` over a tensor would fail.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import linecache
import traceback
from collections.abc import Callable
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from gradetape.worker.definitions import DEFINITIONS, Definitions
from gradetape.worker.notebook import furnish
from gradetape.worker.output import Output

PREFIX = "<cell "
_KEPT = (*DEFINITIONS, ast.Import, ast.ImportFrom)


class Cells:
    """The namespace of one submission, and the cells that run in it."""

    __slots__ = (
        "_compiled", "_definitions", "_label", "_namespace", "_only_definitions", "_output", "_transform",
    )  # fmt: skip

    def __init__(self, namespace: dict[str, Any], output: Output) -> None:
        self._namespace = namespace
        self._output = output
        self._definitions = Definitions()
        self._transform: Callable[[str], str] = TransformerManager().transform_cell  # type: ignore[no-untyped-call]
        self._compiled = 0
        self._label = ""
        self._only_definitions = False
        furnish(namespace, self._execute)

    def run(self, index: int, source: str, only_definitions: bool, question: str = "") -> dict[str, str]:
        """Runs one cell, which belongs to a question or to none.

        Returns as text its `error`, the names that it `copied` from earlier cells, with those of other questions that
        it changes, and its `output`.
        """
        self._label = f"{PREFIX}{index + 1}>"
        self._compiled, self._only_definitions = 0, only_definitions
        self._definitions.begin(self._label[1:-1], question)
        self._output.clear()
        error_text = ""
        try:
            self._execute(source)
        except BaseException as error:
            error_text = describe(error)
        return {"error": error_text, "copied": self._definitions.description, "output": self._output.text()}

    def _execute(self, source: str) -> None:
        """Runs a cell, or the code in a magic, under a file name of its own."""
        self._compiled += 1
        name = self._label if self._compiled == 1 else f"{self._label[:-1]}.{self._compiled}>"
        text = self._transform(source)
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        tree = ast.parse(text, name)
        self._definitions.note(tree)
        if self._only_definitions:
            tree.body = [statement for statement in tree.body if _is_kept(statement)]
        code = compile(tree, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        result = eval(code, self._namespace)
        if inspect.iscoroutine(result):
            asyncio.run(result)


def _is_kept(statement: ast.stmt) -> bool:
    """Whether a statement of a quarantined cell is run: imports, functions, classes, constants, magics around them."""
    if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
        try:
            ast.literal_eval(statement.value)
        except (ValueError, TypeError, MemoryError, RecursionError):
            return False
        return True
    return isinstance(statement, _KEPT) or _is_cell_magic(statement)


def _is_cell_magic(statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "run_cell_magic"


def describe(error: BaseException) -> str:
    """An exception as text for the student: their own lines, then its kind and text."""
    return f"{own_lines(error)}{type(error).__name__}: {text_of(error)}".rstrip(": ")


def own_lines(error: BaseException) -> str:
    """The part of a traceback that is in the submission's cells."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(PREFIX)]
    lines = traceback.format_list(frames[-8:])
    if isinstance(error, SyntaxError) and str(error.filename).startswith(PREFIX):
        lines += traceback.format_exception_only(error)[:-1]
    return "".join(lines)[-8000:]


def text_of(error: BaseException) -> str:
    """An exception's own text, whatever its `__str__` does, and its notes."""
    try:
        notes = [str(note)[:500] for note in getattr(error, "__notes__", ())]
        return "\n".join([str(error)[:4000], *notes[:5]])
    except BaseException:
        return ""
