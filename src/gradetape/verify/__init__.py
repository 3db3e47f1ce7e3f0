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

from gradetape import draft
from gradetape.errors import CourseError, InfrastructureError, ReleaseError
from gradetape.grade import Lanes, Outcome, Rubric
from gradetape.judge.bench import Case
from gradetape.judge.cases import Exam, answer
from gradetape.places import Places
from gradetape.records import Cell
from gradetape.release import refuse_unfit
from gradetape.verify import adversaries
from gradetape.verify.headers import Header, header_of
from gradetape.verify.loading import not_loaded, not_parsed
from gradetape.verify.proof import Proof, Trial

__all__ = ["Proof", "Trial", "verify"]

Tell = Callable[[int, int], None]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A solution that is to be run; `file` holds all of it, where one file does."""

    kind: str
    name: str
    case: Case
    question: str | None = None
    expected: tuple[str, ...] = ()
    file: Path | None = None


def verify(
    exam: Exam, *, workers: int, question: str | None = None, repeat: int = 1, tell: Tell = lambda *_: None
) -> Proof:
    """Runs every solution of an assignment, or of one question, and says what that proves.

    `repeat` runs the right solutions so often, to find flaky checks; `tell` is told how many of how many are done.
    Raises CourseError where the masters are wrong, InfrastructureError where the machinery failed.
    """
    unready = _unready(exam, question)
    stems = [stem for stem in ((question,) if question else exam.assignment.stems) if stem not in unready]
    if not stems:
        return Proof(assignment=exam.assignment.name, unready=unready)
    _refuse_unfit(exam, stems)
    headers = _headers(exam, stems)
    places = Places.of(exam.course.config, workers=workers, secret=exam.secret_folders)
    with Lanes(exam, places) as lanes:
        rubric = Rubric.of(exam, lanes.collected, stems)
        plans = list(_Planner(exam, rubric, headers).plans(repeat))
        outcomes = _run(lanes, plans, tell)
    trials = tuple(_trial(exam, plan, outcome) for plan, outcome in zip(plans, outcomes, strict=True))
    return Proof(
        assignment=exam.assignment.name, checks=rubric.checks, trials=trials, faults=rubric.faults, unready=unready
    )


def _unready(exam: Exam, question: str | None) -> dict[str, tuple[str, ...]]:
    """What is still a placeholder, of one question or of all, the introduction included."""
    root = exam.course.root
    return {
        name: tuple(path.relative_to(root).as_posix() for path in paths)
        for name, paths in draft.unready(exam.assignment, exam.secrets).items()
        if question in (None, name)
    }


def _refuse_unfit(exam: Exam, stems: Sequence[str]) -> None:
    """Raises CourseError where students' files are broken, or any reference: all of them are run, whatever is asked."""
    problems = [problem for stem in exam.assignment.stems for problem in not_parsed(stem, exam.secrets.reference(stem))]
    for master in exam.assignment.masters:
        if master.question.stem in stems:
            try:
                refuse_unfit(master)
            except ReleaseError as error:
                problems.append(str(error))
    if problems:
        raise CourseError("\n".join(problems))


def _headers(exam: Exam, stems: Sequence[str]) -> dict[Path, Header]:
    """Every mutant's header, read before anything is started."""
    legacy = exam.course.config.keras == "legacy"
    return {path: header_of(path, legacy=legacy) for stem in stems for path in exam.secrets.mutants(stem)}


def _trial(exam: Exam, plan: Plan, outcome: Outcome) -> Trial:
    def file_of(stem: str) -> Path:
        return plan.file or exam.secrets.reference(stem)

    judged = plan.kind in ("reference", "variant", "mutant")
    unloaded = not_loaded(plan.case.cells, outcome.events, file_of) if judged else {}
    asked = {result.check.question for result in outcome.results}
    return Trial(
        kind=plan.kind, name=plan.name, question=plan.question, expected=plan.expected, results=outcome.results,
        unloaded={stem: reason for stem, reason in unloaded.items() if stem in asked},
    )  # fmt: skip


class _Planner:
    """Knows which solutions there are, and which checks each is run against."""

    def __init__(self, exam: Exam, rubric: Rubric, headers: Mapping[Path, Header]) -> None:
        self._exam = exam
        self._rubric = rubric
        self._headers = headers
        self._limits = exam.course.config.limits.record()
        # Where a file of checks could not be read, what a mutant fails says nothing.
        unread = {check.question for check in rubric.checks if check.id in rubric.faults}
        asked = {check.question for check in rubric.checks} - unread
        self._stems = [stem for stem in exam.assignment.stems if stem in asked]

    def plans(self, repeat: int) -> Iterator[Plan]:
        """The longest first, so that the lanes end together."""
        if not self._rubric.sound:
            return
        reference = self._exam.reference
        yield Plan(kind="adversary", name="liar", case=self._case(reference, liar=True))
        for _ in range(repeat):
            yield Plan(kind="reference", name="reference", case=self._case(reference))
        yield Plan(kind="starter", name="starter", case=self._case(self._starters()))
        for make in (adversaries.raiser, adversaries.argument, adversaries.zeros):
            yield Plan(kind="adversary", name=make.__name__, case=self._case(make(reference)))
        for stem in self._stems:
            yield from self._variants(stem, repeat)
            yield from self._mutants(stem)

    def _variants(self, stem: str, repeat: int) -> Iterator[Plan]:
        for path in self._exam.secrets.variants(stem):
            for _ in range(repeat):
                yield Plan(kind="variant", name=path.stem, question=stem, file=path, case=self._alone(stem, path))

    def _mutants(self, stem: str) -> Iterator[Plan]:
        known = {check.id for check in self._rubric.checks}
        for path in self._exam.secrets.mutants(stem):
            expected = tuple(f"{stem}::{name}" for name in self._headers[path].fails)
            unknown = sorted(set(expected) - known)
            if unknown:
                raise CourseError(f"{path}: its header names {', '.join(unknown)}, which is no check of the question")
            case = self._alone(stem, path)
            yield Plan(kind="mutant", name=path.stem, question=stem, file=path, expected=expected, case=case)

    def _alone(self, stem: str, path: Path) -> Case:
        only = tuple(check for check in self._rubric.sound if check.startswith(f"{stem}::"))
        return self._exam.case(answer(stem, path), self._limits, only=only)

    def _case(self, cells: Sequence[Cell], *, liar: bool = False) -> Case:
        return self._exam.case(tuple(cells), self._limits, only=self._rubric.sound, liar=liar)

    def _starters(self) -> list[Cell]:
        masters = self._exam.assignment.masters
        return [cell for master in masters for cell in answer(master.question.stem, master.starter)]


def _run(lanes: Lanes, plans: Sequence[Plan], tell: Tell) -> list[Outcome]:
    """Every plan's outcome, in order; several run side by side. Raises InfrastructureError for what is lost."""
    waiting, running = deque(range(len(plans))), dict[int, int]()
    outcomes: dict[int, Outcome] = {}
    while len(outcomes) < len(plans):
        while waiting and len(running) < lanes.capacity():
            index = waiting.popleft()
            running[lanes.submit(plans[index].case)] = index
        for number, outcome in lanes.wait(60.0):
            index = running.pop(number)
            if not isinstance(outcome, Outcome):
                raise InfrastructureError(f"{plans[index].kind} {plans[index].name} was lost: {outcome.reason}")
            outcomes[index] = outcome
            tell(len(outcomes), len(plans))
    return [outcomes[index] for index in range(len(plans))]
