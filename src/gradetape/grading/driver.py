"""Turns a stream of submissions into grades: backpressure, retries, deadlines, and the gradebook.

The driver does all of that; an engine only judges, and retries nothing. Lost jobs, and jobs with a fault, are judged
once more after the others, with everything restarted; a lost job is then judged alone, so that no other job can affect
it. The second time, its student reads only what its code said the first time, when it had seen no hidden input. A fault
that occurs again is reported, and never stored as done.

Only questions whose results are not in the gradebook are judged. Of submissions with the same cells one is judged: the
others wait, and their grades are composed of its results. Where fewer submissions are left than the engine has places,
one is judged in several jobs at the same time, which end as one.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile

from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine
from gradetape.errors import InfrastructureError
from gradetape.grading.builder import GradeBuilder
from gradetape.grading.composition import GradedSubmission, together
from gradetape.grading.events import (
    Listener,
    SubmissionBegan,
    SubmissionGraded,
    SubmissionLost,
    SubmissionReplaced,
    SubmissionRetried,
    Warned,
)
from gradetape.grading.queue import Pending, Stream, WorkQueue
from gradetape.grading.rubric import Rubric
from gradetape.grading.shared_gradebook import Claim, SharedGradebook
from gradetape.grading.side_by_side import parts_of
from gradetape.records import Grade, Job, Lost, Outcome, Part, Said, Verdict

_STARTS = 3
_SLACK_S = 120.0
_LOOK_AGAIN_S = 1.0
_WAIT_S = 1.0
_TOGETHER = 64  # submissions of one transaction: another grader waits no longer than that takes


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
        self._followers: dict[int, list[Pending]] = {}
        self._busy: set[str] = set()  # students with a submission in progress: a newer one waits, to be recorded last
        self._where = engine.environment.message
        self._judging: dict[str, int] = {}  # the job that judges a question, by the question's digest

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
        known = self._fill(queue)
        self._tell_where()
        if not self._running and not queue and queue.begin_retries():
            self._engine.renew()
            known += self._fill(queue)
        if not (self._running or known or queue.done):
            time.sleep(_LOOK_AGAIN_S)
        judged = [*self._finished(queue), *self._overdue(queue)]
        for start in range(0, len(judged), _TOGETHER):
            self._book.record(judged[start : start + _TOGETHER])
        self._book.heartbeat()
        return [*known, *(graded.grade for graded in judged)]

    def _tell_where(self) -> None:
        """Says on which machines the engine judges, whenever one joins, is lost or is refused."""
        where = self._engine.environment.message
        if where != self._where:
            self._where = where
            self._listener(Warned(where))

    def _fill(self, queue: WorkQueue) -> list[Grade]:
        """Fills the free capacity; returns the grades of submissions for which nothing has to run."""
        found = list[Grade]()
        for replaced in queue.refill(self._engine.capacity() - len(self._running)):
            self._listener(SubmissionReplaced(replaced.student))
        left = len(queue)
        while left > 0 and self._has_capacity(queue.next, ()):
            picked, seen = self._picked(queue, left)
            found += self._claimed(picked, queue)
            left -= seen
        return found

    def _picked(self, queue: WorkQueue, most: int) -> tuple[list[Pending], int]:
        """Takes the next submissions that may start together; returns them, and how many of the waiting it saw."""
        picked, seen, students = list[Pending](), 0, set[str]()
        while seen < most and len(picked) < _TOGETHER and self._has_capacity(queue.next, picked):
            pending = queue.take()
            seen += 1
            student = pending.submission.student
            if pending.ready and student not in self._busy and student not in students:
                students.add(student)
                picked.append(pending)
            else:
                queue.put_back(pending)
        return picked, seen

    def _has_capacity(self, pending: Pending, picked: Sequence[Pending]) -> bool:
        """Whether a submission may start beside those that run and those that were picked."""
        first = next(iter((*islice(self._running.values(), 1), *picked[:1])), None)
        if pending.alone or (first is not None and first.alone):
            return first is None and self._engine.capacity() > 0
        return len(self._running) + len(picked) < self._engine.capacity()

    def _claimed(self, picked: Sequence[Pending], queue: WorkQueue) -> list[Grade]:
        """Starts the submissions that this grader may; returns the grades that are known or can be composed."""
        works = [(each.submission.student, self._builder.key(each.submission)) for each in picked]
        known, mine = list[Grade](), list[Pending]()
        for pending, found in zip(picked, self._book.claim(works) if works else (), strict=True):
            if isinstance(found, Grade):
                known.append(found)
            elif found is Claim.MINE:
                mine.append(pending)
            else:
                pending.not_before = time.monotonic() + _LOOK_AGAIN_S
                queue.put_back(pending)
        return [*known, *self._composed_or_begun(mine, queue)]

    def _composed_or_begun(self, mine: Sequence[Pending], queue: WorkQueue) -> list[Grade]:
        """The grades of those of which all results are stored; the others are judged."""
        keys = [self._builder.question_keys(each.submission) for each in mine]
        stored = self._book.stored(keys, self._builder.question_ids) if mine else []
        composed = list[GradedSubmission]()
        for number, (pending, own, known) in enumerate(zip(mine, keys, stored, strict=True), 1):
            pending.stored = tuple(each for each in known if each.question in self._rubric.question_ids)
            missing = self._missing(pending)
            if only := self._rubric.sound_in(missing):
                pending.digests = frozenset(key.digest for key in own if key.question in missing)
                self._judge(pending, only, queue, waiting=len(queue) + len(mine) - number)
            else:
                composed.append(self._builder.graded(self._rubric, pending.submission, None, pending.stored))
        if composed:
            self._book.record(composed)
            self._book.composed += len(composed)
        return [each.grade for each in composed]

    def _judge(self, pending: Pending, only: tuple[str, ...], queue: WorkQueue, waiting: int) -> None:
        """Judges what is missing, unless that is being judged already; places are kept for the `waiting` others."""
        judging = next((self._judging[digest] for digest in pending.digests if digest in self._judging), None)
        if judging is None:
            self._begin(pending, only, queue, waiting)
        else:
            self._followers.setdefault(judging, []).append(pending)
            self._busy.add(pending.submission.student)

    def _missing(self, pending: Pending) -> list[str]:
        have = {each.question for each in pending.stored}
        return [question_id for question_id in self._builder.question_ids if question_id not in have]

    def _begin(self, pending: Pending, only: tuple[str, ...], queue: WorkQueue, waiting: int) -> None:
        jobs = self._jobs(pending, only, idle=self._engine.capacity() - len(self._running) - waiting)
        pending.starts += 1
        pending.deadline = time.monotonic() + self._limits.submission_s * 2 + _SLACK_S
        try:
            pending.jobs, pending.ended = self._submitted(jobs), {}
        except InfrastructureError:
            if pending.starts >= _STARTS:
                raise
            queue.put_back(pending, first=True)
            return
        self._running |= dict.fromkeys(pending.jobs, pending)
        self._busy.add(pending.submission.student)
        self._judging |= dict.fromkeys(pending.digests, pending.jobs[0])
        self._listener(SubmissionBegan(pending.submission.student))

    def _jobs(self, pending: Pending, only: tuple[str, ...], idle: int) -> list[Job]:
        """The job of a submission, or several where more places are idle; a retry is always one job."""
        parts = parts_of(only, self._rubric.times, 1 if pending.retried else min(idle, self._engine.parts))
        part = Part(submission=secrets.token_hex(8), count=len(parts)) if len(parts) > 1 else None
        sent_bytes = dict(self._rubric.sent_bytes)
        return [
            self._gradable.job(
                pending.submission.cells, self._limits, only=each, reference_bytes=sent_bytes, said=pending.said,
                part=part,
            )
            for each in parts
        ]  # fmt: skip

    def _submitted(self, jobs: Sequence[Job]) -> tuple[int, ...]:
        """Starts all of these jobs, or none; returns their numbers."""
        numbers: list[int] = []
        try:
            for job in jobs:
                numbers.append(self._engine.submit(job))
        except InfrastructureError:
            for number in numbers:
                self._engine.forget(number)
            raise
        return tuple(numbers)

    def _finished(self, queue: WorkQueue) -> Iterator[GradedSubmission]:
        for number, outcome in self._engine.wait(_WAIT_S) if self._running else ():
            pending = self._ended(number, outcome, queue)
            if pending is not None and (graded := self._graded(pending, queue)):
                yield graded

    def _ended(self, number: int, outcome: Outcome | Lost, queue: WorkQueue) -> Pending | None:
        """The submission of a job that has ended, if it was the last of it; those that waited for it come next."""
        ended = self._running.pop(number, None)
        if ended is None:
            return None
        ended.ended[number] = outcome
        if len(ended.ended) < len(ended.jobs):
            return None
        for follower in self._followers.pop(ended.jobs[0], ()):
            self._busy.discard(follower.submission.student)
            queue.put_back(follower, first=True)
        self._busy.discard(ended.submission.student)
        for digest in ended.digests:
            self._judging.pop(digest, None)
        return ended

    def _graded(self, pending: Pending, queue: WorkQueue) -> GradedSubmission | None:
        """The grade, or None for a submission that will be retried."""
        outcome = together([pending.ended[number] for number in pending.jobs])
        if isinstance(outcome, Lost):
            return self._lost(pending, outcome, queue)
        graded = self._builder.graded(self._rubric, pending.submission, outcome, pending.stored)
        faults = [result.check.id for result in graded.grade.results if result.verdict is Verdict.FAULT]
        unexpected = [check for check in faults if check in self._rubric.sound]
        if not unexpected or pending.retried:
            return graded
        pending.said = Said.of(outcome.events, outcome.results)
        self._retry(pending, f"{unexpected[0]} could not be judged", queue, alone=False)
        return None

    def _lost(self, pending: Pending, lost: Lost, queue: WorkQueue) -> GradedSubmission | None:
        if not pending.retried:
            pending.said = lost.said
            self._retry(pending, lost.reason, queue, alone=True)
            return None
        self._listener(SubmissionLost(pending.submission.student, lost.reason))
        return self._builder.lost(self._rubric, pending.submission, lost.reason, pending.stored)

    def _retry(self, pending: Pending, reason: str, queue: WorkQueue, *, alone: bool) -> None:
        """Keeps a submission for later, unless its student has handed in a newer one."""
        student = pending.submission.student
        if queue.has_newer(student):
            self._listener(SubmissionReplaced(student))
            return
        queue.retry_later(pending, alone=alone)
        self._listener(SubmissionRetried(student, reason))

    def _overdue(self, queue: WorkQueue) -> Iterator[GradedSubmission]:
        """Gives up jobs that the engine did not end in time: the driver's clock decides."""
        now = time.monotonic()
        # Jobs are in the order of their deadlines: all have the same time.
        late = list(takewhile(lambda job: now > job[1].deadline, self._running.items()))
        for number, _ in late:
            self._engine.forget(number)
            lost = Lost(reason="the engine gave no answer in time", said=Said())
            pending = self._ended(number, lost, queue)
            if pending is not None and (graded := self._graded(pending, queue)):
                yield graded
