"""`gradetape report`."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from gradetape.cli import results
from gradetape.cli.common import here


@click.command("report", short_help="Write the pages again.")
@click.option("--assignment", metavar="NAME", help="Only this assignment's pages.")
@results.folder
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path), help="Where to. [default: the results folder]")
@click.option("--open", "opened", is_flag=True, help="Open the pages in the browser.")
def command(assignment: str | None, results_folder: Path | None, out: Path | None, opened: bool) -> None:
    """Write the pages again, from what the gradebook holds. Nothing is graded.

    \b
    Examples:
      gradetape report --open
      gradetape report --out /tmp/for-the-meeting
    """
    course = here()
    where = out or results_folder or course.root / course.config.results
    options = results.options_again(results_folder)
    with results.open_book(course, results_folder) as book:
        for name in results.graded(book, assignment):
            page = results.write_pages(course, course.assignment(name), book, where, options=options)
    click.echo(f"The pages begin at {page}")
    if opened and not webbrowser.open(page.resolve().as_uri()):
        click.echo("No browser was found here: open that file in one.", err=True)
