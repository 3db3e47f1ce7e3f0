"""The record of a collected check: its question, its marks, and its docstring."""

from __future__ import annotations

import ast
import inspect
import math
from pathlib import Path
from typing import Any

import pytest

from gradetape.course.check_files import check_file
from gradetape.course.requirements import REQUIREMENT_ID
from gradetape.course.source import PythonSource
from gradetape.errors import CourseError
from gradetape.records import Basis, Check

_FRAMEWORKS = {"tensorflow", "keras", "tf_keras", "hypothesis"}


def check_of(item: pytest.Item) -> Check:
    """The record of a collected check. Raises CourseError if it has no docstring or an invalid mark."""
    file = check_file(item.path)
    if file is None:
        raise CourseError(f"{item.path} is not a check file: checks are in assignments/ and autograder/ of a course")
    title = " ".join((inspect.getdoc(getattr(item, "function", None)) or "").split("\n\n")[0].split())
    if not title:
        raise CourseError(
            f"{item.path.name}: {item.name} has no docstring. Write one: students see it as the check's title."
        )
    limit_of(item, 0)  # an invalid limit is reported at collection, not by a failing judge
    return Check(
        question=file.question, name=item.name, public=file.public, title=title, hint=str(_mark(item, "hint", "")),
        points=_number(item, "points", 0), requirements=_requirements(item),
    )  # fmt: skip


def limit_of(item: pytest.Item, default: float) -> float:
    """The seconds that a check may take. Raises CourseError if the argument of `@limit` is not a number."""
    return _number(item, "limit", default)


def basis_of(item: pytest.Item, used: Basis) -> Basis:
    """What a check's verdict rests on: its marks decide before what it `used`."""
    if item.get_closest_marker("by_testimony") is not None:
        return Basis.TESTIMONY
    if item.get_closest_marker("cross_checked") is not None:
        return Basis.CHECKED
    return used


def needs_gpu(item: pytest.Item) -> bool:
    """Whether a check is marked `@gpu`."""
    return item.get_closest_marker("gpu") is not None


def refuse_frameworks(path: Path) -> None:
    """Raises CourseError if a check file imports a framework that belongs in the worker, or cannot be parsed."""
    source = PythonSource.read(path)
    for node in ast.walk(source.tree):
        for name in _imported(node):
            if name.split(".")[0] in _FRAMEWORKS:
                advice = "Use the fixtures tf and keras, or an @in_worker function, which run in the student's worker."
                raise CourseError(source.at(getattr(node, "lineno", 1), f"a check does not import {name}. {advice}"))


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def _number(item: pytest.Item, name: str, default: float) -> float:
    given = _mark(item, name, default)
    if isinstance(given, int | float) and math.isfinite(given) and given >= 0:
        return float(given)
    raise CourseError(
        f"{item.path.name}: {item.name} has @{name}({given!r}). Write a number there, such as @{name}(2)."
    )


def _requirements(item: pytest.Item) -> tuple[str, ...]:
    mark = item.get_closest_marker("proves")
    named = mark.args if mark is not None else ()
    wrong = next((name for name in named if not isinstance(name, str) or not REQUIREMENT_ID.fullmatch(name)), None)
    if wrong is not None or (mark is not None and not named):
        given = "" if wrong is None else repr(wrong)
        raise CourseError(
            f"{item.path.name}: {item.name} has @proves({given}). Name requirements of the prompt, such as "
            '@proves("empty-row").'
        )
    return named


def _mark(item: pytest.Item, name: str, default: Any) -> Any:
    mark = item.get_closest_marker(name)
    return mark.args[0] if mark is not None and mark.args else default
