"""Pages and a table about submissions that share code. For staff only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from gradetape.records import Grade, Question
from gradetape.report.code import CodeCell, numbered
from gradetape.report.html import page_name, render
from gradetape.similar import SimilarPair, SimilarSide
from gradetape.text import one_line

NO_VERDICT = (
    "Similarity is no verdict: people who solve the same task after the same lecture write similar code. Read both "
    "sides, and ask both students, before you decide anything."
)
_NAME = 40


def similar_pages(
    pairs: Sequence[SimilarPair], grades: Iterable[Grade], *, assignment: str, course: str = "", title: str = ""
) -> Iterator[tuple[str, str]]:
    """The list of pairs, and a page for each with both sides, as pairs of file name and HTML.

    They belong into the folder `similar` beside the students' pages for staff. `grades` are those of all students in
    the pairs.
    """
    by_student = {grade.student: grade for grade in grades}
    common = {"course": course, "title": title or assignment, "assignment": assignment, "no_verdict": NO_VERDICT}
    names = [_pair_name(number) for number in range(1, len(pairs) + 1)]
    rows = [
        {"pair": pair, "page": name, "sides": [(side, percent(side.share)) for side in pair.sides]}
        for pair, name in zip(pairs, names, strict=True)
    ]
    yield "index.html", render("similar.html.j2", rows=rows, compared=len(by_student), **common)
    for number, pair in enumerate(pairs):
        around = {"previous": names[number - 1] if number else "", "next": (*names, "")[number + 1]}
        yield names[number], render("pair.html.j2", **_pair(pair, by_student), **around, **common)


def similar_table(pairs: Sequence[SimilarPair]) -> Table:
    """The list of pairs for the terminal; no name is read as markup."""
    table = Table("", "Student", "of own code", "Student", "of own code", "Tokens", "Questions", box=None)
    for column in table.columns[:-1]:
        column.no_wrap = True
    for number, pair in enumerate(pairs, 1):
        sides = [text for each in pair.sides for text in (one_line(each.student, _NAME), percent(each.share))]
        texts = [str(number), *sides, str(pair.tokens), ", ".join(each.partition("_")[0] for each in pair.questions)]
        table.add_row(*map(Text, texts))
    return table


def percent(share: float) -> str:
    """A share of 0 to 1 in whole percent."""
    return f"{100 * share:.0f} %"


def _pair_name(number: int) -> str:
    return f"{number:03}.html"


def _pair(pair: SimilarPair, grades: Mapping[str, Grade]) -> dict[str, Any]:
    first, second = (grades[side.student] for side in pair.sides)
    questions = {each.id: each for each in (*first.questions, *second.questions)}
    asked = [*dict.fromkeys(pair.questions)] + ([""] if any(_outside(each, grades) for each in pair.sides) else [])
    parts = [
        {
            "heading": _heading(questions.get(question)),
            "sides": [(side.student, _cells(grades[side.student], side, question)) for side in pair.sides],
        }
        for question in asked
    ]
    sides = [(side.student, f"../{page_name(side.student)}", percent(side.share), side.own) for side in pair.sides]
    return {"sides": sides, "parts_shown": parts}


def _heading(question: Question | None) -> str:
    return (question.title or question.id) if question else "Cells that belong to no question"


def _outside(side: SimilarSide, grades: Mapping[str, Grade]) -> bool:
    """Whether a cell with shared lines belongs to no question."""
    cells = grades[side.student].cells
    return any(not cells[number - 1].question for number in side.lines)


def _cells(grade: Grade, side: SimilarSide, question: str) -> list[CodeCell]:
    """The cells of a question, with the shared lines marked; of no question, only those that share something."""
    return [
        CodeCell(number, numbered(cell.source, marked=side.lines.get(number, ())))
        for number, cell in enumerate(grade.cells, 1)
        if (cell.question or "") == question and (question or number in side.lines)
    ]
