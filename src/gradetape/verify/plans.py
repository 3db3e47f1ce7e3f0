"""The solutions that a verification runs: the reference, variants, starter, mutants and adversaries."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import msgspec

from gradetape.course.gradable import GradableAssignment, answer_cells
from gradetape.course.source import PythonSource
from gradetape.errors import CourseError
from gradetape.grading.rubric import Rubric
from gradetape.records import Cell, Job
from gradetape.verify import adversaries
from gradetape.verify.mutants import Mutant
from gradetape.verify.scope import Mutants, Scope


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A solution to run; `source` is its text if it answers a single question, `mutant` its record if it is one."""

    kind: str
    name: str
    job: Job
    question: str | None = None
    expected: tuple[str, ...] = ()
    source: PythonSource | None = None
    mutant: Mutant | None = None


def refuse_unknown(mutants: Mutants, rubric: Rubric) -> None:
    """Raises CourseError for every mutant that names a check that does not exist."""
    known = {check.id for check in rubric.checks}
    unread = {check.question for check in rubric.checks if check.id in rubric.faults}
    problems = [
        f"{mutant.place}: '{key}' names {', '.join(unknown)}, which is not a check of the question"
        for question, found in mutants.items()
        for mutant in found
        for key, named in (("fails", mutant.expected), ("may_fail", mutant.possible))
        if question not in unread and (unknown := sorted(set(named) - known))
    ]
    if problems:
        raise CourseError("\n".join(problems))


class Planner:
    """Lists the solutions to run, each with the checks of the rubric that it is judged by."""

    def __init__(self, gradable: GradableAssignment, rubric: Rubric, mutants: Mutants, scope: Scope) -> None:
        self._gradable = gradable
        self._rubric = rubric
        self._by_question = mutants
        self._scope = scope
        self._limits = gradable.course.config.limits.record()
        # If a check file cannot be read, the checks that a mutant fails prove nothing.
        unread = {check.question for check in rubric.checks if check.id in rubric.faults}
        questions = {check.question for check in rubric.checks} - unread
        self._question_ids = [
            question_id for question_id in gradable.assignment.question_ids if question_id in questions
        ]

    def plans(self, repeat: int) -> Iterator[Plan]:
        """Every plan of the scope's kinds, the longest first, so that the workers finish together."""
        return (plan for plan in self._plans(repeat) if plan.kind in self._scope.kinds)

    def _plans(self, repeat: int) -> Iterator[Plan]:
        if not self._rubric.sound:
            return
        reference = self._gradable.reference
        yield Plan(kind="adversary", name="liar", job=self._job(reference, liar=True))
        yield Plan(kind="adversary", name="puppet", job=self._job(reference, puppet=True))
        for _ in range(repeat):
            yield Plan(kind="reference", name="reference", job=self._job(reference))
        yield Plan(kind="starter", name="starter", job=self._job(self._gradable.starters))
        for make in (adversaries.raiser, adversaries.argument, adversaries.zeros):
            yield Plan(kind="adversary", name=make.__name__, job=self._job(make(reference)))
        for question_id in self._question_ids:
            yield from self._variants(question_id, repeat)
            yield from self._mutants(question_id)

    def _variants(self, question_id: str, repeat: int) -> Iterator[Plan]:
        for path in self._gradable.answer_key.variants(question_id):
            source = PythonSource.read(path)
            job = self._alone(question_id, source)
            for _ in range(repeat):
                yield Plan(kind="variant", name=path.stem, question=question_id, source=source, job=job)

    def _mutants(self, question_id: str) -> Iterator[Plan]:
        known = {check.id for check in self._rubric.checks}
        for mutant in self._by_question[question_id]:
            expected = tuple(check for check in mutant.expected if check in known)
            named = {*mutant.expected, *mutant.possible} if self._scope.brief else None
            yield Plan(
                kind="mutant", name=mutant.name, question=question_id, source=mutant.source, expected=expected,
                mutant=mutant, job=self._alone(question_id, mutant.source, named),
            )  # fmt: skip

    def _alone(self, question_id: str, source: PythonSource, named: Collection[str] | None = None) -> Job:
        """The job for one question: all its checks, or those of them that are named."""
        checks = (check for check in self._rubric.sound if check.startswith(f"{question_id}::"))
        only = tuple(check for check in checks if named is None or check in named)
        return self._gradable.job(answer_cells(question_id, source), self._limits, only=only)

    def _job(self, cells: Sequence[Cell], **how: bool) -> Job:
        return self._gradable.job(tuple(cells), self._limits, only=self._rubric.sound, **how)
