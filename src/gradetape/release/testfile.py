"""A question's public checks -> one otter test file that needs neither gradetape nor pytest."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import NoReturn

from gradetape.errors import ReleaseError
from gradetape.release.texts import read

FIXTURES = ("student", "keras", "tf", "rng", "worker_tmp_path")
MARKS = ("points", "hint", "limit", "gpu")
LIBRARIES = ("numpy", "math", "__future__")
FRAMEWORK = "gradetape.checks"
SEAM = "# %% The checks stand here.\n"


@dataclass(frozen=True)
class PythonFile:
    """A Python file, read but never run."""

    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        try:
            return ast.parse(self.text)
        except SyntaxError as error:
            raise ReleaseError(f"{self.path}:{error.lineno}: {error.msg}. Correct it and release again.") from None

    @cached_property
    def defined(self) -> frozenset[str]:
        """The names that the file itself gives a meaning at its top level."""
        return frozenset(symbol.get_name() for symbol in self._symbols if symbol.is_assigned())

    @cached_property
    def names(self) -> frozenset[str]:
        """The names defined and those imported."""
        return self.defined | {symbol.get_name() for symbol in self._symbols if symbol.is_imported()}

    @property
    def _symbols(self) -> list[symtable.Symbol]:
        return symtable.symtable(self.text, str(self.path), "exec").get_symbols()

    def refuse(self, node: ast.AST, problem: str, advice: str) -> NoReturn:
        """Raise the ReleaseError that points at a node."""
        raise ReleaseError(f"{self.path}:{getattr(node, 'lineno', 1)}: {problem}. {advice}.")

    def lines(self, node: ast.stmt) -> range:
        """The numbers, from 0, of the lines that a statement takes, decorators included."""
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
        return range(first - 1, node.end_lineno or first)

    def without(self, nodes: Iterable[ast.stmt]) -> str:
        """The text without the lines of some statements."""
        gone = {number for node in nodes for number in self.lines(node)}
        return "".join(line for number, line in enumerate(self.text.splitlines(keepends=True)) if number not in gone)

    def only(self, nodes: Iterable[ast.stmt]) -> str:
        """The text of some statements, set apart from each other."""
        lines = self.text.splitlines()
        return "\n\n\n".join("\n".join(lines[number] for number in self.lines(node)) for node in nodes)


def test_file(question_id: str, path: Path) -> str:
    """Return the text of `tests/<stem>.py`, plain ASCII wherever that changes no meaning.

    Raises:
        ReleaseError: the checks use something that a student's notebook does not have.
    """
    checks = PythonFile(path, read(path))
    runtime = _shipped("release/notebook_runtime.py")
    vocabulary = _shipped("checks/vocabulary.py")
    _refuse_unfit(checks)
    words = _needed(vocabulary, _wanted(checks, runtime, vocabulary), runtime)
    _refuse_taken_names(checks, runtime.names | {name for word in words for name in _defines(word)} | {"name"})
    head, tail = runtime.text.split(SEAM)
    body = checks.without(_imports(checks, FRAMEWORK, "__future__"))
    parts = [head.rstrip(), vocabulary.only(words), body.strip(), tail.strip(), f'name = "{question_id}"']
    return _portable("\n\n\n".join(part for part in parts if part) + "\n")


def _shipped(name: str) -> PythonFile:
    file = resources.files("gradetape") / name
    return PythonFile(Path(str(file)), file.read_text(encoding="utf-8"))


def _portable(text: str) -> str:
    # Otter opens test files in the machine's own encoding, which on Windows is not UTF-8.
    escaped = text.encode("ascii", "backslashreplace").decode("ascii")
    try:
        same = ast.dump(ast.parse(escaped)) == ast.dump(ast.parse(text))
    except SyntaxError:
        same = False
    return escaped if same else text


# What the author's file may do


def _refuse_unfit(checks: PythonFile) -> None:
    for node in ast.walk(checks.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            _refuse_import(checks, node)
    seen: set[str] = set()
    for node in checks.tree.body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            checks.refuse(node, f"{node.name} is a class of checks", "Write each check as a function of its own")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            _refuse_check(checks, node, seen)
            seen.add(node.name)
    if not seen:
        raise ReleaseError(f"{checks.path}: there is no check in it. Write at least one function test_….")


def _refuse_import(checks: PythonFile, node: ast.Import | ast.ImportFrom) -> None:
    modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [_module(node)]
    for module in modules:
        if module == FRAMEWORK and isinstance(node, ast.ImportFrom):
            _refuse_framework_import(checks, node)
        elif module.partition(".")[0] not in LIBRARIES:
            advice = f"A public check may import numpy, math, and names from {FRAMEWORK}; keras and tf are fixtures"
            checks.refuse(node, f"a public check cannot import {module}: students may not have it", advice)


def _refuse_framework_import(checks: PythonFile, node: ast.ImportFrom) -> None:
    lines = set(checks.lines(node))
    neighbours = [other for other in checks.tree.body if other is not node and lines & set(checks.lines(other))]
    if node not in checks.tree.body or neighbours:
        checks.refuse(node, f"{FRAMEWORK} is imported inside other code", "Give the import lines of its own at the top")
    for alias in node.names:
        if alias.asname or alias.name == "*":
            checks.refuse(node, f"{alias.name} is not imported by its own name", "Import each name without as")


def _refuse_check(checks: PythonFile, node: ast.FunctionDef | ast.AsyncFunctionDef, seen: set[str]) -> None:
    if node.name in seen:
        checks.refuse(node, f"{node.name} is defined twice, and only the last would run", "Rename one of them")
    if isinstance(node, ast.AsyncFunctionDef):
        checks.refuse(node, f"{node.name} is async", "Write it with a plain def")
    if not ast.get_docstring(node):
        advice = "Say in a docstring what it shows, in a student's words"
        checks.refuse(node, f"{node.name} has no docstring, and students see that as its title", advice)
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if not (isinstance(called, ast.Name) and called.id in MARKS):
            advice = f"A public check may carry {', '.join(MARKS)}; instead of parametrizing it, loop or write two"
            checks.refuse(decorator, f"notebooks do not know @{ast.unparse(called)}", advice)
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg) and argument.arg not in FIXTURES:
            advice = f"A public check may use {', '.join(FIXTURES)}; one that needs more belongs with the hidden checks"
            checks.refuse(argument, f"notebooks have no fixture {argument.arg}", advice)


def _refuse_taken_names(checks: PythonFile, taken: Iterable[str]) -> None:
    for node in ast.walk(checks.tree):
        name = getattr(node, "name", None) or (node.id if isinstance(node, ast.Name) else None)
        if name in checks.defined and name in taken:
            checks.refuse(node, f"{name} means something else in the test file that students get", "Rename it")


# What the author's file needs


def _module(node: ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "")


def _imports(source: PythonFile, *modules: str) -> list[ast.ImportFrom]:
    return [node for node in source.tree.body if isinstance(node, ast.ImportFrom) and _module(node) in modules]


def _wanted(checks: PythonFile, runtime: PythonFile, vocabulary: PythonFile) -> list[str]:
    known = runtime.defined | vocabulary.defined
    for node in _imports(checks, FRAMEWORK):
        for alias in node.names:
            if alias.name not in known:
                checks.refuse(node, f"notebooks do not have {alias.name}", f"See {vocabulary.path} for what there is")
    return [alias.name for node in _imports(checks, FRAMEWORK) for alias in node.names]


def _needed(vocabulary: PythonFile, names: list[str], runtime: PythonFile) -> list[ast.stmt]:
    """The vocabulary's statements on which the names rest, in the file's order; the shim's own names go first."""
    homes = {name: node for node in vocabulary.tree.body for name in _defines(node) if name not in runtime.names}
    found: set[ast.stmt] = set()
    waiting = [homes[name] for name in names if name in homes]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += [homes[part.id] for part in ast.walk(node) if isinstance(part, ast.Name) and part.id in homes]
    _refuse_framework_parts(vocabulary, found)
    return [node for node in vocabulary.tree.body if node in found]


def _refuse_framework_parts(vocabulary: PythonFile, found: Iterable[ast.stmt]) -> None:
    for node in found:
        if isinstance(node, ast.ImportFrom | ast.Import) and "gradetape" in ast.unparse(node):
            vocabulary.refuse(node, "notebooks have no gradetape", "Keep this out of what public checks use")


def _defines(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
        yield from (name.id for name in names if isinstance(name.ctx, ast.Store))
