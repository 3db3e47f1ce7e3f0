"""Which question a collected check belongs to, and what its marks and docstring say."""

from __future__ import annotations

import ast
import inspect
import math
from pathlib import Path
from typing import Any

import pytest

from gradetape.errors import CourseError
from gradetape.records import Check

CONFIG = "grader_config.yml"
FIXTURES = ("student", "reference", "keras", "tf", "rng", "worker_tmp_path", "clean", "source")
_FORBIDDEN = {"tensorflow", "keras", "tf_keras", "hypothesis"}


def place_of(path: Path) -> tuple[Path, str, str, bool] | None:
    """The course's root, the assignment, the question's stem and whether the file is public; None for other files."""
    public = path.name == "test_public.py"
    folder = path.parent.parent if public else path.parent
    room = folder.parent
    if room.name != ("assignments" if public else "autograder") or not (room.parent / CONFIG).is_file():
        return None
    question_id = path.parent.name if public else path.stem.removeprefix("test_")
    return room.parent, folder.name, question_id, public


def check_of(item: pytest.Item) -> Check:
    """The record of a collected check; raises CourseError for one that says too little or no numbers."""
    place = place_of(item.path)
    if place is None:
        raise CourseError(f"{item.path} is no check: checks lie in assignments/ and autograder/ of a course")
    _, _, question_id, public = place
    function = getattr(item, "function", None)
    title = " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
    if not title:
        raise CourseError(
            f"{item.path.name}: {item.name} has no docstring. Write one: students see it as the check's title."
        )
    limit_of(item, 0)  # one that is no number is told here, and not by a judge that dies of it
    return Check(
        question=question_id, name=item.name, public=public, title=title, hint=str(_mark(item, "hint", "")),
        points=_number(item, "points", 0),
    )  # fmt: skip


def limit_of(item: pytest.Item, default: float) -> float:
    """How many seconds a check may take; raises CourseError where that is no number."""
    return _number(item, "limit", default)


def needs_gpu(item: pytest.Item) -> bool:
    """Whether a check is marked `@gpu`."""
    return item.get_closest_marker("gpu") is not None


def refuse_frameworks(path: Path) -> None:
    """Raises CourseError where a check file imports what belongs on the far side, or cannot be parsed."""
    for node in ast.walk(_parsed(path)):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        for name in names:
            if name.split(".")[0] in _FORBIDDEN:
                raise CourseError(
                    f"{path}, line {node.lineno}: a check does not import {name}. Use the fixtures tf and keras, or "
                    "a @in_worker function: they reach the student's side of the wall."
                )


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8-sig"), str(path))
    except SyntaxError as error:
        raise CourseError(f"{path}, line {error.lineno}: {error.msg}. Correct it.") from None
    except UnicodeDecodeError:
        raise CourseError(f"{path} is not UTF-8 text. Save it as UTF-8.") from None


def _number(item: pytest.Item, name: str, default: float) -> float:
    given = _mark(item, name, default)
    if isinstance(given, int | float) and math.isfinite(given) and given >= 0:
        return float(given)
    raise CourseError(
        f"{item.path.name}: {item.name} has @{name}({given!r}). Write a number there, such as @{name}(2)."
    )


def _mark(item: pytest.Item, name: str, default: Any) -> Any:
    mark = item.get_closest_marker(name)
    return mark.args[0] if mark is not None and mark.args else default
