"""`gradetape report`."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.lines import say, warn
from gradetape.grading.results import Results, options_again, source_of
from gradetape.text import composed


@click.command("report")
@click.option("--assignment", metavar="NAME", help="Only this assignment's pages.")
@click.option("--student", metavar="NAME", type=composed, help="Of the students' pages, only this one's.")
@options.results_alone
@options.roster
@options.roster_map
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Output folder; if grade wrote to it, the folder to read too. [default: the results folder]",
)
@click.option("--open", "opened", is_flag=True, help="Open the pages in the browser.")
def command(
    assignment: str | None, student: str | None, results_folder: Path | None, roster: Path | None,
    roster_map: Path | None, out: Path | None, opened: bool,
) -> None:  # fmt: skip
    """Write the result pages again from the gradebook. Nothing is graded.

    \b
    Examples:
      gradetape report --open
      gradetape report --student alice
      gradetape report --out /tmp/for-the-meeting
    """
    source = source_of(results_folder, out)
    with Results.open(here().with_class_list(roster, roster_map), source) as results:
        warn([results.book.migrated])
        names = list(results.assignments(assignment))
        found = results.find_student(student, names) if student else []
        one = found[0][1].student if found else None
        for name in [name for name, _ in found] or names:
            written = results.update_pages(name, out or results_folder, one, options=options_again(source))
            warn(written.warnings)
    say(f"Wrote the pages: open {written.index}")
    if opened and not webbrowser.open(written.index.resolve().as_uri()):
        warn(["No browser was found on this machine. Open the file on another one."])
