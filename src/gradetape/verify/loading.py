"""Solutions whose cells do not run to their end: what went wrong, by the file and the line that an author opens."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import dropwhile
from pathlib import Path

from gradetape.course.gradable import answer
from gradetape.records import Cell, CellEvent

_PLACE = re.compile(r'File "<cell (\d+)>", line (\d+)')
_OWN_PLACE = re.compile(r" \(<cell \d+>, line \d+\)$")


def not_parsed(question_id: str, file: Path) -> Iterator[str]:
    """Why a reference solution cannot be read: adversaries are made of its text, so it has to be plain Python."""
    for cell in answer(question_id, file):
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            place = f"{file}, line {_line_in(file, cell.source, error.lineno or 1)}"
            yield f"{place}: {error.msg}. Correct it; a reference is plain Python, without a notebook's magics."


def not_loaded(cells: Sequence[Cell], events: Sequence[CellEvent], file_of: Callable[[str], Path]) -> dict[str, str]:
    """The first error of each question's cells, by its stem; `file_of` is the file that holds a question's cells."""
    found: dict[str, str] = {}
    for event in events:
        if event.question is not None and event.kind in ("error", "quarantined"):
            found.setdefault(event.question, _told(event, cells, file_of(event.question)))
    return found


def _told(event: CellEvent, cells: Sequence[Cell], file: Path) -> str:
    own = [int(line) for number, line in _PLACE.findall(event.text) if int(number) == event.cell + 1]
    source = cells[event.cell].source
    skipped = source.count("\n", 0, len(source) - len(source.lstrip()))  # IPython drops the lines before the first
    place = f"{file}, line {_line_in(file, source, skipped + (own[-1] if own else 1))}"
    if event.kind == "quarantined":
        return f"{place}: this cell was not run to its end ({event.text})"
    error = dropwhile(lambda line: line.startswith(" "), event.text.splitlines())
    return f"{place}: this cell raised {_OWN_PLACE.sub('', ' '.join(' '.join(error).split()))}"


def _line_in(file: Path, source: str, line: int) -> int:
    """The number in a file of a cell's line."""
    text = file.read_bytes().decode("utf-8-sig")
    return text.count("\n", 0, max(text.find(source), 0)) + line
