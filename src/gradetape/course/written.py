"""Written questions: the cell that students receive for the answer, and the rubric by which a person marks it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from gradetape.course.assignments import Assignment, QuestionSource
from gradetape.course.source import CellKind, PythonSource
from gradetape.course.strict_yaml import StrictModel, read
from gradetape.errors import ConfigError
from gradetape.records import RubricItem
from gradetape.text import as_points, few

ANSWER_CELL = "*Write your answer here. You may add cells below this one.*"
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_MOST = 1000


def _item_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError("write an id like right-axis: lower-case letters, digits, - and _")
    if text.isdecimal():
        raise ValueError("digits alone are the number of an item: add a letter, as in item-1")
    return text


class RubricItemSpec(StrictModel):
    """The keys of an item of a rubric."""

    id: Annotated[str, AfterValidator(_item_id)] = Field(description="The item's id, which commands take.")
    text: Annotated[str, Field(min_length=1, max_length=500)] = Field(description="What it says to the student.")
    points: Annotated[float, Field(ge=-_MOST, le=_MOST, allow_inf_nan=False)] = Field(
        description="What it adds; a number below 0 is a deduction."
    )


class RubricSpec(StrictModel):
    """The keys of the rubric of a written question."""

    items: Annotated[tuple[RubricItemSpec, ...], Field(strict=False, min_length=1, max_length=50)] = Field(
        description="What staff look for."
    )


def read_rubric(path: Path, shown: str, points: float) -> tuple[RubricItem, ...]:
    """The items of a rubric; raises ConfigError if they are invalid, or if they do not reach the question's points."""
    spec = read(path, RubricSpec, shown=shown)
    ids = [item.id for item in spec.items]
    if twice := [each for each in dict.fromkeys(ids) if ids.count(each) > 1]:
        raise ConfigError(f"{shown}: the id {twice[0]} is used twice. Give each item an id of its own.")
    most = sum(max(item.points, 0.0) for item in spec.items)
    if most < points - 1e-9:
        raise ConfigError(
            f"{shown}: its items give at most {as_points(most)}, and assignment.yml says {points:g}. "
            "Add points to the items, or change assignment.yml."
        )
    return tuple(RubricItem(id=item.id, text=item.text.strip(), points=item.points) for item in spec.items)


def without_checks(assignment: Assignment) -> str:
    """A sentence about the written questions of an assignment; empty if it has none."""
    ids = [question.id for question in assignment.written]
    if not ids:
        return ""
    points = as_points(sum(question.points for question in assignment.written))
    return f"{few(ids)}: written, so without checks. A person marks the answers, worth {points}."


def released_texts(source: QuestionSource) -> frozenset[str]:
    """The texts of the cells that students receive for the answer, without spaces around them."""
    if not source.starter.is_file():
        return frozenset([ANSWER_CELL])
    cells = PythonSource.read(source.starter).cells
    return frozenset(_shown(cell.text) if cell.kind is CellKind.MARKDOWN else cell.text.strip() for cell in cells)


def _shown(text: str) -> str:
    """The text of a Markdown cell, without the `#` of its lines."""
    return "\n".join(line.removeprefix("#").removeprefix(" ").rstrip() for line in text.splitlines()).strip()
