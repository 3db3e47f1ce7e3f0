"""Builds jobs from question sources, the answer key and a submission."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from gradetape.course import assignments as courses
from gradetape.course.answer_key import AnswerKey
from gradetape.course.answer_key import answer_key as open_answer_key
from gradetape.course.source import PythonSource
from gradetape.records import AssignmentBundle, Cell, Job, Limits

_DEFINES = re.compile(r"^(?:async\s+def|def|class)\s+(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class GradableAssignment:
    """An assignment with the answer key that belongs to it."""

    course: courses.Course
    assignment: courses.Assignment
    answer_key: AnswerKey

    @classmethod
    def open(cls, course: courses.Course, name: str) -> GradableAssignment:
        """Reads the question sources and the answer key; raises CourseError or ConfigError."""
        assignment = course.assignment(name)
        return cls(course, assignment, open_answer_key(course, assignment)).read_again()

    def read_again(self) -> GradableAssignment:
        """The same with the files as they are now: its checks are read at once, before an engine reads them."""
        made = replace(self)
        _ = made.read_checks
        return made

    @cached_property
    def reference(self) -> tuple[Cell, ...]:
        """The reference solutions of all questions, in order."""
        return tuple(
            cell
            for question_id in self.assignment.question_ids
            for cell in answer(question_id, self.answer_key.reference(question_id))
        )

    @cached_property
    def starters(self) -> tuple[Cell, ...]:
        """The starters of all questions, in order."""
        return tuple(
            cell for each in self.assignment.question_sources for cell in answer(each.question.id, each.starter)
        )

    @cached_property
    def check_files(self) -> tuple[Path, ...]:
        """Each question's public checks, then its hidden ones."""
        return tuple(
            path
            for question_source in self.assignment.question_sources
            for path in (question_source.public_checks, self.answer_key.hidden_checks(question_source.question.id))
        )

    @cached_property
    def read_checks(self) -> Mapping[Path, bytes]:
        """The check files as they were when they were first read; see `unchanged.refuse_changed`."""
        return {path: path.read_bytes() for path in self.check_files if path.is_file()}

    @property
    def secret_folders(self) -> tuple[Path, ...]:
        """The folders that students' code must never see, and that every worker tries to reach in vain."""
        root = self.course.root
        return (root / "solutions", root / "autograder", root / self.course.config.results)

    @property
    def private_files(self) -> tuple[Path, ...]:
        """The other files of the configuration that students' code must never see: tables of students, the database."""
        database = self.course.gradebook_file
        return (*self.course.private_tables, *([database] if database else []))

    def bundle(self) -> AssignmentBundle:
        """The assignment's part that an engine needs, wherever it runs; check files in the order of `check_files`."""
        root, config = self.course.root, self.course.config
        files = {path.relative_to(root).as_posix(): path.read_bytes() for path in self.check_files}
        return AssignmentBundle(
            assignment=self.assignment.name, keras=str(config.keras), limits=config.limits.record(), files=files,
            packages=self.assignment.packages,
            student_files={name: path.read_bytes() for name, path in self.assignment.student_files.items()},
        )  # fmt: skip

    def job(self, cells: tuple[Cell, ...], limits: Limits, **how: Any) -> Job:
        """A job for a submission's cells; `how` gives the other fields of `Job`."""
        seed = self.answer_key.seed().hex()
        return Job(cells=self.attributed(cells), reference=self.reference, seed=seed, limits=limits, **how)

    def attributed(self, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """Cells with the question that each belongs to: by its tag, else by the names that it defines.

        The text is not parsed, so this cannot fail, whatever a student wrote.
        """
        return tuple(
            cell
            if cell.question in self.assignment.question_ids
            else msgspec.structs.replace(cell, question=_guess(self.names_asked, cell.source))
            for cell in cells
        )

    @cached_property
    def names_asked(self) -> dict[str, str]:
        """For each name, the question whose starter defines it; names that several starters define are left out."""
        pairs = [
            (name, question_source.question.id)
            for question_source in self.assignment.question_sources
            for name in set(_DEFINES.findall(PythonSource.read(question_source.starter).text))
        ]
        counts = Counter(name for name, _ in pairs)
        return {name: question_id for name, question_id in pairs if counts[name] == 1}


def answer(question_id: str, file: Path) -> tuple[Cell, ...]:
    """The code cells of a solution or a starter, each marked as an answer to the question."""
    return answer_cells(question_id, PythonSource.read(file))


def answer_cells(question_id: str, source: PythonSource) -> tuple[Cell, ...]:
    """The code cells of a file that was read."""
    return tuple(Cell(source=cell.text, question=question_id) for cell in source.code)


def _guess(names_asked: Mapping[str, str], source: str) -> str | None:
    """The question of the last name that a cell defines and a question asks for."""
    question_ids = [names_asked[name] for name in _DEFINES.findall(source) if name in names_asked]
    return question_ids[-1] if question_ids else None
