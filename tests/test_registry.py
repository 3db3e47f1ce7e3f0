"""The registry of fixtures and marks, and the files that must agree with it."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gradetape.release
from gradetape import checks
from gradetape.judge.registry import FIXTURES, MARKS, NOTEBOOK_FIXTURES, NOTEBOOK_MARKS
from tests.course import called, tiny

MODULE = checks.points.__module__
RUNTIME = Path(gradetape.release.__file__).with_name("notebook_runtime.py")


def functions() -> dict[str, ast.FunctionDef]:
    """The functions of the file that runs public checks in notebooks."""
    tree = ast.parse(RUNTIME.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def provided_in_notebooks() -> Iterator[str]:
    [returned] = [node for node in ast.walk(functions()["fixtures_of"]) if isinstance(node, ast.Return)]
    assert isinstance(returned.value, ast.Dict)
    yield from (key.value for key in returned.value.keys if isinstance(key, ast.Constant))


def test_notebooks_provide_exactly_the_fixtures_that_public_checks_may_use() -> None:
    assert sorted(provided_in_notebooks()) == sorted(NOTEBOOK_FIXTURES)


def test_notebooks_know_exactly_the_marks_that_public_checks_may_carry() -> None:
    before_the_marks_helper = list(functions())[: list(functions()).index("_mark")]
    assert sorted(before_the_marks_helper) == sorted([*NOTEBOOK_MARKS, "in_worker"])


@pytest.mark.parametrize("kind", ["NOTEBOOK_FIXTURES", "NOTEBOOK_MARKS"])
def test_what_is_declared_for_notebooks_and_is_not_there_is_not_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(f"gradetape.release.testfile.{kind}", ("epsilon",))
    run = called(tiny(tmp_path / "course"), "release")
    assert run.returncode == 2
    assert "does not provide epsilon, which the registry declares for notebooks. Add it there" in run.stderr


def test_checks_import_the_marks_of_the_registry_and_no_others() -> None:
    exported = {name: getattr(checks, name) for name in checks.__all__}
    marks = {name for name, each in exported.items() if inspect.isfunction(each) and each.__module__ == MODULE}
    assert marks == {mark.name for mark in MARKS}


def test_no_two_fixtures_or_marks_share_a_name() -> None:
    for names in ([fixture.name for fixture in FIXTURES], [mark.name for mark in MARKS]):
        assert len(set(names)) == len(names)


def pytest_in(course: Path, *options: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=course, capture_output=True, text=True, check=False, timeout=300).stdout


def test_pytest_lists_every_mark_and_every_fixture_with_its_description(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    marks = pytest_in(root, "--markers")
    assert [mark for mark in MARKS if f"@pytest.mark.{mark.signature}: {mark.description}" not in marks] == []
    fixtures = " ".join(pytest_in(root, "--fixtures", "autograder").split())
    assert [each for each in FIXTURES if f"{each.name} -- " not in fixtures] == []
    assert [each for each in FIXTURES if each.description not in fixtures] == []


def test_a_check_gets_every_fixture(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    names = ", ".join(fixture.name for fixture in FIXTURES)
    check = f'def test_all({names}):\n    """All."""\n    assert all(each is not None for each in ({names}))\n'
    (root / "autograder/tiny/test_q01_double.py").write_text(check)
    assert "1 passed" in pytest_in(root, "autograder/tiny/test_q01_double.py")


def test_outside_of_a_course_the_plugin_imports_nothing_heavy() -> None:
    code = "import sys, pytest, gradetape.judge.plugin; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"numpy", "nbformat", "pydantic", "gradetape.judge.session", "gradetape.remote.session"} & set(
        loaded
    ) == set()
