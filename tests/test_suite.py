"""The tests themselves: shared helpers are in separate modules."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent


def imported(path: Path) -> set[str]:
    """The modules that a file imports, by their full names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_no_module_imports_a_test_module() -> None:
    paths = list(TESTS.rglob("*.py"))
    assert len(paths) > 50
    tests = re.compile(r"(tests\.)?(\w+\.)*test_\w+(\.\w+)?")
    assert [path.name for path in paths if any(map(tests.fullmatch, imported(path)))] == []


def functions(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)}


def test_a_factory_is_defined_once() -> None:
    factories = TESTS / "factories.py"
    others = {path.name: functions(path) for path in TESTS.rglob("*.py") if path != factories}
    assert "a_grade" in functions(factories)
    assert {name: found for name, names in others.items() if (found := names & functions(factories))} == {}
