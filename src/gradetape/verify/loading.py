"""Finds the errors of solutions whose cells do not run, with file and line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import dropwhile
from pathlib import Path

from gradetape.course.source import PythonSource, syntax_error
from gradetape.records import Cell, CellEvent

_PLACE = re.compile(r'File "<cell (\d+)>", line (\d+)')
_OWN_PLACE = re.compile(r" \(<cell \d+>, line \d+\)$")


def not_parsed(file: Path) -> Iterator[str]:
    """The syntax error of a reference solution, if any: the adversaries are made from plain Python."""
    source = PythonSource.read(file)
    for cell in source.code:
        if (error := syntax_error(cell.text)) is not None:
            line = cell.line + (error.lineno or 1) - 1
            problem = f"{error.msg}. Correct it; a reference is plain Python, without a notebook's magics."
            yield source.at(line, problem)


def not_loaded(
    cells: Sequence[Cell], events: Sequence[CellEvent], source_of: Callable[[str], PythonSource]
) -> dict[str, str]:
    """The first error of each question's cells, by question id; `source_of` gives what holds a question's cells.

    The cells of a question are those of its source, in the same order.
    """
    found: dict[str, str] = {}
    for event in events:
        if event.question is not None and event.kind in ("error", "quarantined"):
            found.setdefault(event.question, _described(event, cells, source_of(event.question)))
    return found


def _described(event: CellEvent, cells: Sequence[Cell], source: PythonSource) -> str:
    lines = [int(line) for number, line in _PLACE.findall(event.text) if int(number) == event.cell + 1]
    number = sum(cell.question == event.question for cell in cells[: event.cell])
    first = source.code[number].line
    line = first + (lines[-1] - 1 if lines else 0)
    if event.kind == "quarantined":
        return source.at(line, f"this cell was stopped ({event.text})")
    error = dropwhile(lambda line: line.startswith(" "), event.text.splitlines())
    return source.at(line, f"this cell raised {_OWN_PLACE.sub('', ' '.join(' '.join(error).split()))}")
