"""`gradetape show`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape.cli import results
from gradetape.cli.common import console, here


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
    from gradetape.cli.standings import final_scores
    from gradetape.report.terminal import student_view

    terminal, course = console(stderr=False), here()
    with results.open_book(course, results_folder) as book:
        names = results.graded(book, assignment)
        for name, record in results.of_student(book, names, student):
            final_score = final_scores(course, course.assignment(name), book)[record.student]
            terminal.print(student_view(record, final_score, staff=staff))
