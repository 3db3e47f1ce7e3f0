"""`gradetape similar`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.lines import document, say, warn
from gradetape.cli.terminal import console
from gradetape.course.question_ids import resolve
from gradetape.grading.results import Results, course_title
from gradetape.grading.similar import Similarity, SimilarityRequest, similarity_of
from gradetape.report import similar_pages, write_similar
from gradetape.report.similar import NO_VERDICT, similar_table
from gradetape.similar import SimilarPair, SimilarSide
from gradetape.text import counted

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("similar")
@click.option("--assignment", metavar="NAME", help="Only this assignment. [default: all that are graded]")
@options.question
@click.option(
    "--top", metavar="N", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many pairs."
)
@click.option(
    "--at-least", metavar="PERCENT", type=click.IntRange(0, 100), default=25, show_default=True,
    help="Only pairs in which the other has so much of the own code of one.",
)  # fmt: skip
@click.option(
    "--given", metavar="FILE", type=_FILE, multiple=True,
    help="Another notebook, script or Markdown file that students were given; what it holds does not count.",
)  # fmt: skip
@options.as_json
@options.results_folder
def command(
    assignment: str | None, question: str | None, top: int, at_least: int, given: tuple[Path, ...], as_json: bool,
    results_folder: Path | None,
) -> None:  # fmt: skip
    """Show pairs of submissions that share more code than the course explains.

    Similarity is no verdict. The code comes from the gradebook and is read, not run. What the course gave to everybody
    does not count, and neither does what a fifth of the class wrote. A page shows both sides beside each other.

    \b
    Examples:
      gradetape similar
      gradetape similar --question q06 --at-least 60
      gradetape similar --given lecture.ipynb --json
    """
    found = list[tuple[Similarity, Path]]()
    with Results.open(here(), results_folder) as results:
        warn([results.book.migrated])
        course, names = results.course, results.assignments(assignment)
        question_id = resolve(question, *map(course.assignment, names)) if question else None
        request = SimilarityRequest(question=question_id, at_least=at_least / 100, most=top, given=given)
        for name in names:
            each = similarity_of(course, results.book, name, request)
            pages = similar_pages(
                each.pairs, each.grades, assignment=name, course=course_title(course), title=each.assignment.title
            )
            found.append((each, write_similar(results_folder or course.root / course.config.results, name, pages)))
            warn(each.warnings)
    if as_json:
        document({"assignments": [_as_json(each, index) for each, index in found]})
        return
    for each, index in found:
        _show(each, index)
    warn([NO_VERDICT])


def _show(each: Similarity, index: Path) -> None:
    if each.pairs:
        console(stderr=False).print(similar_table(each.pairs))
    say(
        f"{each.assignment.name}: {counted(len(each.pairs), 'pair')} among {counted(len(each.grades), 'submission')}. "
        f"To compare both sides, open {index}"
    )


def _as_json(each: Similarity, index: Path) -> dict[str, Any]:
    return {
        "assignment": each.assignment.name,
        "submissions": len(each.grades),
        "page": str(index),
        "pairs": [_pair(pair) for pair in each.pairs],
    }


def _pair(pair: SimilarPair) -> dict[str, Any]:
    return {
        "tokens": pair.tokens,
        "weight": pair.weight,
        "questions": list(pair.questions),
        "sides": [_side(side) for side in pair.sides],
    }


def _side(side: SimilarSide) -> Mapping[str, Any]:
    lines = [{"cell": cell, "lines": list(numbers)} for cell, numbers in sorted(side.lines.items())]
    return {"student": side.student, "share": side.share, "own_tokens": side.own, "shared": lines}
