"""What a mutation run exchanges: solutions, their mutants, and the end of each."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gradetape.course.source import SourceCell


class Solution(msgspec.Struct, frozen=True, kw_only=True):
    """A right solution of a question, with its code cells; `name` is `reference` or a variant's."""

    question: str
    name: str
    cells: tuple[SourceCell, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of its code cells."""
        return tuple(cell.text for cell in self.cells)


class LineChange(msgspec.Struct, frozen=True):
    """The lines that a mutant changes, as they stand in the solution, and those that replace them."""

    replace: str
    by: str


class GeneratedMutant(msgspec.Struct, frozen=True, kw_only=True):
    """A generated mutant; `function` is the class and function that it changes, `line` where, in the solution's file.

    `cells` are the texts of its code cells.
    """

    question: str
    solution: str
    operator: str
    function: str
    line: int
    cells: tuple[str, ...]
    change: LineChange


class End(StrEnum):
    """How a mutant ended."""

    FAILED = "failed"
    TIMEOUT = "timeout"
    FAULT = "fault"
    NOT_RUN = "does not run"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A mutant's end; `check` is the id of the check that it failed.

    `raised` tells whether it failed by an exception or the end of its process. A `FAULT` is an exception in the check's
    own code. `remembered`: nothing had to be run.
    """

    mutant: GeneratedMutant
    end: End
    check: str = ""
    raised: bool = False
    remembered: bool = False
