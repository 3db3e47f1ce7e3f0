"""Every error that a person can meet is quoted in a test: four words of its text in a row.

Texts that are composed elsewhere (from messages of pydantic or SQLite) are not checked here. Reviewers check that the
quotation is where the error is provoked, and that the text names the next step.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from gradetape import errors

TESTS = Path(__file__).parent
SOURCES = TESTS.parent / "src" / "gradetape"
NAMES = {
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.GradetapeError)
}
ROW = 4
NAMES |= {"SandboxUnavailable", "UsageError", "BadParameter", "ClickException"}


def texts(tree: ast.AST) -> Iterator[str]:
    """The literal texts in a tree, those in f-strings too, but for docstrings."""
    alone = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in alone:
            yield node.value


def words_of(text: str) -> list[str]:
    return re.findall(r"[\w-]+", text)


def in_a_row(text: str) -> set[str]:
    words = words_of(text)
    return {" ".join(words[start : start + ROW]) for start in range(len(words) - ROW + 1)}


def raised() -> Iterator[tuple[str, set[str]]]:
    """Each place that makes such an error, and each row of words in its text."""
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in NAMES:
                rows = set().union(*(in_a_row(text) for text in texts(node)))
                if rows:
                    yield f"{path.relative_to(SOURCES)}:{node.lineno}", rows


def quoted() -> str:
    """The texts of all tests."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in TESTS.rglob("*.py"))
    return "\n".join(" ".join(words_of(text)) for tree in trees for text in texts(tree))


def test_every_error_that_a_person_can_meet_is_quoted_in_a_test() -> None:
    found, quotes = dict(raised()), quoted()
    assert len(found) > 100
    assert [place for place, rows in found.items() if not any(row in quotes for row in rows)] == []
