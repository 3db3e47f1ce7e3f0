"""Turns a stream of submissions into grades: backpressure, retries, deadlines, and the gradebook.

The driver does all of that; an engine only judges, and retries nothing. Lost jobs, and jobs with a fault, are judged
once more after the others, with everything restarted; a lost job is then judged alone, so that no other job can affect
it. The second time, its student reads only what its code said the first time, when it had seen no hidden input. A fault
that occurs again is reported, and never stored as done.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine
from gradetape.errors import InfrastructureError
from gradetape.grading.builder import GradeBuilder
from gradetape.grading.events import (
    Listener,
    SubmissionBegan,
    SubmissionGraded,
    SubmissionLost,
    SubmissionReplaced,
    SubmissionRetried,
)
from gradetape.grading.queue import Pending, Stream, WorkQueue
from gradetape.grading.rubric import Rubric
from gradetape.grading.shared_gradebook import Claim, SharedGradebook
from gradetape.records import Grade, Lost, Outcome, Said, Verdict

_STARTS = 3
_SLACK_S = 120.0
_LOOK_AGAIN_S = 1.0
_WAIT_S = 1.0


class Driver:
    """Grades a stream of submissions of one assignment through an engine, into a gradebook.

    Another driver may work on the same gradebook: each submission is claimed before it is judged, and submissions that
    the other driver has claimed are skipped. Large because it handles every way in which a job can end.
    """

    def __init__(
        self, gradable: GradableAssignment, engine: Engine, rubric: Rubric, builder: GradeBuilder,
        book: SharedGradebook, listener: Listener,
    ) -> None:  # fmt: skip
        self._gradable = gradable
        self._engine = engine
        self._rubric = rubric
        self._builder = builder
        self._book = book
        self._listener = listener
        self._limits = gradable.course.config.limits.record()
        self._running: dict[int, Pending] = {}

    def run(self, stream: Stream) -> list[Grade]:
        """Returns the grades; each is recorded before the driver waits for the next.

        At the end all claims are released.
        """
        queue, grades = WorkQueue(stream), list[Grade]()
        try:
            while not queue.done or self._running:
                for grade in self._turn(queue):
                    grades.append(grade)
                    self._listener(SubmissionGraded(grade))
        finally:
            for number in list(self._running):
                self._engine.forget(number)
            self._book.release()
        return grades

    def _turn(self, queue: WorkQueue) -> list[Grade]:
        theirs = self._fill(queue)
        if not self._running and not queue and queue.begin_retries():
            self._engine.renew()
            theirs += self._fill(queue)
        if not self._running and not queue.done:
            time.sleep(_LOOK_AGAIN_S)
        mine = [*self._finished(queue), *self._overdue(queue)]
        for grade in mine:
            self._book.record(grade)
        self._book.heartbeat()
        return [*theirs, *mine]

    def _fill(self, queue: WorkQueue) -> list[Grade]:
        """Fills the free capacity; returns the grades of submissions that another grader has finished."""
        found = []
        for replaced in queue.refill(self._engine.capacity() - len(self._running)):
            self._listener(SubmissionReplaced(replaced.student))
        for _ in range(len(queue)):
            if not self._has_capacity(queue.next):
                break
            if grade := self._claimed(queue.take(), queue):
                found.append(grade)
        return found

    def _has_capacity(self, pending: Pending) -> bool:
        if pending.alone or any(running.alone for running in self._running.values()):
            return not self._running
        return len(self._running) < self._engine.capacity()

    def _claimed(self, pending: Pending, queue: WorkQueue) -> Grade | None:
        """Starts a submission if this grader may; returns its grade if another grader has recorded one."""
        submission = pending.submission
        if not pending.ready or submission.student in self._students:
            queue.put_back(pending)
            return None
        found = self._book.claim(submission.student, self._builder.key(submission))
        if isinstance(found, Grade):
            return found
        if found is Claim.MINE:
            self._begin(pending, queue)
        else:
            pending.not_before = time.monotonic() + _LOOK_AGAIN_S
            queue.put_back(pending)
        return None

    @property
    def _students(self) -> set[str]:
        """The students who have a submission in progress; a newer one waits, so that the newest is recorded last."""
        return {pending.submission.student for pending in self._running.values()}

    def _begin(self, pending: Pending, queue: WorkQueue) -> None:
        job = self._gradable.job(
            pending.submission.cells, self._limits, only=self._rubric.sound,
            reference_bytes=dict(self._rubric.sent_bytes), said=pending.said,
        )  # fmt: skip
        pending.starts += 1
        pending.deadline = time.monotonic() + self._limits.submission_s * 2 + _SLACK_S
        try:
            self._running[self._engine.submit(job)] = pending
        except InfrastructureError:
            if pending.starts >= _STARTS:
                raise
            queue.put_back(pending, first=True)
            return
        self._listener(SubmissionBegan(pending.submission.student))

    def _finished(self, queue: WorkQueue) -> Iterator[Grade]:
        for number, outcome in self._engine.wait(_WAIT_S) if self._running else ():
            pending = self._running.pop(number, None)
            if pending is not None and (grade := self._graded(pending, outcome, queue)):
                yield grade

    def _graded(self, pending: Pending, outcome: Outcome | Lost, queue: WorkQueue) -> Grade | None:
        """The grade, or None for a submission that will be retried."""
        if isinstance(outcome, Lost):
            return self._lost(pending, outcome, queue)
        grade = self._builder.grade(self._rubric, pending.submission, outcome)
        faults = [result.check.id for result in grade.results if result.verdict is Verdict.FAULT]
        unexpected = [check for check in faults if check in self._rubric.sound]
        if not unexpected or pending.retried:
            return grade
        pending.said = Said.of(outcome.events, outcome.results)
        self._retry(pending, f"{unexpected[0]} could not be judged", queue, alone=False)
        return None

    def _lost(self, pending: Pending, lost: Lost, queue: WorkQueue) -> Grade | None:
        if not pending.retried:
            pending.said = lost.said
            self._retry(pending, lost.reason, queue, alone=True)
            return None
        self._listener(SubmissionLost(pending.submission.student, lost.reason))
        return self._builder.lost(self._rubric, pending.submission, lost.reason)

    def _retry(self, pending: Pending, reason: str, queue: WorkQueue, *, alone: bool) -> None:
        """Keeps a submission for later, unless its student has handed in a newer one."""
        student = pending.submission.student
        if queue.has_newer(student):
            self._listener(SubmissionReplaced(student))
            return
        queue.retry_later(pending, alone=alone)
        self._listener(SubmissionRetried(student, reason))

    def _overdue(self, queue: WorkQueue) -> Iterator[Grade]:
        """Gives up jobs that the engine did not end in time: the driver's clock decides."""
        late = [number for number, pending in self._running.items() if time.monotonic() > pending.deadline]
        for number in late:
            self._engine.forget(number)
            lost = Lost(reason="the engine gave no answer in time", said=Said())
            if grade := self._lost(self._running.pop(number), lost, queue):
                yield grade
