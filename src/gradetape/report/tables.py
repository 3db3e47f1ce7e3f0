"""Grades as a table for spreadsheets, and as one JSON object."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gradetape.records import CheckResult, FinalScore, Grade, Question, Status, Unreadable
from gradetape.text import printable, spreadsheet

_FIRST = ("student", "points", "max_points", "status")
_FILE = ("file", "sha256")
_COUNTS = ("handed_in", "late_days", "late_percent", "overridden", "final")


def questions_of(grades: Sequence[Grade]) -> list[Question]:
    """Every question that a grade has, in the order of the assignment."""
    return list({question.id: question for grade in grades for question in grade.questions}.values())


def earned(grade: Grade, question_id: str) -> float:
    """The points earned on one question, without the noise of floating point."""
    return round(sum(result.points for result in grade.of(question_id)), 6)


def grades_csv(
    grades: Sequence[Grade], unreadable: Sequence[Unreadable], *, max_points: float,
    final_scores: Mapping[str, FinalScore] | None = None,
) -> str:  # fmt: skip
    """One row per student: student, points, max_points, status, a column per question, file, sha256.

    `max_points` is the assignment's, for those who have no grade. With `standings`, by student, five columns more:
    handed_in, late_days, late_percent, overridden and final, which is what counts; all others are what was measured.

    All text is quoted, and no cell holds a formula even where a spreadsheet separates cells by semicolons or tabs.
    """
    question_ids = [question.id for question in questions_of(grades)]
    rows = [_graded_row(grade, question_ids) for grade in grades] + [
        _unreadable_row(entry, question_ids, max_points) for entry in unreadable
    ]
    rows.sort(key=lambda row: str(row[0]).casefold())
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    header: list[str | float] = [*_FIRST, *question_ids, *_FILE]
    if final_scores is not None:
        header += _COUNTS
        rows = [[*row, *_final_score_columns(final_scores.get(str(row[0])), row[1])] for row in rows]
    for row in [header, *rows]:
        writer.writerow([_cell(value) if isinstance(value, str) else value for value in row])
    return file.getvalue()


def merged(tables: Mapping[str, str]) -> str:
    """One table of the `grades_csv` of several assignments, by their names, which stand in its first column.

    A single table stays as it is.
    """
    if len(tables) == 1:
        return next(iter(tables.values()))
    rows = [{"assignment": name} | row for name, table in tables.items() for row in _rows(table)]
    columns = dict.fromkeys(name for row in rows for name in row)
    last = [name for name in (*_FILE, *_COUNTS) if name in columns]
    others = [name for name in columns if name not in last]
    file = io.StringIO()
    writer = csv.DictWriter(file, [*others, *last], "", quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def summary(assignment: str, table: str) -> dict[str, Any]:
    """What a list of assignments says of one, from its `grades_csv`."""
    rows = _rows(table)
    points = [row["points"] for row in rows if row["status"] == Status.GRADED.value]
    return {
        "assignment": assignment,
        "students": len(rows),
        "attention": len(rows) - len(points),
        "mean": sum(points) / len(points) if points else None,
        "max_points": max((row["max_points"] for row in rows), default=0.0),
    }


def as_json(
    grades: Sequence[Grade], unreadable: Sequence[Unreadable], assignment: str, isolation: str, *,
    max_points: float,
) -> dict[str, Any]:  # fmt: skip
    """What `grade --json` prints, as plain data; `max_points` is the assignment's, for those who have no grade."""
    submissions = [_graded(grade) for grade in grades] + [_unreadable(entry, max_points) for entry in unreadable]
    return {
        "assignment": assignment,
        "isolation": isolation,
        "submissions": sorted(submissions, key=lambda submission: submission["student"].casefold()),
    }


def _rows(table: str) -> list[dict[str, Any]]:
    """The rows of a `grades_csv`, its numbers as numbers."""
    return list(csv.DictReader(io.StringIO(table), quoting=csv.QUOTE_NONNUMERIC))


def _cell(text: str) -> str:
    line = re.sub(r"[\t\n]+", " ", printable(text))
    return ";".join(spreadsheet(part) for part in line.split(";"))


def _graded_row(grade: Grade, question_ids: Sequence[str]) -> list[str | float]:
    mine = {question.id for question in grade.questions}
    points = [earned(grade, question_id) if question_id in mine else "" for question_id in question_ids]
    total = round(grade.points, 6)
    return [grade.student, total, grade.max_points, grade.status.value, *points, grade.file, grade.sha256]


def _final_score_columns(final_score: FinalScore | None, measured: str | float) -> list[str | float]:
    if final_score is None:
        return ["", "", 0.0, "", measured]
    overridden = " ".join(override.question for override in final_score.overrides)
    days = "" if final_score.late_days is None else final_score.late_days
    return [final_score.handed_in, days, final_score.late_percent, overridden, final_score.final]


def _unreadable_row(entry: Unreadable, question_ids: Sequence[str], full: float) -> list[str | float]:
    return [entry.student, 0.0, full, Status.UNREADABLE.value, *("" for _ in question_ids), entry.file, entry.sha256]


def _graded(grade: Grade) -> dict[str, Any]:
    return {
        "student": printable(grade.student),
        "file": printable(grade.file),
        "sha256": grade.sha256,
        "status": grade.status.value,
        "points": round(grade.points, 6),
        "max_points": grade.max_points,
        "seconds": round(grade.seconds, 3),
        "questions": {question.id: _question(grade, question) for question in grade.questions},
    } | ({"review": [printable(reason) for reason in grade.review]} if grade.review else {})


def _unreadable(entry: Unreadable, full: float) -> dict[str, Any]:
    return {
        "student": printable(entry.student),
        "file": printable(entry.file),
        "sha256": entry.sha256,
        "status": Status.UNREADABLE.value,
        "points": 0.0,
        "max_points": full,
        "seconds": 0.0,
        "questions": {},
        "reason": printable(entry.reason),
    }


def _question(grade: Grade, question: Question) -> dict[str, Any]:
    return {
        "points": earned(grade, question.id),
        "max_points": question.points,
        "checks": [_check(result) for result in grade.of(question.id)],
    }


def _check(result: CheckResult) -> dict[str, Any]:
    return {
        "name": result.check.name,
        "public": result.check.public,
        "verdict": result.verdict.value,
        "points": result.points,
        "max_points": result.check.points,
        "seconds": round(result.seconds, 3),
        "message": printable(result.message),
    }
