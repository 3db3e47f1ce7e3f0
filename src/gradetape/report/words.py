"""The words for verdicts, statuses and cell events. Each verdict has its own text and sign, besides its colour."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from gradetape.records import (
    Basis,
    CellEvent,
    Check,
    FinalScore,
    Grade,
    MarkState,
    Override,
    Question,
    Status,
    Unreadable,
    Verdict,
    WrittenScore,
)
from gradetape.report.html import anchor

VERDICTS = {
    Verdict.PASSED: "passed",
    Verdict.FAILED: "not passed",
    Verdict.ERROR: "your code raised an error",
    Verdict.MISSING: "a name is not defined",
    Verdict.TIMEOUT: "took too long",
    Verdict.MEMORY: "used too much memory",
    Verdict.CRASHED: "crashed Python",
    Verdict.SKIPPED: "not run",
    Verdict.FAULT: "could not be judged because of an error in the grader",
}
STATUS = {
    Status.GRADED: "graded",
    Status.NEEDS_ATTENTION: "needs attention",
    Status.UNREADABLE: "unreadable",
    Status.NO_SUBMISSION: "no submission",
}
WRITTEN = {
    MarkState.MARKED: "marked by the course staff",
    MarkState.WAITING: "waits to be marked by the course staff",
    MarkState.AGAIN: "waits to be marked again by the course staff",
    MarkState.NOT_FOUND: "no cell for the answer was found; the course staff will look at it",
    MarkState.UNANSWERED: "no answer was given",
}
# A line of carets refers to the line above it, so that neither must wrap.
_CARETS = re.compile(r"^ +[~^]+ *$", re.MULTILINE)
BASES = {Basis.EVIDENCE: "evidence", Basis.CHECKED: "cross-checks", Basis.TESTIMONY: "testimony"}
SIGNS = {"good": "✓", "bad": "✗", "open": "?"}
_EVENTS = {
    "error": "raised an error; later cells still ran",
    "quarantined": "was quarantined",
    "salvaged": "was used in part, although it raised an error",
    "note": "did not do all that it does in a notebook",
    "copied": "redefines names from an earlier cell",
    "output": "printed",
}

_FAILURES = ("error", "quarantined", "salvaged")


def tone(verdict: Verdict) -> str:
    """The colour of a verdict: `good`, `bad`, or `open` if nothing was decided."""
    if verdict in (Verdict.FAULT, Verdict.SKIPPED):
        return "open"
    return "good" if verdict is Verdict.PASSED else "bad"


def events(grade: Grade, question: str | None = None) -> list[dict[str, Any]]:
    """The events of the cells, for a template; with `question`, an id, only those of its cells."""
    titles = {question.id: question.title for question in grade.questions}
    return [_event(event, titles) for event in grade.events if question in (None, event.question)]


def failures(grade: Grade, question_id: str) -> list[dict[str, Any]]:
    """Where the cells of a question failed, for a template; if they did not, but its checks miss a name, where any did.

    Empty if the question has all its points.
    """
    results = grade.of(question_id)
    if all(result.verdict in (Verdict.PASSED, Verdict.SKIPPED) for result in results):
        return []
    failed = [event for event in grade.events if event.kind in _FAILURES]
    own = [event for event in failed if event.question == question_id]
    lost = any(result.verdict in (Verdict.MISSING, Verdict.ERROR) for result in results)
    return [_event(event, {}) for event in own or failed[: 1 if lost else 0]]


def facts(grade: Grade) -> list[tuple[str, str]]:
    """What was graded and how, as names and values."""
    versions = ", ".join(f"{name} {version}" for name, version in grade.versions.items())
    found = [
        ("File", file_name(grade)),
        ("SHA-256 of the file", grade.sha256),
        ("Isolation", grade.isolation),
        ("Isolation layers", ", ".join(grade.layers)),
        ("Software", versions),
    ]
    return [(name, value) for name, value in found if value]


def bases(grade: Grade) -> str:
    """What the points of a submission rest on, for staff; empty if it has none."""
    earned = {basis: sum(result.points for result in grade.results if result.basis is basis) for basis in BASES}
    return ", ".join(f"{points:g} on {BASES[basis]}" for basis, points in earned.items() if points)


def with_checks(grade: Grade, final_score: FinalScore | None) -> list[Question]:
    """The questions of a grade whose points its checks give: not those that have become written ones."""
    written = {each.question.id for each in final_score.written} if final_score else ()
    return [question for question in grade.questions if question.id not in written]


def override_of(final_score: FinalScore | None, question_id: str) -> Override | None:
    """The override in force for a question, if there is one."""
    overrides = final_score.overrides if final_score else ()
    return next((each for each in overrides if each.question == question_id), None)


def check_override_of(final_score: FinalScore | None, check: Check) -> Override | None:
    """The override of a check that counts, if there is one."""
    override = override_of(final_score, check.question)
    return next((each for each in override.checks if each.question == check.id), None) if override else None


def points_of(grade: Grade, final_score: FinalScore | None, question_id: str, earned: float | None = None) -> float:
    """What counts for a question before a late penalty: an override, else what was earned, which may be known."""
    override = override_of(final_score, question_id)
    if override is not None:
        return override.points
    return grade.earned(question_id) if earned is None else earned


def written(final_score: FinalScore | None) -> list[dict[str, Any]]:
    """The written questions of a student, for a template: what counts of them, and what is said of it."""
    return [_written(each) for each in final_score.written] if final_score else []


def _written(score: WrittenScore) -> dict[str, Any]:
    counts = score.state is MarkState.MARKED
    return {
        "title": score.question.title or score.question.id,
        "id": score.question.id,
        "anchor": anchor(score.question.id),
        "points": score.points,
        "max_points": score.question.points,
        "is_open": score.is_open,
        "state": WRITTEN[score.state],
        "again": score.state is MarkState.AGAIN,
        "items": score.items if counts else (),
        "adjustment": score.adjustment if counts else 0.0,
        "comment": score.comment if counts else "",
        "by": score.by,
        "at": score.at,
    }


def most_points(grade: Grade, final_score: FinalScore | None) -> float:
    """The points that a student can have, with those of written questions."""
    return final_score.most_points(grade) if final_score else grade.max_points


def file_name(record: Grade | Unreadable) -> str:
    """The file's name without its path, which is for staff."""
    return Path(record.file).name or record.student


def reason(entry: Unreadable) -> str:
    """Why a file could not be read, in the version for the student."""
    return entry.for_student or entry.reason


def _event(event: CellEvent, titles: dict[str, str]) -> dict[str, Any]:
    return {
        "cell": event.cell + 1,
        "question": titles.get(event.question or "", ""),
        "what": _EVENTS.get(event.kind, event.kind),
        "text": event.text,
        "failed": event.kind in ("error", "quarantined"),
        "aligned": _CARETS.search(event.text) is not None,
    }
