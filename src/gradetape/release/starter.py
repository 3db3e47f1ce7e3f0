"""A starter's cells for the students' notebook."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager

from gradetape.course.source import CellKind, PythonSource, SourceCell, syntax_error
from gradetape.errors import ReleaseError


def starter_cells(file: Path) -> list[SourceCell]:
    """The code and Markdown cells of a starter; the text of a Markdown cell is Markdown, without the `#` of its lines.

    Raises:
        ReleaseError: a code cell is not Python (a notebook's magics are allowed), a Markdown cell holds more than
            comments, or there is a raw cell.
    """
    return list(_cells(PythonSource.read(file)))


def _cells(source: PythonSource) -> Iterator[SourceCell]:
    for cell in source.cells:
        if cell.kind is CellKind.CODE:
            _refuse_syntax_error(source, cell)
            yield cell
        elif cell.kind is CellKind.MARKDOWN:
            lines = cell.text.splitlines()
            text = "\n".join(_uncommented(source, cell.line + number, line) for number, line in enumerate(lines))
            yield SourceCell(cell.header, text, cell.line)
        else:
            advice = "Begin it with '# %% [markdown]', or with '# %%' for code."
            raise ReleaseError(source.at(cell.line, f"students' notebooks cannot contain a raw cell. {advice}"))


def _uncommented(source: PythonSource, number: int, line: str) -> str:
    if line.strip() and not line.startswith("#"):
        raise ReleaseError(source.at(number, "this line of a Markdown cell is not a comment. Begin it with '# '."))
    return line.removeprefix("#").removeprefix(" ").rstrip()


def _refuse_syntax_error(source: PythonSource, cell: SourceCell) -> None:
    if (error := syntax_error(cell.text, _compiled)) is not None:
        line = cell.line + (error.lineno or 1) - 1
        raise ReleaseError(f"{source.at(line, error.msg)}. Correct it: students begin with this cell.")


def _compiled(text: str) -> object:
    """Compile a cell as a notebook does, with magics and `await`."""
    manager = TransformerManager()  # type: ignore[no-untyped-call]
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    return compile(manager.transform_cell(text), "<cell>", "exec", flags=flags, dont_inherit=True)
