"""The code of an assignment's checks, apart from their words: what decides a verdict, and what people only read."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

import msgspec

from gradetape.course.check_files import check_file
from gradetape.course.digests import digest_of
from gradetape.course.gradable import GradableAssignment
from gradetape.course.source import PythonSource

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
    """The code of every check, by check id; a file that Python cannot parse has none."""
    found: dict[str, CheckCode] = {}
    for path in gradable.check_files:
        file, source = check_file(path), PythonSource.of(path, gradable.read_checks[path])
        assert file is not None
        codes = {} if source.syntax_error else _codes(source)
        found |= {file.check_id(name): code for name, code in codes.items()}
    return found


class QuestionCode(msgspec.Struct, frozen=True):
    """A question's checks: a digest of their code, and one of all that their files hold apart from comments.

    `written` changes with a title, a hint or points too. Among `fixtures` are the names of all that a check may use.
    """

    code: str
    written: str
    fixtures: frozenset[str]


def question_codes(gradable: GradableAssignment) -> dict[str, QuestionCode]:
    """The checks of every question, by question id; a file that Python cannot parse counts by its text."""
    files: dict[str, list[PythonSource]] = {question_id: [] for question_id in gradable.assignment.question_ids}
    for path in gradable.check_files:
        file, data = check_file(path), gradable.read_checks.get(path)
        if file is not None and data is not None:
            files[file.question].append(PythonSource.of(path, data))
    return {question_id: _question_code(sources) for question_id, sources in files.items()}


def _question_code(sources: list[PythonSource]) -> QuestionCode:
    code, written, fixtures = list[str](), list[str](), set[str]()
    for source in sources:
        if source.syntax_error is not None:
            code.append(source.text)
            written.append(source.text)
            continue
        found = _codes(source)
        code += [source.path.name, ast.dump(ast.Module(_around(source.tree), []))]
        code += [part for name, each in found.items() for part in (name, each.digest)]
        written.append(ast.dump(source.tree))
        fixtures |= _named(source.tree)
    return QuestionCode(digest_of(code), digest_of(written), frozenset(fixtures))


def _named(tree: ast.Module) -> set[str]:
    """Every argument and text in a file: a check may get a fixture through another one, or ask for it by its name."""
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return arguments | {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _codes(source: PythonSource) -> Mapping[str, CheckCode]:
    checks, around = check_functions(source.tree), _around(source.tree)
    helpers = {node.name: _names(node) for node in around if isinstance(node, ast.FunctionDef)}
    shared, own = ast.dump(ast.Module(around, [])), frozenset(_own_names(around))
    return {check.name: _code(check, shared, helpers, own) for check in checks}


def check_functions(tree: ast.Module) -> list[ast.FunctionDef]:
    """The functions of a check file that are checks."""
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test")]


def _around(tree: ast.Module) -> list[ast.stmt]:
    checks = check_functions(tree)
    return [node for node in tree.body if node not in checks]


def _own_names(around: list[ast.stmt]) -> Iterator[str]:
    """The names that a file makes itself or imports from elsewhere: a decorator among them is no mark of gradetape."""
    for node in around:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None)
            known = (module or "").partition(".")[0] in ("gradetape", "pytest")
            yield from (
                ()
                if known
                else (
                    alias.asname or alias.name
                    for alias in node.names
                    if not alias.name.startswith(("gradetape", "pytest"))
                )
            )
        else:
            yield from (
                each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
            )


def _code(check: ast.FunctionDef, shared: str, helpers: Mapping[str, set[str]], own_names: frozenset[str]) -> CheckCode:
    own = _names(check)
    names = frozenset(own.union(*(found for name, found in helpers.items() if name in own)))
    fixtures = frozenset(argument.arg for argument in check.args.args)
    kept = [mark for mark in check.decorator_list if not _is_words(mark, own_names)]
    body = check.body[1:] if ast.get_docstring(check) is not None else check.body
    parts = [check.name, ast.dump(check.args), *map(ast.dump, kept), *map(ast.dump, body)]
    return CheckCode(names, fixtures, digest_of([*parts, shared]))


def _is_words(mark: ast.expr, own_names: frozenset[str]) -> bool:
    """Whether a decorator is a mark that only carries words or points, such as `@checks.points(2)`."""
    path = ast.unparse(mark.func if isinstance(mark, ast.Call) else mark).split(".")
    return path[-1] in _WORDS and path[0] not in own_names


def _names(node: ast.AST) -> set[str]:
    return set(_each_name(node))


def _each_name(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        match each:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                yield name
