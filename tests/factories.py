"""Grades, results and unreadable files for tests: a plain one, one of the tiny course, a stored and a hostile one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from gradetape.records import CellEvent, Check, CheckResult, Grade, Question, Status, Unreadable, Verdict
from gradetape.report import dashboard_view, index_page

ASSIGNMENT = "custom-training"
NASTY = (
    '<script>alert(1)</script><img src=x onerror="alert(2)">\' onclick=alert(3) {{ 7*7 }} {% raw %}'
    " \x1b[2J\x00\x07 \u202egnp.exe\u200b \ud800 =HYPERLINK(1) </pre></title><!-- ]]>"
)
FORMULA = '=HYPERLINK("https://example.org?"&A1;"passed")'
SECRET = "expected 2.5, which only staff may know"


def a_dashboard(grades: Sequence[Grade], unreadable: Sequence[Unreadable], **about: Any) -> str:
    """The dashboard as it stands at the top of a results folder."""
    return index_page(dashboard_view(grades, unreadable, **about))


def a_result(
    name: str = "test_x", public: bool = True, verdict: Verdict = Verdict.PASSED, **changes: Any
) -> CheckResult:
    check = Check(
        question="q01", name=name, public=public, title=f"What {name} says.", hint=f"Look at {name}.", points=2.0
    )
    given: dict[str, Any] = {
        "check": check,
        "verdict": verdict,
        "points": 2.0 if verdict is Verdict.PASSED else 0.0,
        "seconds": 0.1234567,
    }
    return CheckResult(**(given | changes))


def a_grade(student: str = "alice", *results: CheckResult, **changes: Any) -> Grade:
    given: dict[str, Any] = {
        "assignment": ASSIGNMENT,
        "student": student,
        "file": f"{student}.ipynb",
        "sha256": "ab" * 32,
        "key": "k",
        "status": Status.GRADED,
        "isolation": "namespaces",
        "questions": (
            Question(id="q01", title="The first", points=4.0),
            Question(id="q02", title="The second", points=1.0),
        ),
        "results": results or (a_result(),),
        "layers": ("landlock", "seccomp"),
        "versions": {"tensorflow": "2.21.0"},
        "seconds": 3.25,
    }
    return Grade(**(given | changes))


def a_tiny_grade(student: str = "alice", assignment: str = "tiny") -> Grade:
    """A grade for the tiny course: its first question passed, a hidden check of its second one failed."""
    two = Check(question="q01_double", name="test_two", public=True, title="Two.", hint="H1.", points=3)
    odd = Check(question="q02_halve", name="test_odd", public=False, title="Odd.", hint="H2.", points=2)
    return a_grade(
        student,
        a_result(check=two, points=3, seconds=0.1),
        a_result(check=odd, verdict=Verdict.FAILED, points=0, seconds=0.1, message=SECRET, staff_message=SECRET),
        assignment=assignment, key=student, layers=(), versions={}, seconds=0.0,
        questions=(
            Question(id="q01_double", title="Twice", points=3),
            Question(id="q02_halve", title="Half", points=2),
        ),
    )  # fmt: skip


def a_stored_grade(student: str = "alice", key: str = "k1", points: float = 1.0, **changes: Any) -> Grade:
    """A grade as the gradebooks of older versions in tests/gradebooks hold it."""
    check = Check(question="q01", name="test_x", public=True, title="It works.", hint="", points=2)
    given: dict[str, Any] = {
        "sha256": "0" * 64,
        "key": key,
        "questions": (Question(id="q01", title="One", points=2),),
        "layers": (),
        "versions": {"tensorflow": "2.21"},
        "seconds": 0.0,
    }
    return a_grade(student, a_result(check=check, points=points, seconds=0.25, message="fine"), **(given | changes))


def a_stored_fault(student: str = "alice", key: str = "k1", **changes: Any) -> Grade:
    return a_stored_grade(
        student, key, 0.0, status=Status.NEEDS_ATTENTION, attention=("the zygote is gone",), **changes
    )


def a_nasty_grade() -> Grade:
    check = Check(question=NASTY, name=NASTY, public=True, title=NASTY, hint=NASTY, points=1.0)
    return a_grade(
        NASTY,
        CheckResult(check=check, verdict=Verdict.FAILED, points=0.0, seconds=0.0, message=NASTY),
        assignment=NASTY,
        status=Status.NEEDS_ATTENTION,
        questions=(Question(id=NASTY, title=NASTY, points=1.0),),
        events=(CellEvent(cell=0, kind="error", text=NASTY, question=NASTY), CellEvent(cell=1, kind=NASTY, text=NASTY)),
        notes=(NASTY,),
        attention=(NASTY,),
        layers=(NASTY,),
        versions={NASTY: NASTY},
    )


def a_broken_file(student: str = "carol", reason: str = "It is no notebook: hand in the .ipynb.") -> Unreadable:
    return Unreadable(student=student, file=f"{student}.docx", sha256="cd" * 32, reason=reason)


def a_stored_broken_file(student: str = "alice", reason: str = "It is empty.") -> Unreadable:
    """An unreadable file as the gradebooks of older versions in tests/gradebooks hold it."""
    return msgspec.structs.replace(a_broken_file(student, reason), file=f"{student}.ipynb", sha256="1" * 64)


def a_class(scores: list[tuple[bool, ...]]) -> list[Grade]:
    """A student for each row, with a check for each column, passed or not."""
    verdicts = {True: Verdict.PASSED, False: Verdict.FAILED}
    return [
        a_grade(f"s{number}", *(a_result(f"test_{place}", verdict=verdicts[hit]) for place, hit in enumerate(row)))
        for number, row in enumerate(scores)
    ]
