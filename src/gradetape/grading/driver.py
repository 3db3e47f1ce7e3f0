"""Many submissions to grades: order, backpressure, retries, and what goes into the gradebook.

The driver owns all of that; an engine only judges, and retries nothing. An outcome is a verdict about the submission, a
loss is the infrastructure's. What was lost, and what has a fault in it, is judged once more when all the rest is done,
with everything started anew; what was lost is then alone, so that it cannot suffer from another. A fault that comes
again is reported, and never stored as done.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from gradetape.course.gradable import GradableAssignment
from gradetape.engine.local import LocalEngine
from gradetape.errors import GradebookError, InfrastructureError
from gradetape.gradebook import Gradebook, Grader
from gradetape.gradebook.claims import HEARTBEAT_S
from gradetape.grading.builder import GradeBuilder
from gradetape.grading.rubric import Rubric
from gradetape.records import Grade, Job, Lost, Outcome, Submission, Unreadable, Verdict
from gradetape.runtime.slots import Slots

_STARTS = 3
_SLACK_S = 120.0
_LOOK_AGAIN_S = 1.0


class Engine(Protocol):
    """Where cases are judged: local lanes, or one day a cluster."""

    def capacity(self) -> int:
        """How many cases may be under way."""

    def submit(self, job: Job) -> int:
        """Begins a case; never blocks for long."""

    def wait(self, timeout_s: float) -> list[tuple[int, Outcome | Lost]]:
        """What has ended since."""

    def forget(self, number: int) -> None:
        """Cancels a case."""

    def renew(self) -> None:
        """Starts everything anew for the next case; nothing is under way."""

    def close(self) -> None:
        """Ends all that is under way."""


class Progress(Protocol):
    """Who is told how a batch goes."""

    def begin(self, total: int, known: int) -> None:
        """A batch of `total` submissions begins, of which the gradebook knows `known` already."""

    def graded(self, grade: Grade) -> None:
        """A submission has its grade, which is in the gradebook."""

    def shared(self, other: Grader) -> None:
        """Another grader is at work on the same gradebook, and has submissions of this batch in hand."""


@dataclass
class Batch:
    """What became of a batch: its grades, the files that could not be read, and how many grades are new.

    `fresh` counts those of this grader, `shared` those that another one recorded in the meantime.
    """

    grades: list[Grade] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    fresh: int = 0
    shared: int = 0

    @property
    def needs_attention(self) -> bool:
        """Whether a person must look at something."""
        return bool(self.unreadable) or any(grade.attention for grade in self.grades)


@dataclass
class _Pending:
    submission: Submission
    starts: int = 0
    deadline: float = 0.0
    not_before: float = 0.0
    retried: bool = False
    alone: bool = False


class Driver:
    """Grades a batch of submissions of one exam through an engine, into a gradebook.

    Another driver may be at work on the same gradebook: each submission is claimed before it is judged, and what the
    other has in hand is left to it. `shared` counts the grades that came from there.
    """

    def __init__(
        self, gradable: GradableAssignment, engine: Engine, rubric: Rubric, builder: GradeBuilder, book: Gradebook,
        progress: Progress, me: Grader,
    ) -> None:  # fmt: skip
        self._gradable = gradable
        self._engine = engine
        self._rubric = rubric
        self._builder = builder
        self._book = book
        self._progress = progress
        self._me = me
        self._waiting: deque[_Pending] = deque()
        self._running: dict[int, _Pending] = {}
        self._suspect: list[_Pending] = []
        self._others: set[str] = set()
        self._last_heartbeat = time.monotonic()
        self.shared = 0

    def run(self, found: Sequence[Submission], *, again: bool = False) -> dict[str, Grade]:
        """The grades by student; each is in the gradebook before the next one is waited for."""
        grades: dict[str, Grade] = {}
        self._waiting.extend(_Pending(each) for each in found)
        try:
            while self._waiting or self._running or self._suspect:
                for grade in self._turn(again):
                    grades[grade.student] = grade
                    self._progress.graded(grade)
        finally:
            for number in list(self._running):
                self._engine.forget(number)
            with suppress(GradebookError):  # once this process is gone, its claims are free
                self._book.release(self._me)
        return grades

    def _turn(self, again: bool) -> list[Grade]:
        if not self._waiting and not self._running:
            self._start_anew()
        theirs = self._fill(again)
        if not self._running and self._waiting:
            time.sleep(_LOOK_AGAIN_S)
        ended = [grade for number, outcome in self._engine.wait(1.0) if (grade := self._ended(number, outcome))]
        mine = ended + self._overdue()
        for grade in mine:
            self._book.record(grade, self._gradable.assignment.name, force=again, grader=self._me)
        self._show_life()
        return theirs + mine

    def _fill(self, again: bool) -> list[Grade]:
        """Begins as many as there is room for; the grades of those that another grader has finished."""
        found = []
        for _ in range(len(self._waiting)):
            if not self._has_room(self._waiting[0]):
                break
            pending = self._waiting.popleft()
            if grade := self._claimed(pending, again):
                found.append(grade)
        return found

    def _has_room(self, pending: _Pending) -> bool:
        if pending.alone or any(running.alone for running in self._running.values()):
            return not self._running
        return len(self._running) < self._engine.capacity()

    def _start_anew(self) -> None:
        """The second turn of all that did not come to a proper end in the first."""
        self._engine.renew()
        self._waiting.extend(sorted(self._suspect, key=lambda pending: pending.alone))
        self._suspect.clear()

    def _claimed(self, pending: _Pending, again: bool) -> Grade | None:
        if pending.not_before > time.monotonic():
            self._waiting.append(pending)
            return None
        submission, name = pending.submission, self._gradable.assignment.name
        found = self._book.claim(self._me, name, submission.student, self._builder.key(submission), again=again)
        if isinstance(found, Grade):
            self.shared += 1
            return found
        if found is self._me:
            self._begin(pending)
        else:
            self._leave(pending, found)
        return None

    def _leave(self, pending: _Pending, other: Grader) -> None:
        if other.token not in self._others:
            self._others.add(other.token)
            self._progress.shared(other)
        pending.not_before = time.monotonic() + _LOOK_AGAIN_S
        self._waiting.append(pending)

    def _show_life(self) -> None:
        if time.monotonic() > self._last_heartbeat + HEARTBEAT_S:
            self._last_heartbeat = time.monotonic()
            self._book.heartbeat(self._me)

    def _begin(self, pending: _Pending) -> None:
        limits = self._gradable.course.config.limits.record()
        job = self._gradable.job(pending.submission.cells, limits, only=self._rubric.sound)
        pending.starts += 1
        pending.deadline = time.monotonic() + limits.submission_s * 2 + _SLACK_S
        try:
            self._running[self._engine.submit(job)] = pending
        except InfrastructureError:
            if pending.starts >= _STARTS:
                raise
            self._waiting.appendleft(pending)

    def _ended(self, number: int, outcome: Outcome | Lost) -> Grade | None:
        pending = self._running.pop(number, None)
        if pending is None:
            return None
        if isinstance(outcome, Lost):
            return self._lost(pending, outcome.reason)
        grade = self._builder.grade(self._rubric, pending.submission, outcome)
        sound = self._rubric.sound
        fault = any(result.verdict is Verdict.FAULT and result.check.id in sound for result in grade.results)
        return None if fault and self._once_more(pending) else grade

    def _lost(self, pending: _Pending, reason: str) -> Grade | None:
        if self._once_more(pending, alone=True):
            return None
        return self._builder.lost(self._rubric, pending.submission, reason)

    def _once_more(self, pending: _Pending, *, alone: bool = False) -> bool:
        """Whether a submission gets its second turn, rather than the result that it has."""
        if pending.retried:
            return False
        pending.retried, pending.alone = True, alone
        self._suspect.append(pending)
        return True

    def _overdue(self) -> list[Grade]:
        """What an engine did not end in time is lost: the driver's clock is the last one."""
        late = [number for number, pending in self._running.items() if time.monotonic() > pending.deadline]
        grades = []
        for number in late:
            self._engine.forget(number)
            grades.append(self._lost(self._running.pop(number), "the engine gave no answer in time"))
        return [grade for grade in grades if grade is not None]


def prove(engine: LocalEngine, gradable: GradableAssignment, only: str | None) -> Rubric:
    """The rubric, after the reference has shown which checks can be trusted; it too has a second turn."""
    rubric = Rubric.of(gradable, engine.collected, [only] if only else None)
    job = gradable.job(gradable.reference, gradable.course.config.limits.record(), trusted=True, only=rubric.sound)
    try:
        proven = rubric.proven(engine.judge(job))
    except InfrastructureError:
        proven = None
    if proven is not None and proven.faults == rubric.faults:
        return proven
    engine.renew()
    return rubric.proven(engine.judge(job))


class Session:
    """A batch of one assignment, from the gradebook and back into it; starts nothing where nothing is to be graded."""

    def __init__(
        self, gradable: GradableAssignment, slots: Slots, book: Gradebook, progress: Progress, *,
        question: str | None = None, shown: Callable[[str], str] = str,
    ) -> None:  # fmt: skip
        self._gradable = gradable
        self._book = book
        self._progress = progress
        self._question = question
        self._slots = slots
        self._shown = shown

    def run(self, submissions: Sequence[Submission], unreadable: Sequence[Unreadable], *, regrade: bool) -> Batch:
        """Grades what the gradebook does not know yet; raises GradetapeError, with all that was graded kept."""
        name = self._gradable.assignment.name
        me = self._book.grader()
        for entry in unreadable:
            self._book.record(entry, name)
        builder = GradeBuilder(self._gradable, question=self._question, slots=self._slots, command=self._shown)
        known = {} if regrade else _known(self._book, name, builder, submissions)
        self._progress.begin(len(submissions), len(known))
        fresh = [each for each in submissions if each.student not in known]
        if not fresh:
            return Batch([known[each.student] for each in submissions], list(unreadable))
        with LocalEngine(self._gradable, self._slots.at_most(len(fresh))) as engine:
            rubric = prove(engine, self._gradable, self._question)
            driver = Driver(self._gradable, engine, rubric, builder, self._book, self._progress, me)
            grades = known | driver.run(fresh, again=regrade)
        found = [grades[each.student] for each in submissions]
        return Batch(found, list(unreadable), len(fresh) - driver.shared, driver.shared)


def _known(book: Gradebook, assignment: str, builder: GradeBuilder, found: Sequence[Submission]) -> dict[str, Grade]:
    """The grades that the gradebook has already, by student."""
    recalled = (book.recall(assignment, each.student, builder.key(each)) for each in found)
    return {grade.student: grade for grade in recalled if grade is not None}


def of_assignment(
    found: Sequence[Submission | Unreadable], name: str | None
) -> tuple[str | None, list[Submission], list[Unreadable]]:
    """The assignment that a batch is of, what can be graded for it, and what cannot.

    Without a name it is the one that most notebooks name in their metadata.
    """
    submissions = [each for each in found if isinstance(each, Submission)]
    unreadable = [each for each in found if isinstance(each, Unreadable)]
    names = [each.assignment for each in submissions if each.assignment]
    chosen = name or max(names, key=names.count, default=None)
    good = [each for each in submissions if name or each.assignment == chosen is not None]
    others = [_of_no_assignment(each, chosen) for each in submissions if each not in good]
    return chosen, good, [*unreadable, *others]


def _of_no_assignment(submission: Submission, chosen: str | None) -> Unreadable:
    of = "It is of another" if submission.assignment else "It names no"
    advice = f"Grade it with --assignment {submission.assignment or chosen or 'NAME'}."
    reason = f"{of} assignment. {advice}"
    return Unreadable(student=submission.student, file=submission.file, sha256=submission.sha256, reason=reason)
