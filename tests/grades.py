"""Grades and unreadable files as a batch makes them, and one by somebody who means ill."""

from __future__ import annotations

from typing import Any

from gradetape.records import CellEvent, Check, CheckResult, Grade, Question, Status, Unreadable, Verdict

ASSIGNMENT = "custom-training"
NASTY = (
    '<script>alert(1)</script><img src=x onerror="alert(2)">\' onclick=alert(3) {{ 7*7 }} {% raw %}'
    " \x1b[2J\x00\x07 \u202egnp.exe\u200b \ud800 =HYPERLINK(1) </pre></title><!-- ]]>"
)
FORMULA = '=HYPERLINK("https://example.org?"&A1;"passed")'


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


def a_class(scores: list[tuple[bool, ...]]) -> list[Grade]:
    """A student for each row, with a check for each column, passed or not."""
    verdicts = {True: Verdict.PASSED, False: Verdict.FAILED}
    return [
        a_grade(f"s{number}", *(a_result(f"test_{place}", verdict=verdicts[hit]) for place, hit in enumerate(row)))
        for number, row in enumerate(scores)
    ]
