"""A grade as Gradescope's `results.json`: a test for each check, with what the student may read.

Format: https://gradescope-autograders.readthedocs.io/en/latest/specs/. Public checks are visible at once, hidden ones
after the due date. The texts are those of the student's page.
"""

from __future__ import annotations

from typing import Any

from gradetape.records import CheckResult, Grade, Status, Unreadable, Verdict
from gradetape.report import check_view
from gradetape.text import printable

FAULT = (
    "An error occurred during grading. It is not your fault, your submission is safe, and these points are not final."
)
VISIBLE, LATER, HIDDEN = "visible", "after_due_date", "hidden"


def document(outcome: Grade | Unreadable | Exception) -> dict[str, Any]:
    """The content of `results.json`; the text of an exception is for staff only."""
    if isinstance(outcome, Grade):
        tests = [_test(outcome, result) for result in outcome.results]
        return _results(_about(outcome), tests, execution_time=round(outcome.seconds, 3))
    if isinstance(outcome, Unreadable):
        return _results(outcome.for_student or outcome.reason, [], score=0)
    note = {"name": "The grader's error", "output": printable(str(outcome)), "visibility": HIDDEN}
    return _results(FAULT, [note], score=0)


def text_of(result: CheckResult) -> str:
    """What the student reads about a check."""
    view = check_view(result)
    hint = f"Hint: {view['hint']}" if view["hint"] else ""
    said = [f"The question says: “{sentence}”" for sentence in view["sentences"]]
    return printable("\n".join(filter(None, [f"{view['sign']} {view['verdict']}", hint, view["message"], *said])))


def name_of(grade: Grade, result: CheckResult) -> str:
    """The name of a check for the student: the question's title and the check's, which no other check must have."""
    titles = {question.id: question.title for question in grade.questions}
    return printable(f"{titles.get(result.check.question) or result.check.question}: {check_view(result)['title']}")


def _test(grade: Grade, result: CheckResult) -> dict[str, Any]:
    decided = result.verdict not in (Verdict.FAULT, Verdict.SKIPPED)
    status = {"status": "passed" if result.verdict is Verdict.PASSED else "failed"} if decided else {}
    return {
        "name": name_of(grade, result),
        "score": round(result.points, 6),
        "max_score": result.check.points,
        "output": text_of(result),
        "visibility": VISIBLE if result.check.public else LATER,
        **status,
    }


def _about(grade: Grade) -> str:
    lines = [*([FAULT] if grade.status is not Status.GRADED else []), *grade.notes]
    lines += [f"Code cell {event.cell + 1} ({event.kind}): {event.text}" for event in grade.events]
    return "\n".join(lines)


def _results(output: str, tests: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"output": printable(output), "output_format": "text", "stdout_visibility": HIDDEN, "tests": tests, **more}
