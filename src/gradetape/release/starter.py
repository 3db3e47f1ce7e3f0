"""A starter's cells, and the first line of them that a notebook could not run."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager

from gradetape.errors import ReleaseError
from gradetape.release.texts import read

CELL = "# %%"


def starter_cells(file: Path) -> list[str]:
    """Return the text of a starter's cells.

    Raises:
        ReleaseError: one of them is no Python; a notebook's magics are, as they are where a cell is run.
    """
    text = read(file)
    cells = split(text)
    for source in cells:
        error = _syntax_error(source)
        if error is not None:
            line = text.count("\n", 0, max(text.find(source), 0)) + (error.lineno or 1)
            raise ReleaseError(f"{file}:{line}: {error.msg}. Correct it: students begin with this cell.")
    return cells


def split(text: str) -> list[str]:
    """Split a starter into its cells at the lines that begin with `# %%`; blank cells are left out."""
    cells: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.startswith(CELL):
            cells.append([])
        else:
            cells[-1].append(line)
    return [source for lines in cells if (source := "\n".join(lines).strip("\n").rstrip())]


def _syntax_error(source: str) -> SyntaxError | None:
    manager = TransformerManager()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            compile(manager.transform_cell(source), "<cell>", "exec", flags=flags, dont_inherit=True)
    except SyntaxError as error:
        return error
    return None
