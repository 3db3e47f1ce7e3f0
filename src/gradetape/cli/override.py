"""`gradetape override`."""

from __future__ import annotations

import getpass
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradetape.cli import common, results

if TYPE_CHECKING:
    from gradetape.course.assignments import Assignment, Course
    from gradetape.gradebook import Gradebook
    from gradetape.records import Override


def _number(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        raise click.UsageError(f"{value!r} is no number: write points like 2 or 1.5") from None


class _Override(click.Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if not error.option_name[1:2].isdigit():
                raise
            raise click.UsageError("points are not negative: write a number from 0 on, like 0 or 1.5", ctx) from None


@click.command("override", cls=_Override, short_help="Give points for a question in place of the checks'.")
@click.argument("student", required=False)
@click.argument("question", required=False)
@click.argument("points", required=False, callback=_number)
@click.option("--reason", metavar="TEXT", help="Why; the student may read it.")
@click.option("--by", metavar="NAME", help="Who decides. [default: your user name]")
@click.option("--undo", is_flag=True, help="Take back the override in force; the one before it counts again.")
@click.option("--list", "listed", is_flag=True, help="List every override, undone ones too, of all or of one student.")
@click.option("--assignment", metavar="NAME", help="The assignment, where several have a question of that name.")
@results.folder
def command(
    student: str | None, question: str | None, points: float | None, reason: str | None, by: str | None, undo: bool,
    listed: bool, assignment: str | None, results_folder: Path | None,
) -> None:  # fmt: skip
    """Give points for a question in place of the checks', with a reason; undo or list such overrides.

    What was measured stays as it is, and grading again leaves an override in force.

    \b
    Examples:
      gradetape override alice q05_custom_loss 1.5 --reason "right idea, wrong sign"
      gradetape override alice q05_custom_loss --undo
      gradetape override --list
    """
    course = common.here()
    with results.open_book(course, results_folder) as book:
        names = results.graded(book, assignment)
        if listed:
            _list(book, names, student and _student(book, names, student))
            return
        if student is None or question is None:
            raise click.UsageError("name the student and the question, or use --list")
        of = _assignment(course, names, question)
        student = _student(book, [of.name], student)
        if undo:
            _undo(book, of, student, question, _who(by))
        else:
            _give(book, of, student, question, _worth(of, question, points), reason, _who(by))


def _assignment(course: Course, names: Sequence[str], question: str) -> Assignment:
    """The one of these assignments that has the question; raises UsageError where that is none or not only one."""
    graded = [course.assignment(name) for name in names]
    found = [each for each in graded if question in each.question_ids]
    if not found:
        common.refuse_unknown_question(question, *graded)
    if len(found) > 1:
        several = ", ".join(each.name for each in found)
        raise click.UsageError(f"{question} is a question of {several}: name one with --assignment")
    return found[0]


def _student(book: Gradebook, names: Sequence[str], name: str) -> str:
    return results.of_student(book, names, name)[0][1].student


def _worth(assignment: Assignment, question: str, points: float | None) -> float:
    most = next(each.points for each in assignment.questions if each.id == question)
    if points is None or not math.isfinite(points) or not 0 <= points <= most:
        given = "no points were given: write them after the question" if points is None else f"not {points:g}"
        raise click.UsageError(f"{question} is worth 0 to {most:g} points, {given}")
    return points


def _give(
    book: Gradebook, assignment: Assignment, student: str, question: str, points: float, reason: str | None, by: str
) -> None:
    from gradetape.gradebook.overrides import now
    from gradetape.records import Override

    if not (reason and reason.strip()):
        raise click.UsageError('say why, for the student and for whoever asks later: --reason "…"')
    given = Override(student=student, question=question, points=points, reason=reason.strip(), by=by, at=now())
    book.override(assignment.name, given)
    click.echo(f"{_told(given)}. gradetape report writes the pages anew.")


def _undo(book: Gradebook, assignment: Assignment, student: str, question: str, by: str) -> None:
    undone = book.undo_override(assignment.name, student, question, by)
    if undone is None:
        raise click.UsageError(f"this student has no override of {question} in force. See gradetape override --list")
    click.echo(f"Undone: {_told(undone)}. gradetape report writes the pages anew.")


def _list(book: Gradebook, names: Sequence[str], student: str | None) -> None:
    found = [(override, name) for name in names for override in book.overrides(name, student)]
    for override, name in sorted(found, key=lambda pair: pair[0].at):
        undone = f" [undone {override.undone_at} by {override.undone_by}]" if override.undone_at else ""
        click.echo(f"{override.at} {override.by}, in {name}: {_told(override)}{undone}")
    if not found:
        click.echo("There are no overrides.", err=True)


def _told(override: Override) -> str:
    from gradetape.text import printable

    name = printable(override.student, 60)
    return f"{name}: {override.points:g} points for {override.question} ({printable(override.reason, 300)})"


def _who(by: str | None) -> str:
    if by and by.strip():
        return by.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise click.UsageError("this system does not know who you are: say it with --by NAME") from None
