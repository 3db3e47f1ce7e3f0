"""`gradetape show`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradetape.cli import results
from gradetape.cli.common import console, here
from gradetape.errors import GradebookError

if TYPE_CHECKING:
    from gradetape.gradebook import Gradebook
    from gradetape.records import Grade, Unreadable


@click.command("show", short_help="Show a student's result in the terminal.")
@click.argument("student")
@click.option("--assignment", metavar="NAME", help="Only this assignment. [default: all that the student has]")
@click.option("--staff", is_flag=True, help="Also what only staff may see: hidden checks and their messages.")
@results.folder
def command(student: str, assignment: str | None, staff: bool, results_folder: Path | None) -> None:
    """Show a student's result in the terminal: what the student may see, and with --staff all of it.

    \b
    Examples:
      gradetape show alice
      gradetape show alice --assignment custom-training --staff
    """
    from gradetape.cli.sheet import sheet

    terminal = console(stderr=False)
    with results.open_book(here(), results_folder) as book:
        for record in _records(book, results.graded(book, assignment), student):
            terminal.print(sheet(record, staff=staff))


def _records(book: Gradebook, names: Sequence[str], student: str) -> list[Grade | Unreadable]:
    """What counts for a student; raises GradebookError, with the nearest name, where there is nothing."""
    from gradetape.config import did_you_mean
    from gradetape.text import printable

    found: list[Grade | Unreadable] = []
    for name in names:
        found += [*book.latest(name), *book.unreadable(name)]
    mine = [record for record in found if printable(record.student) == printable(student)]
    if not mine:
        near = did_you_mean(student, {record.student for record in found})
        raise GradebookError(f"The gradebook has no student {printable(student)!r}.{near}")
    return mine
