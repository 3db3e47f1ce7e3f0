"""Judges graded submissions again with the checks as they are now, and records nothing: who would gain or lose.

The code comes from the gradebook, and runs behind the sandbox as always. The reference has to pass first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import msgspec

from gradetape.course.assignments import Course
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine, EngineOptions, OpenEngine, judge, open_engine
from gradetape.errors import CourseError, RequestError
from gradetape.grading.rubric import Rubric
from gradetape.records import Cell, CheckResult, Grade, Outcome, TrialResult
from gradetape.text import few, one_line

_WAIT_S = 1.0
_NO_CODE = "an earlier version graded this and kept no code: grade it again"


class TrialRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to try: a question of an assignment or, with `checks`, some of its checks, by their ids.

    `hidden` are places that students' code must not see, besides those of the course.
    """

    assignment: str
    question: str
    checks: frozenset[str] | None = None
    hidden: tuple[Path, ...] = ()
    workers: int | None = None


def tried(
    course: Course, request: TrialRequest, grades: Sequence[Grade], *, open_engine: OpenEngine = open_engine,
    stopped: Callable[[], bool] = bool,
) -> Iterator[TrialResult]:  # fmt: skip
    """What each of these grades would be, as it becomes known; ends early once `stopped` returns true.

    Raises GradetapeError if the checks cannot be collected, or if the reference does not pass them.
    """
    gradable = GradableAssignment.open(course, request.assignment)
    files = tuple(Path(grade.file).absolute() for grade in grades)
    hidden = (*request.hidden, *gradable.private_files, *files)
    with open_engine(gradable, EngineOptions(workers=request.workers, hidden=hidden)) as engine:
        rubric = _proven(gradable, engine, request)
        asked = [check.id for check in rubric.checks if request.checks is None or check.id in request.checks]
        yield from (_lost(grade, asked, _NO_CODE) for grade in grades if not grade.cells)
        yield from _judged(gradable, engine, rubric, grades, asked, stopped)


def _proven(gradable: GradableAssignment, engine: Engine, request: TrialRequest) -> Rubric:
    """The rubric of the question, all of whose checks that are asked for the reference passes."""
    rubric = Rubric.of(gradable, engine.collected, [request.question])
    only = tuple(each for each in rubric.sound if request.checks is None or each in request.checks)
    if gone := sorted((request.checks or frozenset()) - {check.id for check in rubric.checks}):
        raise RequestError(f"the course no longer has {few(map(one_line, gone))}: grade again to see what it has now")
    limits = gradable.course.config.limits.record()
    if only:
        rubric = rubric.proven(judge(engine, gradable.job(gradable.reference, limits, trusted=True, only=only)))
    wrong = {each: why for each, why in rubric.faults.items() if request.checks is None or each in request.checks}
    if wrong:
        check, why = next(iter(wrong.items()))
        raise CourseError(f"the reference solution does not pass {one_line(check)}, so nobody was judged: {why}")
    return rubric


def _judged(
    gradable: GradableAssignment, engine: Engine, rubric: Rubric, grades: Sequence[Grade], asked: Collection[str],
    stopped: Callable[[], bool],
) -> Iterator[TrialResult]:  # fmt: skip
    """Judges each code once, whoever handed it in."""
    by_code: dict[tuple[Cell, ...], list[Grade]] = {}
    for grade in grades:
        if grade.cells:
            by_code.setdefault(grade.cells, []).append(grade)
    waiting, running = deque(by_code), dict[int, tuple[Cell, ...]]()
    engine.expect(min(len(waiting), engine.capacity()))
    limits = gradable.course.config.limits.record()
    while (waiting or running) and not stopped():
        while waiting and len(running) < engine.capacity():
            cells = waiting.popleft()
            job = gradable.job(cells, limits, only=tuple(asked), reference_bytes=dict(rubric.sent_bytes))
            running[engine.submit(job)] = cells
        for number, outcome in engine.wait(_WAIT_S):
            same = by_code[running.pop(number)]
            if isinstance(outcome, Outcome):
                yield from (_tried(grade, rubric, outcome, asked) for grade in same)
            else:
                yield from (_lost(grade, asked, outcome.reason) for grade in same)


def _tried(grade: Grade, rubric: Rubric, outcome: Outcome, asked: Collection[str]) -> TrialResult:
    now = tuple(result for result in rubric.complete(outcome.results) if result.check.id in asked)
    return TrialResult(student=grade.student, before=_before(grade, asked, rubric), now=now)


def _before(grade: Grade, asked: Collection[str], rubric: Rubric) -> tuple[CheckResult, ...]:
    """The recorded results; of checks that are gone too, where the whole question is tried."""
    whole = len(asked) == len(rubric.checks)
    own = {check.question for check in rubric.checks}
    return tuple(
        result for result in grade.results if result.check.id in asked or (whole and result.check.question in own)
    )


def _lost(grade: Grade, asked: Collection[str], why: str) -> TrialResult:
    before = tuple(result for result in grade.results if result.check.id in asked)
    return TrialResult(student=grade.student, before=before, lost=why)
