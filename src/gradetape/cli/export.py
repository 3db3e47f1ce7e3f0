"""`gradetape export`: a subcommand for each target and each platform in `exports.registry`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape.cli import export_autograder, export_feedback, export_into, export_parquet, options
from gradetape.cli.course import here
from gradetape.cli.exporting import one_of
from gradetape.cli.lines import warn
from gradetape.errors import GradebookError
from gradetape.exports import PLATFORMS, TARGETS, ExportTarget
from gradetape.files import write_text
from gradetape.grading.results import Results

_HELP = """{description}

{several}

\b
Examples:
  gradetape export {name}
  gradetape export {name} --assignment custom-training --out grades{ending}
"""


_SEVERAL = "With several assignments, the first column names the assignment."
_ONE = "The format holds one assignment: if the gradebook has several, choose one with --assignment."


@click.group("export")
def command() -> None:
    """Export the grades for other programs, or fill them into a file that a learning platform exported.

    \b
    Examples:
      gradetape export csv --out grades.csv
      gradetape export canvas --into gradebook.csv
      gradetape export feedback --for canvas --out feedback.zip
    """


def subcommand(name: str, target: ExportTarget) -> click.Command:
    """The command that writes a target's format."""
    several = _ONE if target.one_assignment else _SEVERAL
    description = target.description

    @click.command(name, help=_HELP.format(name=name, description=description, several=several, ending=target.ending))
    @click.option("--assignment", metavar="NAME", help="Only this assignment. [default: all]")
    @options.results_alone
    @options.roster
    @options.roster_map
    @click.option("--out", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="[default: stdout]")
    def export(
        assignment: str | None, results_folder: Path | None, roster: Path | None, roster_map: Path | None,
        out: Path | None,
    ) -> None:  # fmt: skip
        with Results.open(here().with_class_list(roster, roster_map), results_folder) as results:
            warn([results.book.migrated])
            one = target.one_assignment
            names = [one_of(results, name, assignment)] if one else results.assignments(assignment)
            found = results.table(names)
        warn(found.warnings)
        _put(target.write(found.table), out)

    return export


def _put(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        write_text(out, text)
    except OSError as error:
        raise GradebookError(f"{out} cannot be written: {error.strerror}. Choose another file with --out.") from error


for _name, _target in TARGETS.items():
    command.add_command(subcommand(_name, _target))
command.add_command(export_parquet.command)
command.add_command(export_feedback.command)
command.add_command(export_autograder.command)
for _name, _platform in PLATFORMS.items():
    command.add_command(export_into.subcommand(_name, _platform))
