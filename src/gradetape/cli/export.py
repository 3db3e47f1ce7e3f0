"""`gradetape export`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape.cli import results
from gradetape.cli.common import here
from gradetape.errors import GradebookError


@click.group("export")
def command() -> None:
    """Write the grades for other programs.

    \b
    Example:
      gradetape export csv --out grades.csv
    """


@command.command("csv")
@click.option("--assignment", metavar="NAME", help="Only this assignment. [default: all]")
@results.folder
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="[default: stdout]")
def csv(assignment: str | None, results_folder: Path | None, out: Path | None) -> None:
    """Write a row for each student: UTF-8, all text quoted, and no cell that a spreadsheet would compute.

    Of several assignments the table has the rows of all, with a first column that names the assignment.

    \b
    Examples:
      gradetape export csv
      gradetape export csv --assignment custom-training --out grades.csv
    """
    course = here()
    with results.open_book(course, results_folder) as book:
        text = results.whole_table(course, results.graded(book, assignment), book)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise GradebookError(f"{out} cannot be written: {error.strerror}. Choose another file with --out.") from error
