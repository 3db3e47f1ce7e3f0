"""`gradetape forget`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.lines import line, say, warn
from gradetape.grading.results import Results, options_again
from gradetape.grading.students import KnownStudent, forget, known_student
from gradetape.text import composed, counted, one_line

_ELSEWHERE = (
    "gradetape does not touch the submissions, the class list, late.times, late.extensions, exported files and backups "
    "of the database. Remove the student there yourself."
)


@click.command("forget")
@click.argument("student", type=composed)
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.by
@options.results_folder
def command(student: str, yes: bool, by: str | None, results_folder: Path | None) -> None:
    """Remove everything of a student from the gradebook and the pages. This cannot be undone.

    All attempts in all assignments go, with results, overrides, comments, regrade requests, and what the code printed;
    question results that others with the same cells have stay theirs. STUDENT is the whole name, id, login or email.
    `gradetape audit` shows that a student was removed, by whom and when, and not who it was.

    \b
    Examples:
      gradetape forget "Jane Doe"
      gradetape forget jdoe --yes
    """
    course = here()
    with Results.open(course, results_folder) as results:
        warn([results.book.migrated])
        known = known_student(results, student)
        _confirm(known, yes=yes)
        folder, again = results_folder or course.root / course.config.results, options_again(results_folder)
        done = forget(results, folder, known, options.user(by), options=again)
    say(
        f"Removed: {counted(done.entry.attempts, 'attempt')} in {', '.join(done.assignments)}, "
        f"{counted(done.entry.overrides, 'override')}."
    )
    warn([*done.warnings, _ELSEWHERE])


def _confirm(known: KnownStudent, *, yes: bool) -> None:
    what = f"Remove everything of {one_line(known.name)} in {', '.join(known.assignments)}?"
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(line(f"{what} Nobody can be asked here: confirm it with --yes"))
    click.confirm(line(what), abort=True, err=True)
