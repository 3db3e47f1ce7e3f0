"""What `gradetape merge` says: a summary, and where the gradebooks differ, in lines and as plain data."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from gradetape.gradebook import BookGrade, Disagreement, MergeReport, OverrideDifference, PartDifference
from gradetape.grading.merging import Merge
from gradetape.records import Status
from gradetape.text import as_points, counted, few, few_lines, one_line

_NAME = 60
_WHICH_COUNTS = "the one that was handed in last counts, and without times the one that was graded last"
_PARTS = {
    "checks": "the checks differ",
    "reference": "the reference solutions differ",
    "limits": "the limits differ",
    "keras": "the Keras generations differ",
    "sandbox": "the isolation or the device differs",
    "versions": "the installed software differs",
    "grader": "gradetape's own code differs",
}
AGAIN = "Grade the same files again into the merged gradebook: gradetape grade judges only what has no valid result."


def lines(merge: Merge) -> Iterator[str]:
    """What was merged and where the gradebooks differ, in lines for people."""
    report = merge.report
    yield from merge.warnings
    for book, number in report.in_progress.items():
        going = counted(number, "submission")
        yield f"{one_line(book)} is being graded into ({going} in progress): merge it again later"
    yield from _assignments(merge)
    for difference in report.differences:
        yield _difference(difference)
    if report.differences:
        yield AGAIN
    yield from _disagreements(merge)
    for override in report.override_differences:
        yield _override(override)
    yield _summary(merge)


def as_json(merge: Merge) -> dict[str, object]:
    """The output of `merge --json`, as plain data."""
    found: dict[str, object] = msgspec.to_builtins(merge.report)
    assignments = {book: [*names] for book, names in merge.assignments.items()}
    return {"into": merge.into, "assignments": assignments, "attention": merge.attention} | found


def _assignments(merge: Merge) -> Iterator[str]:
    """Says which gradebooks have which assignments, if not all have the same."""
    if len({tuple(names) for names in merge.assignments.values() if names}) > 1:
        for book, names in merge.assignments.items():
            yield f"{one_line(book)} has grades of {few(names)}" if names else f"{one_line(book)} has no grades"


def _difference(found: PartDifference) -> str:
    books = few(map(one_line, found.gradebooks))
    return f"{found.assignment}: {_PARTS[found.part]} between {books}: {few(found.questions)}"


def _disagreements(merge: Merge) -> Iterator[str]:
    disagreements = merge.report.disagreements
    graded = [each for each in disagreements if each.same_file]
    if graded:
        yield f"{counted(len(graded), 'student')} got different results for the same file:"
        yield from few_lines(map(_disagreement, graded))
    other = [each for each in disagreements if not each.same_file]
    if other:
        yield f"{counted(len(other), 'student')} handed in different files; {_WHICH_COUNTS}:"
        yield from few_lines(map(_disagreement, other))


def _disagreement(found: Disagreement) -> str:
    questions = f" ({few(found.questions)})" if found.questions else ""
    others = "; ".join(f"not {_grade(each)}" for each in found.others)
    return f"{one_line(found.student, _NAME)}, {found.assignment}{questions}: {_grade(found.counts)} counts, {others}"


def _grade(found: BookGrade) -> str:
    where = f"of {one_line(found.gradebook)}, {found.created}"
    if found.status is Status.UNREADABLE:
        return f"the unreadable file {where}"
    attention = ", which needs attention" if found.status is Status.NEEDS_ATTENTION else ""
    return f"{as_points(sum(found.points.values()))} {where}{attention}"


def _override(found: OverrideDifference) -> str:
    points = ", ".join(f"{points:g} in {one_line(book)}" for book, points in found.points.items())
    return (
        f"{one_line(found.student, _NAME)}, {found.question}: different overrides: {points}. "
        f"The newest counts: {as_points(found.counts)}"
    )


def _given(report: MergeReport) -> str:
    overrides = counted(report.overrides, "override")
    return f"{overrides} and {counted(report.marks, 'mark')}" if report.marks else overrides


def _summary(merge: Merge) -> str:
    report = merge.report
    what = (
        f"{counted(report.attempts, 'attempt')}, {counted(report.results, 'question result')} and "
        f"{_given(report)} added, {counted(report.known, 'attempt')} there before"
    )
    notes = {"comment": report.notes.comments, "done mark": report.notes.done_marks, "request": report.notes.requests}
    what += "".join(f", {counted(number, name)} added" for name, number in notes.items() if number)
    attention = f", {merge.attention} of those that count need attention" if merge.attention else ""
    books = counted(len(merge.assignments), "gradebook")
    return f"merged {books} into {one_line(merge.into)}: {what}{attention}; open {merge.index}"
