"""The code of an assignment's checks, and digests of what decides a check's verdict."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

import msgspec

from gradetape.course.check_files import check_file
from gradetape.course.gradable import GradableAssignment
from gradetape.course.source import PythonSource
from gradetape.grading.digests import digest_of

_WORDS = ("hint", "points", "proves")


class CheckCode(msgspec.Struct, frozen=True):
    """A check's code: the names that it and the functions around it use, its fixtures, and a digest.

    The digest is of its function and of the code in its file that is not another check; formatting, comments,
    docstrings and the marks that only carry words or points do not count.
    """

    names: frozenset[str]
    fixtures: frozenset[str]
    digest: str


def codes_of(gradable: GradableAssignment) -> dict[str, CheckCode]:
    """The code of every check, by check id."""
    found: dict[str, CheckCode] = {}
    for path in gradable.check_files:
        file = check_file(path)
        assert file is not None
        kind = "public" if file.public else "hidden"
        found |= {f"{file.question}::{kind}::{name}": code for name, code in _codes(PythonSource.read(path)).items()}
    return found


def _codes(source: PythonSource) -> Mapping[str, CheckCode]:
    checks = [node for node in source.tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test")]
    around = [node for node in source.tree.body if node not in checks]
    helpers = {node.name: _names(node) for node in around if isinstance(node, ast.FunctionDef)}
    shared = ast.dump(ast.Module(around, []))
    return {check.name: _code(check, shared, helpers) for check in checks}


def _code(check: ast.FunctionDef, shared: str, helpers: Mapping[str, set[str]]) -> CheckCode:
    own = _names(check)
    names = frozenset(own.union(*(found for name, found in helpers.items() if name in own)))
    fixtures = frozenset(argument.arg for argument in check.args.args)
    kept = [mark for mark in check.decorator_list if _name_of(mark) not in _WORDS]
    body = check.body[1:] if ast.get_docstring(check) is not None else check.body
    parts = [check.name, ast.dump(check.args), *map(ast.dump, kept), *map(ast.dump, body)]
    return CheckCode(names, fixtures, digest_of([*parts, shared]))


def _name_of(mark: ast.expr) -> str:
    """The last name of a decorator: `points` for `@checks.points(2)`."""
    return ast.unparse(mark.func if isinstance(mark, ast.Call) else mark).rpartition(".")[2]


def _names(node: ast.AST) -> set[str]:
    return set(_each_name(node))


def _each_name(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        match each:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                yield name
