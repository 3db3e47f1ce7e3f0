"""Runs mutants until each has failed a check, or passed all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import msgspec

from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine
from gradetape.errors import CourseError, InfrastructureError
from gradetape.records import Cell, CheckLimit, Job, Outcome
from gradetape.verify.jobs import Ended, MakeJob, run_all
from gradetape.verify.mutation.history import KnownVerdicts
from gradetape.verify.mutation.records import GeneratedMutant, Result, Solution
from gradetape.verify.trials import HELD

# The limits of a mutant's first run. One that computes for ever is ended by its CPU time, which other programs on the
# machine do not use up; one that waits for ever, by the clock. Each is a multiple of the seconds that the solution
# takes, and at least so many. Whatever meets them runs again with the course's limits.
_CPU_TIMES, _LEAST_CPU_S = 10.0, 3.0
_TIMES, _LEAST_S = 20.0, 10.0
_ATTEMPTS = 3


class MutantRunner:
    """Runs solutions and their mutants on an engine, unless known verdicts decide about them."""

    def __init__(self, gradable: GradableAssignment, engine: Engine, known: KnownVerdicts) -> None:
        self._gradable = gradable
        self._engine = engine
        self._known = known
        self._seconds: dict[tuple[str, str], Mapping[str, float | None]] = {}

    def prove(self, solutions: Sequence[Solution]) -> None:
        """Runs the solutions themselves, to know how long each check takes.

        Raises CourseError if one does not pass a check.
        """
        unknown = {index: self._unknown(solution) for index, solution in enumerate(solutions)}
        left = [index for index, checks in unknown.items() if checks]
        jobs = [partial(self._job, solutions[index].question, solutions[index].texts, unknown[index]) for index in left]
        self._run_all(jobs, lambda index, outcome: self._keep_solution(solutions[left[index]], outcome))
        self._seconds = {(each.question, each.name): self._known.seconds(each) for each in solutions}

    def run(self, mutants: Sequence[GeneratedMutant], progress: Callable[[], None]) -> list[Result]:
        """The end of each mutant, in order. `progress` is called for each."""
        found = {index: self._known.decided(mutant, remembered=True) for index, mutant in enumerate(mutants)}
        left = [index for index, result in found.items() if result is None]
        for _ in range(len(mutants) - len(left)):
            progress()

        def run(*, short: bool) -> None:
            left = [index for index, result in found.items() if result is None]

            def ended(number: int, outcome: Outcome) -> None:
                mutant = mutants[left[number]]
                self._known.keep_mutant(mutant, outcome, short=short)
                found[left[number]] = self._known.decided(mutant, remembered=False)
                if found[left[number]] is not None:
                    progress()

            self._run_all([partial(self._mutant_job, mutants[index], short=short) for index in left], ended)

        run(short=True)
        run(short=False)
        return [_decided(result) for result in found.values()]

    def _run_all(self, jobs: Sequence[MakeJob], ended: Ended) -> None:
        run_all(self._engine, jobs, ended, name=lambda _: "a mutant", attempts=_ATTEMPTS)

    def _unknown(self, solution: Solution) -> tuple[str, ...]:
        return tuple(check for check, seconds in self._known.seconds(solution).items() if seconds is None)

    def _keep_solution(self, solution: Solution, outcome: Outcome) -> None:
        failed = [result.check.id for result in outcome.results if result.verdict not in HELD]
        if failed:
            name = solution.name if solution.name == "reference" else f"variant {solution.name}"
            raise CourseError(
                f"The {name} of {solution.question} does not pass {', '.join(failed)}, so its mutants prove nothing. "
                f"Correct that first: gradetape verify --question {solution.question}"
            )
        self._known.keep_solution(solution, outcome)

    def _mutant_job(self, mutant: GeneratedMutant, *, short: bool) -> Job:
        only = self._known.left(mutant)
        seconds = self._seconds[mutant.question, mutant.solution]
        limits = {check: _limit(seconds.get(check) or 0.0) for check in only} if short else {}
        job = self._job(mutant.question, mutant.cells, tuple(only))
        return msgspec.structs.replace(job, check_limits=limits, stop_at_failure=True)

    def _job(self, question_id: str, texts: Iterable[str], only: tuple[str, ...]) -> Job:
        cells = tuple(Cell(source=text, question=question_id) for text in texts)
        job = self._gradable.job(cells, self._gradable.course.config.limits.record(), only=only)
        own = tuple(cell for cell in job.reference if cell.question == question_id)
        return msgspec.structs.replace(job, reference=own)


def _limit(seconds: float) -> CheckLimit:
    return CheckLimit(seconds=max(_LEAST_S, _TIMES * seconds), cpu_s=max(_LEAST_CPU_S, _CPU_TIMES * seconds))


def _decided(result: Result | None) -> Result:
    if result is None:
        raise InfrastructureError("the judge gave no result for a mutant. Run the command again: it continues.")
    return result
