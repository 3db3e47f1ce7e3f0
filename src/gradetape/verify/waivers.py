"""Waivers: checks that an adversary may pass, each with the author's reason.

*zeros* replaces what functions return, but they still do their work: a function that trains a model has trained it. A
check of that work is honest, and `solutions/ASSIGNMENT/waivers.yml` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from pydantic import StringConstraints

from gradetape.course.strict_yaml import StrictModel, read_list
from gradetape.errors import CourseError
from gradetape.text import did_you_mean
from gradetape.verify.patches import Checks


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """The checks of a question that an adversary may pass; `place` is where the author says so."""

    question: str
    adversary: str
    checks: tuple[str, ...]
    reason: str
    place: str

    @property
    def ids(self) -> tuple[str, ...]:
        """The full ids of the checks."""
        return tuple(f"{self.question}::{check}" for check in self.checks)


class _Entry(StrictModel):
    question: str
    adversary: Literal["argument", "zeros", "liar"]
    checks: Checks
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=10)]


def waivers_in(path: Path, shown: str, question_ids: Sequence[str]) -> tuple[Waiver, ...]:
    """The waivers of an assignment; none without the file. Raises ConfigError or CourseError with every wrong line."""
    if not path.is_file():
        return ()
    entries = read_list(path, _Entry, shown=shown)
    unknown = [
        f"{shown}, line {line}: there is no question {entry.question!r}.{did_you_mean(entry.question, question_ids)}"
        for line, entry in entries
        if entry.question not in question_ids
    ]
    if unknown:
        raise CourseError("\n".join(unknown))
    return tuple(
        Waiver(
            question=entry.question, adversary=entry.adversary, checks=entry.checks,
            reason=" ".join(entry.reason.split()), place=f"{shown}, line {line}",
        )
        for line, entry in entries
    )  # fmt: skip
