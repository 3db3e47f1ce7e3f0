"""An author's Python file: its text, syntax tree and cells, and the positions of errors.

Only `split` divides Python text into cells. A cell begins at a line `# %%` or `#%%`, or at a line `# In[1]:` as
nbconvert writes it. `[markdown]`, `[md]` or `[raw]` after the `%%` marks a cell without code.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import msgspec

from gradetape.errors import CourseError

_MARKER = re.compile(r"# ?%%(?P<header>.*)|# In\[[ \d]*\]:\s*")
_KIND = re.compile(r"\[(markdown|md|raw)\]")
_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)*")


class CellKind(StrEnum):
    """The kind of a cell of a Python file."""

    CODE = "code"
    MARKDOWN = "markdown"
    RAW = "raw"


class SourceCell(msgspec.Struct, frozen=True):
    """One cell of a Python file: the rest of its marker's line, its text, and the number of the text's first line."""

    header: str
    text: str
    line: int

    @property
    def kind(self) -> CellKind:
        """The kind of the cell, according to its marker."""
        found = _KIND.search(self.header)
        return CellKind("markdown" if found[1] == "md" else found[1]) if found else CellKind.CODE

    def trimmed(self) -> SourceCell:
        """The cell without the blank lines at its beginning and at its end."""
        blank = _BLANK_LINES.match(self.text)
        start = blank.end() if blank else 0
        return SourceCell(self.header, self.text[start:].rstrip(), self.line + self.text.count("\n", 0, start))


def split(text: str) -> Iterator[SourceCell]:
    """Every cell of Python text, including blank ones; the text before the first marker is a code cell."""
    header, first, number, lines = "", 1, 1, list[str]()
    for line in text.splitlines(keepends=True):
        # splitlines ends a line at a form feed too; Python does not, and its line numbers count.
        number += line.endswith("\n")
        if (marker := _MARKER.fullmatch(line.rstrip())) is None:
            lines.append(line)
            continue
        yield SourceCell(header, "".join(lines), first)
        header, first, lines = marker["header"] or "", number, []
    yield SourceCell(header, "".join(lines), first)


def syntax_error(text: str, parse: Callable[[str], object] = ast.parse) -> SyntaxError | None:
    """The syntax error in a text, if any; `parse` is the function that reads it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parse(text)
    except SyntaxError as error:
        return error
    except ValueError as error:  # a NUL, in some versions of Python
        return SyntaxError(str(error))
    return None


@dataclass(frozen=True)
class PythonSource:
    """A Python file that an author wrote; it is read but never run."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> PythonSource:
        """The file at a path, with or without a byte order mark. Raises CourseError if it is not UTF-8."""
        return cls.of(path, path.read_bytes())

    @classmethod
    def of(cls, path: Path, data: bytes) -> PythonSource:
        """The same with bytes that were read before."""
        try:
            return cls(path, _with_newlines(data.decode("utf-8-sig")))
        except UnicodeDecodeError:
            raise CourseError(f"{path} is not UTF-8 text. Save it as UTF-8.") from None

    def at(self, line: int, problem: str) -> str:
        """A problem, preceded by the file and the line, counted from 1."""
        return f"{self.path}, line {line}: {problem}"

    @cached_property
    def cells(self) -> tuple[SourceCell, ...]:
        """The cells that are not blank, trimmed."""
        return tuple(cell.trimmed() for cell in split(self.text) if cell.text.strip())

    @property
    def code(self) -> tuple[SourceCell, ...]:
        """The code cells among them."""
        return tuple(cell for cell in self.cells if cell.kind is CellKind.CODE)

    @property
    def syntax_error(self) -> str | None:
        """The syntax error of the whole file, with its position; None if there is none."""
        error = self._parsed if isinstance(self._parsed, SyntaxError) else None
        return self.at(error.lineno or 1, error.msg) if error else None

    @property
    def tree(self) -> ast.Module:
        """The syntax tree of the whole file. Raises CourseError if Python cannot parse it."""
        if isinstance(self._parsed, SyntaxError):
            raise CourseError(f"{self.syntax_error}. Correct it.")
        return self._parsed

    @cached_property
    def _parsed(self) -> ast.Module | SyntaxError:
        found: list[ast.Module] = []
        error = syntax_error(self.text, lambda text: found.append(ast.parse(text, str(self.path))))
        return found[0] if error is None else error


def _with_newlines(text: str) -> str:
    """A text with the ends of lines as Python reads them from a file."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
