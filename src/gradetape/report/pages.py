"""Grades as HTML: a page for each student, and an index for staff.

A student's template never sees a Grade, only the views built here: they hold no word for staff, and of a hidden check
neither its name nor its message.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gradetape.records import CellEvent, Check, CheckResult, Grade, Question, Status, Unreadable, Verdict
from gradetape.report.tables import earned, questions_of
from gradetape.text import printable

_VERDICTS = {
    Verdict.PASSED: "passed",
    Verdict.FAILED: "not passed",
    Verdict.ERROR: "your code raised an error",
    Verdict.MISSING: "a name is not defined",
    Verdict.TIMEOUT: "took too long",
    Verdict.MEMORY: "used too much memory",
    Verdict.CRASHED: "crashed Python",
    Verdict.SKIPPED: "not run",
    Verdict.FAULT: "could not be judged, which is our mistake",
}
_EVENTS = {
    "error": "raised an error; the cells after it ran all the same",
    "quarantined": "was set aside",
    "copied": "defines again what an earlier cell defines",
    "output": "printed",
}
_STATUS = {
    Status.GRADED: "graded",
    Status.NEEDS_ATTENTION: "needs attention",
    Status.UNREADABLE: "unreadable",
}
_RESERVED = re.compile(r"index|con|prn|aux|nul|com[0-9]|lpt[0-9]|.*-[0-9a-f]{12}")


def student_page(grade: Grade, *, title: str = "") -> str:
    """One student's result: nothing in it is for staff alone."""
    stems = {question.stem: question.title for question in grade.questions}
    return _render(
        "student.html.j2",
        title=title or grade.assignment,
        student=grade.student,
        points=grade.points,
        max_points=grade.max_points,
        needs_attention=grade.status is Status.NEEDS_ATTENTION,
        questions=[_question_view(grade, question) for question in grade.questions],
        events=[_event_view(event, stems) for event in grade.events],
        notes=grade.notes,
        facts=_facts(grade),
    )


def unreadable_page(entry: Unreadable, assignment: str, *, title: str = "") -> str:
    """The page of a student whose file could not be read: why, and what to do next."""
    return _render("unreadable.html.j2", title=title or assignment, entry=entry)


def index_page(grades: Sequence[Grade], unreadable: Sequence[Unreadable], *, assignment: str, title: str = "") -> str:
    """For staff: who needs attention, every student, and how many passed each check."""
    questions = questions_of(grades)
    rows = [_student_row(grade, questions) for grade in grades] + [_unreadable_row(entry) for entry in unreadable]
    rows.sort(key=lambda row: row["student"].casefold())
    return _render(
        "index.html.j2",
        title=title or assignment,
        assignment=assignment,
        questions=questions,
        rows=rows,
        attention=[row for row in rows if row["reasons"]],
        review=[row for row in rows if row["review"]],
        checks=_pass_counts(grades, questions),
    )


def page_name(student: str) -> str:
    """The file name of a student's page: plain ASCII in lower case, and always the same for the same student.

    A name that had to be changed gets a digest, so that no two students share a page, whatever they are called.
    """
    ascii_name = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9_]+", "-", ascii_name).strip("-")[:60] or "student"
    if slug == student and not _RESERVED.fullmatch(slug):
        return f"{slug}.html"
    return f"{slug}-{hashlib.sha256(student.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}.html"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("gradetape.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _render(template: str, **view: Any) -> str:
    return _environment().get_template(template).render(view)


def _shown(value: object) -> object:
    """What a template prints: numbers in short, and text as text."""
    if isinstance(value, float):
        return f"{value:g}"
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _question_view(grade: Grade, question: Question) -> dict[str, Any]:
    return {
        "title": question.title or question.stem,
        "points": earned(grade, question.stem),
        "max_points": question.points,
        "checks": [_check_view(result) for result in grade.of(question.stem)],
    }


def _check_view(result: CheckResult) -> dict[str, Any]:
    check, passed = result.check, result.verdict is Verdict.PASSED
    return {
        "title": check.title or "A check",
        "verdict": _VERDICTS[result.verdict],
        "tone": _tone(result.verdict),
        "points": result.points,
        "max_points": check.points,
        "hint": "" if passed else check.hint,
        "message": result.message if check.public else "",
    }


def _tone(verdict: Verdict) -> str:
    if verdict in (Verdict.FAULT, Verdict.SKIPPED):
        return "open"
    return "good" if verdict is Verdict.PASSED else "bad"


def _event_view(event: CellEvent, titles: dict[str, str]) -> dict[str, Any]:
    return {
        "cell": event.cell + 1,
        "question": titles.get(event.question or "", ""),
        "what": _EVENTS.get(event.kind, event.kind),
        "text": event.text,
    }


def _facts(grade: Grade) -> list[tuple[str, str]]:
    versions = ", ".join(f"{name} {version}" for name, version in grade.versions.items())
    facts = [
        ("File", Path(grade.file).name),
        ("SHA-256 of the file", grade.sha256),
        ("Time", f"{grade.seconds:.1f} s"),
        ("Isolation", grade.isolation),
        ("Walls in force", ", ".join(grade.layers)),
        ("Software", versions),
    ]
    return [(name, value) for name, value in facts if value]


def _student_row(grade: Grade, questions: Iterable[Question]) -> dict[str, Any]:
    unexplained = ("no reason was recorded",) if grade.status is Status.NEEDS_ATTENTION else ()
    return {
        "student": grade.student,
        "page": page_name(grade.student),
        "status": _STATUS[grade.status],
        "points": grade.points,
        "max_points": grade.max_points,
        "by_question": [earned(grade, question.stem) for question in questions],
        "file": grade.file,
        "reasons": grade.attention or unexplained,
        "review": grade.review,
        "faults": [result for result in grade.results if result.verdict is Verdict.FAULT and result.staff_message],
    }


def _unreadable_row(entry: Unreadable) -> dict[str, Any]:
    return {
        "student": entry.student,
        "page": page_name(entry.student),
        "status": _STATUS[Status.UNREADABLE],
        "points": None,
        "file": entry.file,
        "reasons": (entry.reason,),
        "review": (),
        "faults": [],
    }


def _pass_counts(grades: Sequence[Grade], questions: Sequence[Question]) -> list[dict[str, Any]]:
    """Of each check, in the order of the questions, how many of the students it was run for passed."""
    verdicts: dict[Check, list[Verdict]] = {}
    for result in (result for grade in grades for result in grade.results):
        verdicts.setdefault(result.check, []).append(result.verdict)
    order = {question.stem: place for place, question in enumerate(questions)}
    return [
        {
            "check": check,
            "passed": found.count(Verdict.PASSED),
            "of": len(found),
            "faults": found.count(Verdict.FAULT),
        }
        for check, found in sorted(verdicts.items(), key=lambda item: order.get(item[0].question, len(order)))
    ]
