"""`gradetape report`."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.lines import say, warn
from gradetape.grading.results import Results, options_again


@click.command("report")
@click.option("--assignment", metavar="NAME", help="Only this assignment's pages.")
@options.results_folder
@options.roster
@options.roster_map
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path), help="Output folder. [default: the results folder]"
)
@click.option("--open", "opened", is_flag=True, help="Open the pages in the browser.")
def command(
    assignment: str | None, results_folder: Path | None, roster: Path | None, roster_map: Path | None,
    out: Path | None, opened: bool,
) -> None:  # fmt: skip
    """Write the result pages again from the gradebook. Nothing is graded.

    \b
    Examples:
      gradetape report --open
      gradetape report --out /tmp/for-the-meeting
    """
    course = here().with_class_list(roster, roster_map)
    folder = out or results_folder or course.root / course.config.results
    with Results.open(course, results_folder) as results:
        warn([results.book.migrated])
        for name in results.assignments(assignment):
            written = results.write_pages(name, folder, options=options_again(results_folder))
            warn(written.warnings)
    say(f"Wrote the pages: open {written.index}")
    if opened and not webbrowser.open(written.index.resolve().as_uri()):
        warn(["No browser was found on this machine. Open the file on another one."])
