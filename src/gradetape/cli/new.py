"""`gradetape new`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape import scaffold
from gradetape.cli.course import here
from gradetape.cli.lines import say
from gradetape.course.question_ids import resolve_any
from gradetape.text import printable


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
@click.option("--from", "path", metavar="SHEET", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A Markdown sheet of questions, with their answers or without.")  # fmt: skip
@click.option(
    "--questions-only", is_flag=True, help="The sheet has no answers: all text below a question is part of it."
)
@click.option(
    "--written", metavar="WHICH",
    help="These questions ask for words or a plot and are marked by a person: all, or places like 1,4-7.",
)  # fmt: skip
def assignment(name: str, path: Path | None, questions_only: bool, written: str | None) -> None:
    """Create an assignment with one question, or with the questions of a sheet.

    The questions of a sheet go into the prompts. Its answers go into notes in solutions/, which only instructors see,
    and so does every text that may be an answer; the command lists it with its line, so that you can move it.

    \b
    Examples:
      gradetape new assignment week-3
      gradetape new assignment week-3 --from questions.md
      gradetape new assignment week-3 --from questions.md --written 2,5-8
    """
    if questions_only and path is None:
        raise click.UsageError("--questions-only describes a sheet: name it with --from SHEET")
    if written is not None and path is None:
        raise click.UsageError("--written names questions of a sheet: name it with --from SHEET")
    sheet = scaffold.read(path, answers=not questions_only) if path else None
    essays = sheet.ids_at(written) if sheet and written is not None else frozenset[str]()
    made = scaffold.new_assignment(here(), name, sheet, essays)
    _report(made, f"gradetape verify {name}")
    if path and sheet and sheet.doubts:
        _list_doubts(path, name, sheet)


@command.command("question")
@click.argument("assignment")
@click.argument("question_id", metavar="QUESTION")
@click.option("--after", metavar="ID", help="The question that the new one follows. [default: the last one]")
def question(assignment: str, question_id: str, after: str | None) -> None:
    """Add a question to an assignment, at the end or after another.

    \b
    Examples:
      gradetape new question week-3 q04_layer_norm
      gradetape new question week-3 q04_layer_norm --after q02
    """
    course = here()
    following = after and resolve_any(after, course.assignment(assignment))
    written = scaffold.new_question(course, assignment, question_id, following)
    _report(written, f"gradetape verify {assignment} --question {question_id}")


def _report(paths: list[Path], following: str) -> None:
    say(*map(str, paths))
    say(f"Fill in these files, then prove the checks: {following}")


def _list_doubts(path: Path, name: str, sheet: scaffold.Sheet) -> None:
    """Lists what is not surely part of a question, with its line in the sheet and the notes that hold it."""
    say(
        f"Not surely questions, so kept in solutions/{name}/notes/, which students never see. Move what belongs to a "
        "question into its prompt.md:"
    )
    for doubt in sheet.doubts:
        where = f"{doubt.question_id}.md" if doubt.question_id else scaffold.LEFT_OUT
        say(f"  {path.name}, line {doubt.line}, in {where}: {printable(doubt.start)}")
