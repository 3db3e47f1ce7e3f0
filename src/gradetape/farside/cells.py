"""Runs a notebook's cells, in order, in one namespace, as "Restart and run all" would.

Each cell is compiled under a file name of its own and entered into `linecache`: AutoGraph reads the source from there,
and without it every `for` over a tensor would fail.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import linecache
import traceback
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from gradetape.farside.notebook import furnish
from gradetape.farside.output import Output

PREFIX = "<cell "
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_KEPT = (*_DEFINITIONS, ast.Import, ast.ImportFrom)


class Cells:
    """The namespace of one submission, and what its cells did to it."""

    def __init__(self, namespace: dict[str, Any], output: Output) -> None:
        self._namespace = namespace
        self._output = output
        self._defined_in: dict[str, int] = {}
        self._transform = TransformerManager().transform_cell
        self._compiled = 0
        self._label = ""
        furnish(namespace, self._execute)

    def run(self, index: int, source: str, only_definitions: bool) -> dict[str, str]:
        """Runs one cell; tells its `error`, the names that it `copied`, and its `output`, each as text."""
        self._label = f"{PREFIX}{index + 1}>"
        self._compiled = 0
        self._output.clear()
        told = {"error": "", "copied": "", "output": ""}
        try:
            text = self._transform(source)
            told["copied"] = self._copies(index, text)
            self._execute(text, only_definitions)
        except BaseException as error:
            told["error"] = describe(error)
        told["output"] = self._output.text()
        return told

    def _execute(self, text: str, only_definitions: bool = False) -> None:
        self._compiled += 1
        name = self._label if self._compiled == 1 else f"{self._label[:-1]}.{self._compiled}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        tree = ast.parse(text, name)
        if only_definitions:
            tree.body = [statement for statement in tree.body if _is_kept(statement)]
        code = compile(tree, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        result = eval(code, self._namespace)
        if inspect.iscoroutine(result):
            asyncio.run(result)

    def _copies(self, index: int, text: str) -> str:
        """Which functions and classes of the cell an earlier cell defined already: the last definition counts."""
        names = [node.name for node in ast.parse(text).body if isinstance(node, _DEFINITIONS)]
        again = [f"{name} (also in cell {self._defined_in[name] + 1})" for name in names if name in self._defined_in]
        self._defined_in.update(dict.fromkeys(names, index))
        return f"defines {', '.join(again)}; the last definition counts" if again else ""


def _is_kept(statement: ast.stmt) -> bool:
    """Whether a statement of a quarantined cell is run: imports, functions, classes and constants."""
    if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
        try:
            ast.literal_eval(statement.value)
        except (ValueError, TypeError, MemoryError, RecursionError):
            return False
        return True
    return isinstance(statement, _KEPT)


def describe(error: BaseException) -> str:
    """An exception as a student may read it: their own lines, then its kind and text."""
    return f"{own_lines(error)}{type(error).__name__}: {text_of(error)}".rstrip(": ")


def own_lines(error: BaseException) -> str:
    """The part of a traceback that lies in the submission's cells."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(PREFIX)]
    lines = traceback.format_list(frames[-8:])
    if isinstance(error, SyntaxError) and str(error.filename).startswith(PREFIX):
        lines += traceback.format_exception_only(error)[:-1]
    return "".join(lines)[-8000:]


def text_of(error: BaseException) -> str:
    """An exception's own text, whatever its `__str__` does."""
    try:
        return str(error)[:4000]
    except BaseException:
        return ""
