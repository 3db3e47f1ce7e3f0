"""`gradetape done`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.lines import say, warn
from gradetape.grading import done_marks
from gradetape.grading.results import Results
from gradetape.text import composed, printable

_NAME = 60


@click.command("done")
@click.argument("student", type=composed, required=False)
@click.option("--question", metavar="ID", help="Only this question, by its id or a unique prefix of it, such as q05.")
@click.option("--undo", is_flag=True, help="Mark it as not done.")
@click.option("--list", "listed", is_flag=True, help="List what is done and what is to do.")
@options.by
@click.option("--assignment", metavar="NAME", help="The assignment, if the student has submitted several.")
@options.results_folder
def command(
    student: str | None, question: str | None, undo: bool, listed: bool, by: str | None, assignment: str | None,
    results_folder: Path | None,
) -> None:  # fmt: skip
    """Mark a submission, or a question of it, as done or not done; list what is to do.

    The mark is for the result that counts now. When that changes, because something else was handed in or a check got
    another result, the mark is void and the submission is to do again. Marks are for staff: no student sees them.

    \b
    Examples:
      gradetape done alice
      gradetape done alice --question q06
      gradetape done alice --undo
      gradetape done --list
    """
    with Results.open(here(), results_folder) as results:
        warn([results.book.migrated])
        if listed:
            _list(results, assignment)
            return
        if student is None:
            raise click.UsageError("name the student, or list what is to do with --list")
        target = done_marks.target(results, student, question, assignment)
        made = done_marks.mark(results, target, options.user(by), done=not undo)
    what = f", {made.question}" if made.question else ""
    say(f"{printable(made.student, _NAME)}{what}: {'done' if made.done else 'to do'} in {target.assignment}.")


def _list(results: Results, assignment: str | None) -> None:
    found = done_marks.all_to_do(results, results.assignments(assignment))
    for name, student, left in found:
        say(f"{printable(student, _NAME)}, {name}: {left.words}")
    open_ones = sum(not left.done for _, _, left in found)
    warn([f"{open_ones} of {len(found)} to do."])
