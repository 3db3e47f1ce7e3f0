"""Runs mutants until each has failed a check, or passed all of them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import msgspec

from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine
from gradetape.errors import CourseError, InfrastructureError
from gradetape.records import Cell, CheckResult, Job, Outcome, Verdict
from gradetape.verify.mutation.digests import LOADING, Keys
from gradetape.verify.mutation.memory import Memory, Remembered
from gradetape.verify.mutation.records import End, GeneratedMutant, Result, Solution

_HELD = (Verdict.PASSED, Verdict.SKIPPED)
_LEAST_S = 3.0
_TIMES = 10.0
_CELL_S = 10.0
_STARTS = 3
MakeJob = Callable[[], Job]
Ended = Callable[[int, Outcome], None]


class MutantRunner:
    """Runs solutions and their mutants on an engine, except for the pairs whose verdicts are remembered."""

    def __init__(self, gradable: GradableAssignment, engine: Engine, memory: Memory, checks: Sequence[str]) -> None:
        self._gradable = gradable
        self._engine = engine
        self._memory = memory
        self._checks = checks
        self._keys = Keys(gradable, engine.environment)
        self._seconds: dict[tuple[str, str], dict[str, float]] = {}
        self._failed: Counter[str] = Counter()

    def prove(self, solutions: Sequence[Solution]) -> None:
        """Runs the solutions themselves, to know how long each check takes.

        Raises CourseError if one does not pass a check.
        """
        left = [each for each in solutions if not self._recall_seconds(each)]
        jobs = [partial(self._job, each.question, _texts(each), self._of(each.question)) for each in left]
        run_all(self._engine, jobs, lambda index, outcome: self._proven(left[index], outcome))

    def run(self, mutants: Sequence[GeneratedMutant], progress: Callable[[], None]) -> list[Result]:
        """What became of each mutant, in order."""
        found = [self._recalled(mutant) for mutant in mutants]
        left = [index for index, result in enumerate(found) if result is None]
        for _ in range(len(mutants) - len(left)):
            progress()

        def ended(index: int, outcome: Outcome) -> None:
            mutant = mutants[left[index]]
            self._keep(mutant, outcome)
            found[left[index]] = self._recalled(mutant, remembered=False)
            progress()

        run_all(self._engine, [partial(self._mutant_job, mutants[index]) for index in left], ended)
        return [result for result in found if result is not None]

    def _of(self, question_id: str) -> tuple[str, ...]:
        return tuple(check for check in self._checks if check.startswith(f"{question_id}::"))

    def _key(self, mutant: GeneratedMutant, check_id: str) -> str:
        return self._keys.pair(mutant.question, mutant.cells, check_id)

    def _recall_seconds(self, solution: Solution) -> bool:
        checks = self._of(solution.question)
        found = {
            check: self._memory.pair(self._keys.pair(solution.question, _texts(solution), check)) for check in checks
        }
        seconds = {check: each.seconds for check, each in found.items() if each is not None and each.passed}
        self._seconds[solution.question, solution.name] = seconds
        return len(seconds) == len(checks)

    def _proven(self, solution: Solution, outcome: Outcome) -> None:
        failed = [result.check.id for result in outcome.results if result.verdict not in _HELD]
        if failed or len(outcome.results) < len(self._of(solution.question)):
            name = solution.name if solution.name == "reference" else f"variant {solution.name}"
            raise CourseError(
                f"The {name} of {solution.question} does not pass {', '.join(failed) or 'all checks'}, so its mutants "
                f"prove nothing. Correct that first: gradetape verify --question {solution.question}"
            )
        for result in outcome.results:
            key = self._keys.pair(solution.question, _texts(solution), result.check.id)
            self._memory.keep_pair(key, Remembered(True, str(result.verdict), result.seconds))
        self._recall_seconds(solution)

    def _recalled(self, mutant: GeneratedMutant, *, remembered: bool = True) -> Result | None:
        """A mutant's end, if what is remembered decides it."""
        loading = self._memory.pair(self._key(mutant, LOADING))
        if loading is not None and not loading.passed:
            return Result(mutant=mutant, end=End.NOT_RUN, remembered=remembered)
        known = {check: self._memory.pair(self._key(mutant, check)) for check in self._of(mutant.question)}
        for check, found in known.items():
            if found is not None and not found.passed:
                end = End.TIMEOUT if found.how == Verdict.TIMEOUT else End.FAILED
                return Result(mutant=mutant, end=end, check=check, remembered=remembered)
        if all(known.values()):
            return Result(mutant=mutant, end=End.SURVIVED, remembered=remembered)
        return None

    def _keep(self, mutant: GeneratedMutant, outcome: Outcome) -> None:
        loaded = not any(event.kind in ("error", "quarantined") for event in outcome.events)
        self._memory.keep_pair(self._key(mutant, LOADING), Remembered(loaded, "", 0.0))
        for result in outcome.results if loaded else ():
            self._keep_result(mutant, result)

    def _keep_result(self, mutant: GeneratedMutant, result: CheckResult) -> None:
        passed = result.verdict in _HELD
        found = Remembered(passed, str(result.verdict), result.seconds)
        self._memory.keep_pair(self._key(mutant, result.check.id), found)
        if not passed:
            self._failed[f"{mutant.function} {result.check.id}"] += 1
            self._memory.keep_last_failed(_name(mutant), result.check.id)

    def _mutant_job(self, mutant: GeneratedMutant) -> Job:
        unknown = [check for check in self._of(mutant.question) if self._memory.pair(self._key(mutant, check)) is None]
        only = sorted(unknown, key=lambda check: self._order(mutant, check))
        seconds = self._seconds[mutant.question, mutant.solution]
        limits = {check: max(_LEAST_S, _TIMES * seconds.get(check, 0.0)) for check in only}
        job = self._job(mutant.question, mutant.cells, tuple(only))
        less = msgspec.structs.replace(job.limits, cell_s=min(job.limits.cell_s, _CELL_S))
        return msgspec.structs.replace(job, limits=less, check_limits=limits, stop_at_failure=True)

    def _order(self, mutant: GeneratedMutant, check: str) -> tuple[bool, bool, int, float]:
        """The check that the mutant failed last comes first, then those that use the changed function."""
        last = self._memory.last_failed(_name(mutant))
        code = self._keys.codes.get(check)
        unrelated = code is not None and mutant.function.split(".")[0] not in code.names
        seconds = self._seconds[mutant.question, mutant.solution].get(check, 0.0)
        return check != last, unrelated, -self._failed[f"{mutant.function} {check}"], seconds

    def _job(self, question_id: str, texts: Iterable[str], only: tuple[str, ...]) -> Job:
        cells = tuple(Cell(source=text, question=question_id) for text in texts)
        job = self._gradable.job(cells, self._gradable.course.config.limits.record(), only=only)
        own = tuple(cell for cell in job.reference if cell.question == question_id)
        return msgspec.structs.replace(job, reference=own)


def run_all(engine: Engine, jobs: Sequence[MakeJob], ended: Ended) -> None:
    """Runs jobs, several at the same time, each made when its turn comes.

    Raises InfrastructureError for a job that is lost again and again.
    """
    waiting, running = deque(range(len(jobs))), dict[int, int]()
    starts: Counter[int] = Counter()
    while waiting or running:
        while waiting and len(running) < engine.capacity():
            index = waiting.popleft()
            starts[index] += 1
            running[engine.submit(jobs[index]())] = index
        for number, outcome in engine.wait(60.0):
            index = running.pop(number)
            if isinstance(outcome, Outcome):
                ended(index, outcome)
            elif starts[index] < _STARTS:
                waiting.appendleft(index)
            else:
                raise InfrastructureError(f"a mutant was lost {_STARTS} times: {outcome.reason}")


def _texts(solution: Solution) -> tuple[str, ...]:
    return tuple(cell.text for cell in solution.cells)


def _name(mutant: GeneratedMutant) -> str:
    return f"{mutant.question} {mutant.solution} {mutant.function} {mutant.change.replace} -> {mutant.change.by}"
