"""`gradetape preview`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.lines import say, warn
from gradetape.grading import overrides
from gradetape.grading.results import Results
from gradetape.grading.trial import TrialRequest, tried
from gradetape.records import Grade, TrialResult
from gradetape.text import as_points, composed, counted, one_line

_NAME = 60


@click.command("preview")
@click.argument("question")
@click.option("--student", metavar="NAME", type=composed, help="Only this student.")
@click.option("--check", metavar="ID", help="Only this check, by its whole id, such as q05_x::hidden::test_y.")
@click.option("--assignment", metavar="NAME", help="The assignment, if several have a question with that id.")
@options.workers
@options.results_folder
def command(
    question: str, student: str | None, check: str | None, assignment: str | None, workers: int | None,
    results_folder: Path | None,
) -> None:  # fmt: skip
    """Judge graded submissions with the checks as they are now, and show who would gain or lose points.

    Nothing is recorded. The code comes from the gradebook. To make a change count, grade the submissions again.

    \b
    Examples:
      gradetape preview q05
      gradetape preview q05 --student alice --check q05_loss::hidden::test_asymmetry
    """
    with Results.open(here(), results_folder) as results:
        warn([results.book.migrated])
        name, question_id = overrides.question_of(results, question, assignment)
        known = results.find_student(student, [name])[0][1].student if student else None
        grades = [each for each in results.book.latest(name) if known in (None, each.student)]
    grades = [each for each in grades if each.has(question_id)]
    request = TrialRequest(
        assignment=name, question=question_id, checks=frozenset([check]) if check else None, workers=workers,
        hidden=(results_folder or results.course.root / results.course.config.results,),
    )  # fmt: skip
    found = []
    for each in tried(results.course, request, grades):
        found.append(each)
        warn([f"{len(found)} of {len(grades)}: {_described(each)}"])
    _sum_up(found, grades)


def _described(each: TrialResult) -> str:
    name, (before, now) = one_line(each.student, _NAME), each.points
    if each.lost:
        return f"{name}: not judged: {each.lost}"
    return f"{name}: {before:g} -> {as_points(now)}" if each.gain else f"{name}: {as_points(now)}"


def _sum_up(found: Sequence[TrialResult], grades: Sequence[Grade]) -> None:
    changed = sorted((each for each in found if each.gain), key=lambda each: -abs(each.gain))
    say(*map(_described, changed))
    gain, lost = sum(each.gain > 0 for each in found), sum(bool(each.lost) for each in found)
    say(
        f"{counted(len(grades), 'student')}: {gain} would gain, {len(changed) - gain} would lose, {lost} not judged. "
        "Nothing was recorded."
    )
