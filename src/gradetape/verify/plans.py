"""The solutions that a verification runs: the reference, variants, starter, mutants and adversaries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from gradetape.course.gradable import GradableAssignment, answer
from gradetape.errors import CourseError
from gradetape.grading.rubric import Rubric
from gradetape.records import Cell, Job
from gradetape.verify import adversaries
from gradetape.verify.headers import Header


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A solution to run; `file` is its file if it is in a single one."""

    kind: str
    name: str
    job: Job
    question: str | None = None
    expected: tuple[str, ...] = ()
    file: Path | None = None


class Planner:
    """Lists the solutions to run, each with the checks that it is judged by."""

    def __init__(self, gradable: GradableAssignment, rubric: Rubric, headers: Mapping[Path, Header]) -> None:
        self._gradable = gradable
        self._rubric = rubric
        self._headers = headers
        self._limits = gradable.course.config.limits.record()
        # If a check file cannot be read, the checks that a mutant fails prove nothing.
        unread = {check.question for check in rubric.checks if check.id in rubric.faults}
        questions = {check.question for check in rubric.checks} - unread
        self._question_ids = [
            question_id for question_id in gradable.assignment.question_ids if question_id in questions
        ]

    def plans(self, repeat: int) -> Iterator[Plan]:
        """Every plan, the longest first, so that the workers finish together."""
        if not self._rubric.sound:
            return
        reference = self._gradable.reference
        yield Plan(kind="adversary", name="liar", job=self._job(reference, liar=True))
        for _ in range(repeat):
            yield Plan(kind="reference", name="reference", job=self._job(reference))
        yield Plan(kind="starter", name="starter", job=self._job(self._starters()))
        for make in (adversaries.raiser, adversaries.argument, adversaries.zeros):
            yield Plan(kind="adversary", name=make.__name__, job=self._job(make(reference)))
        for question_id in self._question_ids:
            yield from self._variants(question_id, repeat)
            yield from self._mutants(question_id)

    def _variants(self, question_id: str, repeat: int) -> Iterator[Plan]:
        for path in self._gradable.answer_key.variants(question_id):
            for _ in range(repeat):
                yield Plan(
                    kind="variant", name=path.stem, question=question_id, file=path, job=self._alone(question_id, path)
                )

    def _mutants(self, question_id: str) -> Iterator[Plan]:
        known = {check.id for check in self._rubric.checks}
        for path in self._gradable.answer_key.mutants(question_id):
            expected = tuple(f"{question_id}::{name}" for name in self._headers[path].fails)
            unknown = sorted(set(expected) - known)
            if unknown:
                names = ", ".join(unknown)
                raise CourseError(f"{path}: its header names {names}, which is not a check of the question")
            job = self._alone(question_id, path)
            yield Plan(kind="mutant", name=path.stem, question=question_id, file=path, expected=expected, job=job)

    def _alone(self, question_id: str, path: Path) -> Job:
        only = tuple(check for check in self._rubric.sound if check.startswith(f"{question_id}::"))
        return self._gradable.job(answer(question_id, path), self._limits, only=only)

    def _job(self, cells: Sequence[Cell], *, liar: bool = False) -> Job:
        return self._gradable.job(tuple(cells), self._limits, only=self._rubric.sound, liar=liar)

    def _starters(self) -> list[Cell]:
        sources = self._gradable.assignment.question_sources
        return [cell for source in sources for cell in answer(source.question.id, source.starter)]
