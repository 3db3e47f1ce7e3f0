"""A question's public checks -> one otter test file that needs neither gradetape nor pytest."""

from __future__ import annotations

import ast
import json
import symtable
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn

from gradetape.course.assignments import QuestionSource
from gradetape.course.quotations import quotations
from gradetape.course.requirements import requirements_of
from gradetape.course.source import PythonSource
from gradetape.errors import ReleaseError
from gradetape.judge.registry import NOTEBOOK_FIXTURES, NOTEBOOK_MARKS
from gradetape.release.texts import read
from gradetape.text import did_you_mean

LIBRARIES = ("numpy", "math", "__future__")
FRAMEWORK = "gradetape.checks"
GRAPHS = ("export_graphs", "restore_graphs")
SEAM = "# %% The checks are inserted here.\n"


def test_file(question_source: QuestionSource) -> str:
    """Return the text of `tests/QUESTION.py`, in ASCII where that changes no meaning.

    `@proves` has there, instead of ids, the sentences of the prompt that a check proves.

    Raises:
        ReleaseError: the checks cannot be parsed, use something that a student's notebook does not have, or prove
            something that the prompt does not require.
    """
    checks = PythonSource.read(question_source.public_checks)
    if checks.syntax_error is not None:
        raise ReleaseError(f"{checks.syntax_error}. Correct it and release again.")
    runtime = _shipped("release/notebook_runtime.py")
    vocabulary = _shipped("checks/vocabulary.py")
    _refuse_incomplete(runtime)
    _refuse_unfit(checks)
    words = _needed(vocabulary, _wanted(checks, runtime, vocabulary), runtime)
    graphs = _shipped("checks/graphs.py")
    exporting = _needed(graphs, GRAPHS if _use_graphs(checks) else (), runtime)
    taken = {name for word in (*words, *exporting) for name in _defines(word)}
    _refuse_taken_names(checks, _names(runtime) | taken | {"name"})
    head, tail = runtime.text.split(SEAM)
    quoted = _quoted(checks, read(question_source.prompt))
    body = _replaced(checks, quoted | dict.fromkeys(_imports(checks, FRAMEWORK, "__future__"), ""))
    # Otter shows the name before "passed!" and before "results:".
    name = f'name = "{question_source.question.id} (public checks; hidden ones follow)"'
    parts = [head.rstrip(), _only(graphs, exporting), _only(vocabulary, words), body.strip(), tail.strip(), name]
    return _portable("\n\n\n".join(part for part in parts if part) + "\n")


def _shipped(name: str) -> PythonSource:
    return PythonSource.read(Path(str(resources.files("gradetape") / name)))


def _portable(text: str) -> str:
    # Otter opens test files in the machine's own encoding, which on Windows is not UTF-8.
    escaped = text.encode("ascii", "backslashreplace").decode("ascii")
    try:
        same = ast.dump(ast.parse(escaped)) == ast.dump(ast.parse(text))
    except SyntaxError:
        same = False
    return escaped if same else text


def _refuse_incomplete(runtime: PythonSource) -> None:
    """A fixture or a mark that is declared for notebooks has to be there."""
    provided = {*_fixtures_in(runtime), *_defined(runtime)}
    missing = [name for name in (*NOTEBOOK_FIXTURES, *NOTEBOOK_MARKS) if name not in provided]
    if missing:
        raise ReleaseError(
            f"{runtime.path} does not provide {', '.join(missing)}, which the registry declares for notebooks. Add it "
            "there, or declare it without in_notebook."
        )


def _fixtures_in(runtime: PythonSource) -> Iterator[str]:
    """The names that `fixtures_of` returns."""
    for node in runtime.tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "fixtures_of":
            keys = (key for part in ast.walk(node) if isinstance(part, ast.Dict) for key in part.keys)
            yield from (str(key.value) for key in keys if isinstance(key, ast.Constant))


# What an author's file may contain


def _refuse(source: PythonSource, node: ast.AST, problem: str, advice: str) -> NoReturn:
    raise ReleaseError(f"{source.at(getattr(node, 'lineno', 1), problem)}. {advice}.")


def _refuse_unfit(checks: PythonSource) -> None:
    for node in ast.walk(checks.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            _refuse_import(checks, node)
    seen: set[str] = set()
    for node in checks.tree.body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            _refuse(checks, node, f"{node.name} is a class of checks", "Write each check as a function of its own")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            _refuse_check(checks, node, seen)
            seen.add(node.name)
    if not seen:
        raise ReleaseError(f"{checks.path}: the file holds no check. Write at least one function test_….")


def _refuse_import(checks: PythonSource, node: ast.Import | ast.ImportFrom) -> None:
    modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [_module(node)]
    for module in modules:
        if module == FRAMEWORK and isinstance(node, ast.ImportFrom):
            _refuse_framework_import(checks, node)
        elif module.partition(".")[0] not in LIBRARIES:
            advice = f"A public check may import numpy, math, and names from {FRAMEWORK}; keras and tf are fixtures"
            _refuse(checks, node, f"a public check cannot import {module}, which students may not have", advice)


def _refuse_framework_import(checks: PythonSource, node: ast.ImportFrom) -> None:
    lines = set(_lines(node))
    neighbours = [other for other in checks.tree.body if other is not node and lines & set(_lines(other))]
    if node not in checks.tree.body or neighbours:
        _refuse(checks, node, f"{FRAMEWORK} is imported inside other code", "Import it on its own lines at the top")
    for alias in node.names:
        if alias.asname or alias.name == "*":
            _refuse(checks, node, f"{alias.name} is not imported by its own name", "Import each name without as")


def _refuse_check(checks: PythonSource, node: ast.FunctionDef | ast.AsyncFunctionDef, seen: set[str]) -> None:
    if node.name in seen:
        _refuse(checks, node, f"{node.name} is defined twice, and only the last would run", "Rename one of them")
    if isinstance(node, ast.AsyncFunctionDef):
        _refuse(checks, node, f"{node.name} is async", "Write it with a plain def")
    if not ast.get_docstring(node):
        advice = "Write one: students see it as the check's title"
        _refuse(checks, node, f"{node.name} has no docstring", advice)
    for decorator in node.decorator_list:
        _refuse_decorator(checks, decorator)
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg) and argument.arg not in NOTEBOOK_FIXTURES:
            known = ", ".join(NOTEBOOK_FIXTURES)
            advice = f"A public check may use {known}; move one that needs more to the hidden checks"
            _refuse(checks, argument, f"notebooks have no fixture {argument.arg}", advice)


def _refuse_decorator(checks: PythonSource, decorator: ast.expr) -> None:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if not (isinstance(called, ast.Name) and called.id in NOTEBOOK_MARKS):
        advice = f"A public check may have {', '.join(NOTEBOOK_MARKS)}; instead of parametrizing it, loop or write two"
        _refuse(checks, decorator, f"notebooks have no decorator @{ast.unparse(called)}", advice)


def _refuse_taken_names(checks: PythonSource, taken: Iterable[str]) -> None:
    defined = _defined(checks)
    for node in ast.walk(checks.tree):
        name = getattr(node, "name", None) or (node.id if isinstance(node, ast.Name) else None)
        if name in defined and name in taken:
            _refuse(checks, node, f"{name} is already defined in the test file that students get", "Rename it")


# What an author's file needs


def _wanted(checks: PythonSource, runtime: PythonSource, vocabulary: PythonSource) -> list[str]:
    known = _defined(runtime) | _defined(vocabulary)
    for node in _imports(checks, FRAMEWORK):
        for alias in node.names:
            if alias.name not in known:
                _refuse(checks, node, f"notebooks have no {alias.name}", f"See {vocabulary.path} for what they have")
    return [alias.name for node in _imports(checks, FRAMEWORK) for alias in node.names]


def _use_graphs(checks: PythonSource) -> bool:
    return any(isinstance(node, ast.arg) and node.arg == "exported" for node in ast.walk(checks.tree))


def _needed(vocabulary: PythonSource, names: Iterable[str], runtime: PythonSource) -> list[ast.stmt]:
    """The vocabulary's statements that the names need, in the file's order; the runtime's own names come first."""
    own = _names(runtime)
    homes = {name: node for node in vocabulary.tree.body for name in _defines(node) if name not in own}
    found: set[ast.stmt] = set()
    waiting = [homes[name] for name in names if name in homes]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += [homes[part.id] for part in ast.walk(node) if isinstance(part, ast.Name) and part.id in homes]
    _refuse_framework_parts(vocabulary, found)
    return [node for node in vocabulary.tree.body if node in found]


def _refuse_framework_parts(vocabulary: PythonSource, found: Iterable[ast.stmt]) -> None:
    for node in found:
        if isinstance(node, ast.ImportFrom | ast.Import) and "gradetape" in ast.unparse(node):
            _refuse(vocabulary, node, "notebooks have no gradetape", "Keep this out of what public checks use")


# What the checks prove


def _quoted(checks: PythonSource, prompt: str) -> dict[ast.AST, str]:
    """The decorators `@proves` with the prompt's sentences instead of ids."""
    requirements = requirements_of(prompt)
    known = [requirement.id for requirement in requirements]
    functions = [node for node in checks.tree.body if isinstance(node, ast.FunctionDef)]
    return {
        decorator: f"@proves({_literals(quotations(requirements, ids))})\n"
        for function in functions
        for decorator in function.decorator_list
        if (ids := _proven(checks, decorator, known)) is not None
    }


def _literals(texts: Iterable[str]) -> str:
    return ", ".join(json.dumps(text, ensure_ascii=False) for text in texts)


def _proven(checks: PythonSource, decorator: ast.expr, known: list[str]) -> list[str] | None:
    """The ids that a decorator `@proves` names; None for another decorator."""
    if not ast.unparse(decorator).startswith("proves"):
        return None
    arguments = decorator.args if isinstance(decorator, ast.Call) else []
    ids = [str(part.value) for part in arguments if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    if not ids or len(ids) < len(arguments):
        advice = 'Write the ids of requirements of the prompt as text, such as @proves("empty-row")'
        _refuse(checks, decorator, f"@{ast.unparse(decorator)} names no requirements", advice)
    for name in ids:
        if name not in known:
            near = did_you_mean(name, known)
            advice = f"{near} Correct the id, or write <!-- requirement: {name} --> before its sentence in prompt.md"
            _refuse(checks, decorator, f"the prompt has no requirement {name!r}", advice.strip())
    return ids


# Names and lines of a file


def _symbols(source: PythonSource) -> list[symtable.Symbol]:
    return symtable.symtable(source.text, str(source.path), "exec").get_symbols()


def _defined(source: PythonSource) -> frozenset[str]:
    """The names that a file defines at its top level; not those that it imports or only annotates."""
    bare = (node.target for node in source.tree.body if isinstance(node, ast.AnnAssign) and node.value is None)
    annotated = {ast.unparse(target) for target in bare}
    return frozenset(symbol.get_name() for symbol in _symbols(source) if symbol.is_assigned()) - annotated


def _names(source: PythonSource) -> frozenset[str]:
    """The names that a file defines or imports at its top level."""
    return _defined(source) | {symbol.get_name() for symbol in _symbols(source) if symbol.is_imported()}


def _module(node: ast.ImportFrom) -> str:
    return "." * node.level + (node.module or "")


def _imports(source: PythonSource, *modules: str) -> list[ast.ImportFrom]:
    return [node for node in source.tree.body if isinstance(node, ast.ImportFrom) and _module(node) in modules]


def _defines(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
        yield from (name.id for name in names if isinstance(name.ctx, ast.Store))


def _lines(node: Any) -> range:
    """The numbers, from 0, of the lines of a statement or decorator; a function's decorators are included."""
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
    return range(first - 1, node.end_lineno or first)


def _replaced(source: PythonSource, texts: Mapping[ast.AST, str]) -> str:
    """The text of a file with other lines instead of those of some nodes."""
    lines = dict(enumerate(source.text.splitlines(keepends=True)))
    for node, text in texts.items():
        lines |= dict.fromkeys(_lines(node), "") | {_lines(node)[0]: text}
    return "".join(lines.values())


def _only(source: PythonSource, nodes: Iterable[ast.stmt]) -> str:
    """The text of some statements, with blank lines between them."""
    lines = source.text.splitlines()
    return "\n\n\n".join("\n".join(lines[number] for number in _lines(node)) for node in nodes)
