"""Code on pages: Python in lines with numbers, coloured by Pygments, and marks where something points at a line."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from markupsafe import Markup, escape
from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String

from gradetape.records import CellEvent, CheckResult, Grade
from gradetape.report.material import CheckSource
from gradetape.text import printable

# As Python's tracebacks name a place in the code of a submission: `File "<cell 3>", line 7`.
_PLACE = re.compile(r'File "<cell (\d+)>", line (\d+)')
_LIMIT = 20_000
_CLASSES = (
    (Comment, "c"), (String, "s"), (Number, "m"), (Keyword, "k"), (Operator.Word, "k"), (Name.Function, "f"),
    (Name.Class, "f"), (Name.Decorator, "f"),
)  # fmt: skip


class CodeLine(msgspec.Struct, frozen=True):
    """A line of code as HTML, its number, and whether something points at it."""

    number: int
    html: Markup
    marked: bool = False


class CodeCell(msgspec.Struct, frozen=True):
    """A code cell for a page; `number` counts the code cells from 1, as messages do."""

    number: int
    lines: tuple[CodeLine, ...]

    @property
    def marks(self) -> tuple[int, ...]:
        """The numbers of the lines that something points at."""
        return tuple(line.number for line in self.lines if line.marked)


def numbered(
    source: str, first: int = 1, marked: Collection[int] = (), *, coloured: bool = True
) -> tuple[CodeLine, ...]:
    """Code in lines, the first of which has the number `first`; without colours it takes a tenth of the time."""
    found = enumerate(_coloured(source) if coloured else _plain(source), first)
    return tuple(CodeLine(number, html, number in marked) for number, html in found)


def cells_of(
    grade: Grade, question_id: str, marks: Mapping[int, Collection[int]], *, coloured: bool = True
) -> list[CodeCell]:
    """The cells that answer a question, and others that something points at; `marks` are lines by cell number."""
    chosen = (number for number, cell in enumerate(grade.cells, 1) if cell.question == question_id or number in marks)
    return [
        CodeCell(number, numbered(grade.cells[number - 1].source, marked=marks.get(number, ()), coloured=coloured))
        for number in chosen
    ]


def of_check(source: CheckSource | None) -> dict[str, Any]:
    """The source of a check and its lines, for a template."""
    return {"source": source, "source_lines": numbered(source.text, source.line) if source else ()}


def pointed_at(grade: Grade, marks: Mapping[int, Collection[int]]) -> list[CodeCell]:
    """The cells that have marks, in order."""
    return [
        CodeCell(number, numbered(cell.source, marked=marks[number]))
        for number, cell in enumerate(grade.cells, 1)
        if number in marks
    ]


def places(texts: Iterable[str]) -> dict[int, set[int]]:
    """The lines of code that messages point at, by the number of the cell."""
    found: dict[int, set[int]] = {}
    for text in texts:
        for cell, line in _PLACE.findall(text):
            found.setdefault(int(cell[:9]), set()).add(int(line[:9]))
    return found


def for_students(results: Sequence[CheckResult]) -> dict[int, set[int]]:
    """The lines that the messages of public checks point at; a hidden check's message is for staff."""
    return places(result.message for result in results if result.check.public)


def for_staff(results: Sequence[CheckResult], events: Sequence[CellEvent]) -> dict[int, set[int]]:
    """The lines that any message of a check or of a cell points at."""
    shown = (result.staff_message or result.message for result in results)
    return places([*shown, *(event.text for event in events if event.kind == "error")])


@lru_cache(maxsize=1024)
def _coloured(source: str) -> tuple[Markup, ...]:
    lexer = PythonLexer(stripnl=False, ensurenl=False)
    lines, line = list[Markup](), list[str]()
    for kind, text in lexer.get_tokens(printable(source, _LIMIT)):
        first, *others = text.split("\n")
        line += _part(kind, first)
        for each in others:
            lines.append(Markup("".join(line)))
            line = list(_part(kind, each))
    return (*lines, Markup("".join(line))) if line else tuple(lines)


def _plain(source: str) -> Iterator[Markup]:
    return (escape(line) for line in printable(source, _LIMIT).split("\n"))


def _part(kind: Any, text: str) -> Iterator[str]:
    """A part of a line: escaped, and in an element of its own where it has a colour."""
    if not text:
        return
    name = next((name for of, name in _CLASSES if kind in of), "")
    shown = str(escape(text))
    yield f'<span class="{name}">{shown}</span>' if name and text.strip() else shown
