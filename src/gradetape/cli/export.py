"""`gradetape export`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.terminal import warn
from gradetape.errors import GradebookError
from gradetape.grading.results import Results


@click.group("export")
def command() -> None:
    """Export the grades for other programs.

    \b
    Example:
      gradetape export csv --out grades.csv
    """


@command.command("csv")
@click.option("--assignment", metavar="NAME", help="Only this assignment. [default: all]")
@options.results_folder
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="[default: stdout]")
def csv(assignment: str | None, results_folder: Path | None, out: Path | None) -> None:
    """Export one row per student as CSV: UTF-8, all text quoted, and no cell that a spreadsheet would compute.

    With several assignments the first column names the assignment.

    \b
    Examples:
      gradetape export csv
      gradetape export csv --assignment custom-training --out grades.csv
    """
    with Results.open(here(), results_folder) as results:
        warn([results.book.migrated])
        table = results.table(results.assignments(assignment))
    warn(table.warnings)
    if out is None:
        click.echo(table.text, nl=False)
        return
    try:
        out.write_text(table.text, encoding="utf-8", newline="")
    except OSError as error:
        raise GradebookError(f"{out} cannot be written: {error.strerror}. Choose another file with --out.") from error
