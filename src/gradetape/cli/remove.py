"""`gradetape remove`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape import scaffold
from gradetape.cli import options, questions
from gradetape.cli.course import here


@click.group("remove")
def command() -> None:
    """Remove a question.

    \b
    Example:
      gradetape remove question q05_custom_loss
    """


@command.command("question")
@click.argument("question_id", metavar="QUESTION")
@questions.assignment
@questions.dry_run
@questions.force
@options.results_folder
def question(question_id: str, assignment: str | None, dry_run: bool, force: bool, results_folder: Path | None) -> None:
    """Remove a question with all its files: prompt, starter, checks, solutions, mutants and notes.

    It is refused if submissions to the assignment are graded, since their results have points for it. With --force the
    files are removed and the results stay as they are: grade the submissions again.

    \b
    Examples:
      gradetape remove question q05 --dry-run
      gradetape remove question q05_custom_loss --assignment week-3
    """
    course = here()
    of, found = questions.found(course, question_id, assignment)
    change = scaffold.remove(course, of.name, found)
    if not dry_run:
        questions.refuse_graded(course, of.name, results_folder, forced=force)
        scaffold.make(course, change)
    questions.report(course, change, found, only_listed=dry_run)
