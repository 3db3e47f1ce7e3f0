"""`gradetape mark`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.lines import say, warn
from gradetape.grading import marks
from gradetape.grading.results import Results, options_again
from gradetape.records import MarkState, WrittenScore
from gradetape.text import as_points, composed, printable

_NAME = 60
_TEXT = 20_000


@click.command("mark")
@click.argument("student", type=composed, required=False)
@click.argument("question", required=False)
@click.option("--item", "items", metavar="ID", multiple=True, help="An item of the rubric, by its id or its number.")
@click.option("--none", "nothing", is_flag=True, help="No item of the rubric: no points, unless with --adjust.")
@click.option("--adjust", metavar="POINTS", type=float, default=0.0, help="Points more, or less if below 0.")
@click.option("--comment", metavar="TEXT", default="", help="A comment, which the student reads.")
@click.option("--undo", is_flag=True, help="Undo the mark in force; the previous one counts again.")
@click.option("--waiting", is_flag=True, help="List the answers that wait to be marked.")
@options.by
@click.option("--assignment", metavar="NAME", help="The assignment, if several have a question with that id.")
@options.results_folder
def command(
    student: str | None, question: str | None, items: tuple[str, ...], nothing: bool, adjust: float, comment: str,
    undo: bool, waiting: bool, by: str | None, assignment: str | None, results_folder: Path | None,
) -> None:  # fmt: skip
    """Mark the answer to a written question by its rubric; without items, show the answer and the rubric.

    The points are those of the items, at least 0 and at most the question's. A new mark replaces the one before. If the
    student hands in another answer, the mark is void until the answer is marked again. The pages are written anew.

    \b
    Examples:
      gradetape mark --waiting
      gradetape mark alice q07
      gradetape mark alice q07 --item gradient --item units --comment "Which axis?"
      gradetape mark alice q07 --none --comment "This answers another question."
      gradetape mark alice q07 --undo
    """
    with Results.open(here(), results_folder) as results:
        warn([results.book.migrated])
        if waiting:
            _list(results, assignment)
            return
        if student is None or question is None:
            raise click.UsageError("name the student and the question, or use --waiting")
        if comment and not (items or nothing or adjust or undo):
            raise click.UsageError("a comment alone says nothing of the points: add --item, --adjust or --none")
        if items and nothing:
            raise click.UsageError("--none means that no item applies: leave it out, or leave out --item")
        found = marks.view(results, *marks.written_question(results, question, assignment), student)
        if undo:
            marks.undo(results, found, options.user(by))
            say(f"Undone: the mark of {printable(found.student, _NAME)} for {found.question.id}.")
        elif items or nothing or adjust:
            score = marks.give(results, found, items, options.user(by), adjustment=adjust, comment=comment)
            say(f"{printable(found.student, _NAME)}: {score.points:g} of {as_points(found.question.points)} for "
                f"{found.question.id}.")  # fmt: skip
        else:
            say(*_shown(found))
            return
        written = results.update_pages(
            found.assignment, results_folder, found.student, options=options_again(results_folder)
        )
        warn(written.warnings)
        say(f"Wrote the pages: open {written.index}")


def _list(results: Results, assignment: str | None) -> None:
    found = marks.waiting(results, results.assignments(assignment))
    for each in found:
        again = f" ({each.score.state})" if each.score.state is not MarkState.WAITING else ""
        say(f"{each.assignment} {each.score.question.id}: {printable(each.student, _NAME)}{again}")
    if not found:
        warn(["No written answer waits to be marked."])


def _shown(found: marks.AnswerView) -> Iterator[str]:
    """The answer in lines, then the rubric, and what was given."""
    yield f"{printable(found.student, _NAME)}, {found.question.id}: {found.score.state}"
    for part in found.parts:
        if part.kind == "picture":
            yield f"  [a picture of {len(part.picture):,} bytes: see it at the desk]"
        else:
            yield from (f"  {line}" for line in printable(part.text, _TEXT).splitlines())
    if not found.parts:
        yield f"  The notebook has no cell for the answer. Look at {found.file}, or grade it again."
    yield f"Rubric, {as_points(found.question.points)}:"
    applied = [item.id for item in found.score.items]
    for number, item in enumerate(found.rubric, start=1):
        yield f"  {number} {'*' if item.id in applied else ' '} {item.points:+g} {item.id}: {item.text}"
    yield from _given(found.score)


def _given(score: WrittenScore) -> Iterator[str]:
    if score.by:
        again = " for an earlier answer, or by an earlier rubric" if score.state is MarkState.AGAIN else ""
        yield f"{score.by} gave {as_points(score.points)} at {score.at}{again}: {score.comment or 'no comment'}"
