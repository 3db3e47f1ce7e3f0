"""The proof that an assignment's checks work.

The reference and every variant pass every check, the untouched starter and the adversaries get (next to) nothing, every
mutant fails what its header names and nothing else, and no check exists that no mutant fails. Whatever is right or has
one misconception runs: a file with a typo in it fails checks too, and shows nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from gradetape import scaffold as draft
from gradetape.course.gradable import GradableAssignment, answer
from gradetape.engine import Engine, EngineOptions, OpenEngine, open_engine
from gradetape.errors import CourseError, InfrastructureError, ReleaseError
from gradetape.grading.rubric import Rubric
from gradetape.records import Cell, Job, Outcome
from gradetape.release import refuse_unfit
from gradetape.verify import adversaries
from gradetape.verify.headers import Header, header_of
from gradetape.verify.loading import not_loaded, not_parsed
from gradetape.verify.proof import Proof, Trial

__all__ = ["Proof", "Trial", "verify"]

ProgressCallback = Callable[[int, int], None]
_AS_CONFIGURED = EngineOptions()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A solution that is to be run; `file` holds all of it, where one file does."""

    kind: str
    name: str
    job: Job
    question: str | None = None
    expected: tuple[str, ...] = ()
    file: Path | None = None


def verify(
    gradable: GradableAssignment, options: EngineOptions = _AS_CONFIGURED, *, question: str | None = None,
    repeat: int = 1, progress: ProgressCallback = lambda *_: None, open_engine: OpenEngine = open_engine,
) -> Proof:  # fmt: skip
    """Runs every solution of an assignment, or of one question, and says what that proves.

    `repeat` runs the right solutions so often, to find flaky checks; `progress` is called with how many of how many
    are done.
    Raises CourseError where the masters are wrong, InfrastructureError where the machinery failed.
    """
    unready = _unready(gradable, question)
    question_ids = [
        question_id
        for question_id in ((question,) if question else gradable.assignment.question_ids)
        if question_id not in unready
    ]
    if not question_ids:
        return Proof(assignment=gradable.assignment.name, unready=unready)
    _refuse_unfit(gradable, question_ids)
    headers = _headers(gradable, question_ids)
    with open_engine(gradable, options) as engine:
        rubric = Rubric.of(gradable, engine.collected, question_ids)
        plans = list(_Planner(gradable, rubric, headers).plans(repeat))
        outcomes = _run(engine, plans, progress)
    trials = tuple(_trial(gradable, plan, outcome) for plan, outcome in zip(plans, outcomes, strict=True))
    return Proof(
        assignment=gradable.assignment.name, checks=rubric.checks, trials=trials, faults=rubric.faults, unready=unready
    )


def _unready(gradable: GradableAssignment, question: str | None) -> dict[str, tuple[str, ...]]:
    """What is still a placeholder, of one question or of all, the introduction included."""
    root = gradable.course.root
    return {
        name: tuple(path.relative_to(root).as_posix() for path in paths)
        for name, paths in draft.unready(gradable.assignment, gradable.answer_key).items()
        if question in (None, name)
    }


def _refuse_unfit(gradable: GradableAssignment, question_ids: Sequence[str]) -> None:
    """Raises CourseError where students' files are broken, or any reference: all of them are run, whatever is asked."""
    problems = [
        problem
        for question_id in gradable.assignment.question_ids
        for problem in not_parsed(gradable.answer_key.reference(question_id))
    ]
    for question_source in gradable.assignment.question_sources:
        if question_source.question.id in question_ids:
            try:
                refuse_unfit(question_source)
            except ReleaseError as error:
                problems.append(str(error))
    if problems:
        raise CourseError("\n".join(problems))


def _headers(gradable: GradableAssignment, question_ids: Sequence[str]) -> dict[Path, Header]:
    """Every mutant's header, read before anything is started."""
    legacy = gradable.course.config.keras == "legacy"
    return {
        path: header_of(path, legacy=legacy)
        for question_id in question_ids
        for path in gradable.answer_key.mutants(question_id)
    }


def _trial(gradable: GradableAssignment, plan: Plan, outcome: Outcome) -> Trial:
    def file_of(question_id: str) -> Path:
        return plan.file or gradable.answer_key.reference(question_id)

    judged = plan.kind in ("reference", "variant", "mutant")
    unloaded = not_loaded(plan.job.cells, outcome.events, file_of) if judged else {}
    asked = {result.check.question for result in outcome.results}
    return Trial(
        kind=plan.kind, name=plan.name, question=plan.question, expected=plan.expected, results=outcome.results,
        unloaded={question_id: reason for question_id, reason in unloaded.items() if question_id in asked},
    )  # fmt: skip


class _Planner:
    """Knows which solutions there are, and which checks each is run against."""

    def __init__(self, gradable: GradableAssignment, rubric: Rubric, headers: Mapping[Path, Header]) -> None:
        self._gradable = gradable
        self._rubric = rubric
        self._headers = headers
        self._limits = gradable.course.config.limits.record()
        # Where a file of checks could not be read, what a mutant fails says nothing.
        unread = {check.question for check in rubric.checks if check.id in rubric.faults}
        asked = {check.question for check in rubric.checks} - unread
        self._question_ids = [question_id for question_id in gradable.assignment.question_ids if question_id in asked]

    def plans(self, repeat: int) -> Iterator[Plan]:
        """The longest first, so that the lanes end together."""
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
                raise CourseError(f"{path}: its header names {', '.join(unknown)}, which is no check of the question")
            job = self._alone(question_id, path)
            yield Plan(kind="mutant", name=path.stem, question=question_id, file=path, expected=expected, job=job)

    def _alone(self, question_id: str, path: Path) -> Job:
        only = tuple(check for check in self._rubric.sound if check.startswith(f"{question_id}::"))
        return self._gradable.job(answer(question_id, path), self._limits, only=only)

    def _job(self, cells: Sequence[Cell], *, liar: bool = False) -> Job:
        return self._gradable.job(tuple(cells), self._limits, only=self._rubric.sound, liar=liar)

    def _starters(self) -> list[Cell]:
        question_sources = self._gradable.assignment.question_sources
        return [
            cell
            for question_source in question_sources
            for cell in answer(question_source.question.id, question_source.starter)
        ]


def _run(engine: Engine, plans: Sequence[Plan], progress: ProgressCallback) -> list[Outcome]:
    """Every plan's outcome, in order; several run side by side. Raises InfrastructureError for what is lost."""
    waiting, running = deque(range(len(plans))), dict[int, int]()
    outcomes: dict[int, Outcome] = {}
    while len(outcomes) < len(plans):
        while waiting and len(running) < engine.capacity():
            index = waiting.popleft()
            running[engine.submit(plans[index].job)] = index
        for number, outcome in engine.wait(60.0):
            index = running.pop(number)
            if not isinstance(outcome, Outcome):
                raise InfrastructureError(f"{plans[index].kind} {plans[index].name} was lost: {outcome.reason}")
            outcomes[index] = outcome
            progress(len(outcomes), len(plans))
    return [outcomes[index] for index in range(len(plans))]
