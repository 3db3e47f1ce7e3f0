"""The rows of the dashboard's table of students, and the words by which they are filtered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

from gradetape.records import FinalScore, Grade, NoSubmission, Question, Status, Unreadable
from gradetape.report import words
from gradetape.report.done import ToDo
from gradetape.report.html import page_name
from gradetape.text import collation_key, counted

_NOTHING: Mapping[str, ToDo] = MappingProxyType({})


def table_of(
    grades: Iterable[Grade], unreadable: Iterable[Unreadable], questions: Sequence[Question],
    final_scores: Mapping[str, FinalScore], no_submission: Iterable[NoSubmission] = (),
    todo: Mapping[str, ToDo] = _NOTHING,
) -> dict[str, Any]:  # fmt: skip
    """The rows in the order of a list of people, their filters, and whether the columns of some are needed.

    `no_submission` are the people who have handed in nothing; they have no pages. `todo` is what is left to do of the
    others, by student, where that is shown.
    """
    rows = [_student(grade, questions, final_scores.get(grade.student)) for grade in grades]
    rows += [_unreadable(entry, final_scores.get(entry.student)) for entry in unreadable]
    for row in rows:
        row["filters"] += todo[row["student"]].filters if todo else ()
    rows += map(_absent, no_submission)
    rows.sort(key=lambda row: collation_key(row["student"]))
    return {
        "rows": [row | {"todo": todo.get(row["student"])} for row in rows],
        "filters": sorted({each for row in rows for each in row["filters"]}),
        "late": any(row["late"] for row in rows),
        "sections": any(row["section"] for row in rows),
    }


def _student(grade: Grade, questions: Iterable[Question], final_score: FinalScore | None) -> dict[str, Any]:
    """The row of a student with a grade."""
    earned = dict.fromkeys((question.id for question in grade.questions), 0.0)
    total = 0.0
    for result in grade.results:
        total += result.points
        earned[result.check.question] = earned.get(result.check.question, 0.0) + result.points
    for override in final_score.overrides if final_score else ():
        earned[override.question] = override.points
    written = final_score.written if final_score else ()
    waiting = {each.question.id for each in written if each.is_open}
    earned |= {each.question.id: each.points for each in written}
    known = earned.keys() - waiting
    return {
        "status": words.STATUS[grade.status],
        "urgent": _is_urgent(grade),
        "points": total,
        "max_points": grade.max_points,
        "by_question": [
            {
                "most": each.points,
                "points": round(earned[each.id], 6) if each.id in known else None,
                "waits": each.id in waiting,
            }
            for each in questions
        ],
        "final": final_score.final if final_score else total,
    } | _about(grade, final_score, _flags(grade))


def _unreadable(entry: Unreadable, final_score: FinalScore | None) -> dict[str, Any]:
    """The row of a student whose file cannot be read; with a final score only if staff have given points."""
    return {
        "status": words.STATUS[Status.UNREADABLE],
        "urgent": True,
        "points": None,
        "final": final_score.final if final_score else "",
    } | _about(entry, final_score, ["is:attention", "is:unreadable"])


def _absent(person: NoSubmission) -> dict[str, Any]:
    """The row of a student who has handed in nothing: no points, no file and no pages."""
    section = [f"section:{person.section}"] if person.section else []
    return {
        "status": words.STATUS[Status.NO_SUBMISSION],
        "urgent": False,
        "points": None,
        "final": "",
        "student": person.student,
        "page": "",
        "file": "",
        "path": "",
        "late": "",
        "late_days": 0,
        "section": person.section,
        "filters": ["is:no-submission", *section],
    }


def _about(record: Grade | Unreadable, final_score: FinalScore | None, flags: Sequence[str]) -> dict[str, Any]:
    """What a row says of any file; `filters` are words that only the search reads."""
    days = (final_score.late_days if final_score else None) or 0
    section = record.origin.section if record.origin else ""
    more = {
        "is:late": days,
        "is:overridden": final_score and final_score.overrides,
        f"section:{section}": section,
    }
    return {
        "student": record.student,
        "page": page_name(record.student),
        "file": PurePath(record.file).name or record.file,
        "path": record.file,
        "late": counted(days, "day") if days else "",
        "late_days": days,
        "section": section,
        "filters": [*flags, *(word for word, holds in more.items() if holds)],
    }


def _flags(grade: Grade) -> list[str]:
    attention = ["is:attention"] if _is_urgent(grade) else []
    return [*attention, *(["is:review"] if grade.review else [])]


def _is_urgent(grade: Grade) -> bool:
    """Whether staff should look at it, be it final or not."""
    return grade.status is not Status.GRADED or bool(grade.concerns)
