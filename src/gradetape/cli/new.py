"""`gradetape new`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape import scaffold
from gradetape.cli.course import here


@click.group("new")
def command() -> None:
    """Create an assignment or a question, with files to fill in.

    \b
    Examples:
      gradetape new assignment week-3
      gradetape new question week-3 q04_layer_norm
    """


@command.command("assignment")
@click.argument("name")
@click.option("--from", "sheet", metavar="SHEET", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A Markdown sheet of numbered questions, each with its answer indented below it.")  # fmt: skip
def assignment(name: str, sheet: Path | None) -> None:
    """Create an assignment with one question, or with the questions of a sheet.

    The questions of a sheet go into the prompts; its answers become notes in solutions/, which only instructors see.

    \b
    Examples:
      gradetape new assignment week-3
      gradetape new assignment week-3 --from questions.md
    """
    written = scaffold.new_assignment(here(), name, scaffold.read(sheet) if sheet else None)
    _report(written, f"gradetape verify {name}")


@command.command("question")
@click.argument("assignment")
@click.argument("question_id", metavar="QUESTION")
def question(assignment: str, question_id: str) -> None:
    """Add a question to the end of an assignment.

    \b
    Example:
      gradetape new question week-3 q04_layer_norm
    """
    written = scaffold.new_question(here(), assignment, question_id)
    _report(written, f"gradetape verify {assignment} --question {question_id}")


def _report(paths: list[Path], following: str) -> None:
    for path in paths:
        click.echo(str(path))
    click.echo(f"Fill in these files, then prove the checks: {following}")
