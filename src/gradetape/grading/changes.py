"""Whose points went up or down because something was graded again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gradetape.gradebook import Measured, between
from gradetape.records import PointsChange
from gradetape.text import few, one_line, printable

_NAME = 60


def since(before: Mapping[str, Measured], after: Mapping[str, Measured]) -> tuple[PointsChange, ...]:
    """The questions for which a student's file has other points now; a new file is no change."""
    found = (between(before[student], after[student]) for student in after if student in before)
    return tuple(change for changes in found for change in changes)


def lines(changes: Sequence[PointsChange]) -> Iterator[str]:
    """The changes in lines for people, one for each question."""
    for question in sorted({change.question for change in changes}):
        own = [change for change in changes if change.question == question]
        up = [_words(change) for change in own if change.after > change.before]
        down = [_words(change) for change in own if change.after < change.before]
        parts = [f"{len(words)} {way} ({few(words)})" for way, words in (("up", up), ("down", down)) if words]
        yield f"points changed: {question}: {', '.join(parts)}"


def as_json(changes: Sequence[PointsChange]) -> list[dict[str, object]]:
    """The changes as plain data."""
    return [
        {
            "student": printable(change.student), "question": change.question, "before": change.before,
            "after": change.after,
        }
        for change in changes
    ]  # fmt: skip


def _words(change: PointsChange) -> str:
    return f"{one_line(change.student, _NAME)} {change.before:g} → {change.after:g}"
