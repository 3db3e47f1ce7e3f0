"""`gradetape export`: a subcommand for each target in `exports.registry`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape.cli import results
from gradetape.cli.common import here
from gradetape.errors import GradebookError
from gradetape.exports import TARGETS, ExportTarget

_HELP = """{description}

With several assignments, the rows of all of them, and a first column that names the assignment.

\b
Examples:
  gradetape export {name}
  gradetape export {name} --assignment custom-training --out grades{ending}
"""


@click.group("export")
def command() -> None:
    """Write the grades for other programs.

    \b
    Example:
      gradetape export csv --out grades.csv
    """


def _subcommand(name: str, target: ExportTarget) -> click.Command:
    text = _HELP.format(name=name, description=target.description, ending=target.ending)

    @click.command(name, help=text, short_help=target.description)
    @click.option("--assignment", metavar="NAME", help="Only this assignment. [default: all]")
    @results.folder
    @click.option("--out", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="[default: stdout]")
    def export(assignment: str | None, results_folder: Path | None, out: Path | None) -> None:
        course = here()
        with results.open_book(course, results_folder) as book:
            table = results.whole_table(course, results.graded(book, assignment), book)
        _put(target.write(table), out)

    return export


def _put(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise GradebookError(f"{out} cannot be written: {error.strerror}. Choose another file with --out.") from error


for _name, _target in TARGETS.items():
    command.add_command(_subcommand(_name, _target))
