"""`gradetape export parquet`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.exporting import PATH, put
from gradetape.cli.lines import warn
from gradetape.exports import parquet
from gradetape.grading.results import Results


@click.command("parquet")
@click.option("--assignment", metavar="NAME", help="Only this assignment. [default: all]")
@options.results_alone
@options.roster
@options.roster_map
@click.option("--out", metavar="FILE", type=PATH, required=True, help="The file to write.")
def command(
    assignment: str | None, results_folder: Path | None, roster: Path | None, roster_map: Path | None, out: Path
) -> None:
    """Export one row per student as Parquet, with the columns of the CSV and their types.

    With several assignments, the first column names the assignment. Needs pip install 'gradetape[parquet]'.

    \b
    Examples:
      gradetape export parquet --out grades.parquet
    """
    with Results.open(here().with_class_list(roster, roster_map), results_folder) as results:
        warn([results.book.migrated])
        found = results.table(results.assignments(assignment))
    warn(found.warnings)
    put(out, parquet.write(found.table))
