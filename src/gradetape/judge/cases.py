"""From masters and a submission to a case that can be judged."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from gradetape import course as courses
from gradetape import intake
from gradetape.judge.bench import Case
from gradetape.records import Cell, Limits

_DEFINES = re.compile(r"^(?:async\s+def|def|class)\s+(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Exam:
    """An assignment with the secrets that belong to it."""

    course: courses.Course
    assignment: courses.Assignment
    secrets: courses.Secrets

    @classmethod
    def open(cls, course: courses.Course, name: str) -> Exam:
        """Reads the masters and the secrets; raises CourseError or ConfigError."""
        assignment = course.assignment(name)
        return cls(course, assignment, courses.secrets(course, assignment))

    @cached_property
    def reference(self) -> tuple[Cell, ...]:
        """The whole reference solution: every question's, in order."""
        return tuple(cell for stem in self.assignment.stems for cell in answer(stem, self.secrets.reference(stem)))

    @cached_property
    def check_files(self) -> tuple[Path, ...]:
        """Each question's public checks, then its hidden ones."""
        return tuple(
            path
            for master in self.assignment.masters
            for path in (master.public_checks, self.secrets.hidden_checks(master.question.stem))
        )

    @property
    def secret_folders(self) -> tuple[Path, ...]:
        """What no student's code may ever see."""
        root = self.course.root
        return (root / "solutions", root / "autograder", root / self.course.config.results)

    def case(self, cells: tuple[Cell, ...], limits: Limits, **how: Any) -> Case:
        """A submission's cells, made ready to be judged; `how` gives the other fields of `Case`."""
        seed = self.secrets.seed().hex()
        return Case(cells=self.attributed(cells), reference=self.reference, seed=seed, limits=limits, **how)

    def attributed(self, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Cells with the question that each belongs to: by its tag, else by the names that it defines.

        The text is not parsed: whatever a student wrote, this cannot fail.
        """
        return tuple(
            cell
            if cell.question in self.assignment.stems
            else msgspec.structs.replace(cell, question=self._guess(cell.source))
            for cell in cells
        )

    @cached_property
    def _asked(self) -> dict[str, str]:
        """Which question asks for which name; a name that several ask for says nothing."""
        pairs = [
            (name, master.question.stem)
            for master in self.assignment.masters
            for name in set(_DEFINES.findall(master.starter.read_text(encoding="utf-8")))
        ]
        counts = Counter(name for name, _ in pairs)
        return {name: stem for name, stem in pairs if counts[name] == 1}

    def _guess(self, source: str) -> str | None:
        stems = [self._asked[name] for name in _DEFINES.findall(source) if name in self._asked]
        return stems[-1] if stems else None


def answer(stem: str, source: Path | str) -> tuple[Cell, ...]:
    """A solution's cells, each marked as an answer to the question."""
    return tuple(msgspec.structs.replace(cell, question=stem) for cell in intake.cells_of(source))
