"""`gradetape override`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.lines import say, warn
from gradetape.cli.updating import write_pages
from gradetape.grading import check_overrides, overrides
from gradetape.grading.results import Results
from gradetape.records import Override
from gradetape.text import as_points, composed, printable

_NAME, _REASON = 60, 300


def _number(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        raise click.UsageError(f"{value!r} is not a number: write points like 2 or 1.5") from None


class _Override(click.Command):
    """A negative number looks like an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if not error.option_name[1:2].isdigit():
                raise
            raise click.UsageError("points cannot be negative: write a number such as 0 or 1.5", ctx) from None


@click.command("override", cls=_Override)
@click.argument("student", type=composed, required=False)
@click.argument("question", required=False)
@click.argument("points", required=False, callback=_number)
@click.option("--reason", metavar="TEXT", help="The reason, which the student may read.")
@options.by
@click.option("--check", metavar="NAME", help="Of the question, only the points of this check.")
@click.option("--alike", is_flag=True, help="With --check: also for all whose failure of it is like this student's.")
@click.option("--undo", is_flag=True, help="Undo the override in force; the previous one counts again.")
@click.option("--list", "listed", is_flag=True, help="List all overrides, undone ones included, of all or one student.")
@click.option("--assignment", metavar="NAME", help="The assignment, if several have a question with that id.")
@options.results_folder
def command(
    student: str | None, question: str | None, points: float | None, reason: str | None, by: str | None,
    check: str | None, alike: bool, undo: bool, listed: bool, assignment: str | None, results_folder: Path | None,
) -> None:  # fmt: skip
    """Override the points of a question or of one check of it, with a reason; undo or list overrides.

    The measured points stay as they are, and an override stays in force when the submission is graded again. The pages
    are written anew. A student is found by the name or id, or by any part of them that only one student has, a question
    by its id or a unique prefix of it.

    \b
    Examples:
      gradetape override alice q05 1.5 --reason "right idea, wrong sign"
      gradetape override alice q05 2 --check test_asymmetry --alike --reason "the sign was not asked for"
      gradetape override alice q05 --undo
      gradetape override --list
    """
    with Results.open(here(), results_folder) as results:
        warn([results.book.migrated])
        if listed:
            _list(results, assignment, student)
            return
        if student is None or question is None:
            raise click.UsageError("name the student and the question, or use --list")
        if alike and check is None:
            raise click.UsageError("--alike is about the failures of one check: name it with --check")
        target = overrides.target(results, student, question, assignment, also_written=undo)
        user = options.user(by)
        if check is not None:
            _of_check(results, target, check, None if undo else (points, reason), user, alike=alike)
        elif undo:
            say(f"Undone: {_described(overrides.undo(results, target, user))}.")
        else:
            say(f"{_described(overrides.give(results, target, points, reason, user))}.")
        write_pages(results, results_folder, target.assignment, None if alike else target.student)


def _of_check(
    results: Results, target: overrides.OverrideTarget, name: str, given: tuple[float | None, str | None] | None,
    by: str, *, alike: bool,
) -> None:  # fmt: skip
    """Sets the points of a check and their reason, or undoes that if none are given."""
    grades = results.book.latest(target.assignment)
    check = check_overrides.check_named(grades, target, name)
    students = check_overrides.alike(grades, target.student, check) if alike else (target.student,)
    if given is None:
        undone = check_overrides.undo(results, target.assignment, check, students, by)
        say(*(f"Undone: {_described(override)}." for override in undone))
        return
    done = check_overrides.give(results, target.assignment, check, students, *given, by)
    say(*(f"{_described(override)}." for override in done.given))
    warn([f"{printable(each, _NAME)} has an override of the whole question, which decides." for each in done.kept])


def _list(results: Results, assignment: str | None, student: str | None) -> None:
    found = overrides.history(results, results.assignments(assignment), student)
    for name, override in found:
        undone = f" [undone {override.undone_at} by {override.undone_by}]" if override.undone_at else ""
        say(f"{override.at} {override.by}, in {name}: {_described(override)}{undone}")
    if not found:
        warn(["There are no overrides."])


def _described(override: Override) -> str:
    name = printable(override.student, _NAME)
    return f"{name}: {as_points(override.points)} for {override.question} ({printable(override.reason, _REASON)})"
