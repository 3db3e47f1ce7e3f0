"""A batch of one assignment: from submissions to grades in the gradebook; nothing is started unnecessarily."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import msgspec

from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine, judge
from gradetape.errors import InfrastructureError
from gradetape.gradebook import Gradebook
from gradetape.grading.builder import GradeBuilder
from gradetape.grading.driver import Driver
from gradetape.grading.events import BatchBegan, Listener, SubmissionKnown
from gradetape.grading.queue import Stream
from gradetape.grading.rubric import Rubric
from gradetape.grading.shared_gradebook import SharedGradebook
from gradetape.records import Grade, Submission, Unreadable

_LOOK_AGAIN_S = 1.0


@dataclass
class Batch:
    """The result of a batch: its grades, the unreadable files, and how many grades are new.

    `fresh` counts the grades of this grader, `shared` those that another grader recorded in the meantime.
    """

    grades: list[Grade] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    fresh: int = 0
    shared: int = 0

    @property
    def needs_attention(self) -> bool:
        """Whether staff must look at something."""
        return bool(self.unreadable) or any(grade.attention for grade in self.grades)


class BatchGrader:
    """Grades batches of one assignment, or of one `question` of it, through an engine into a gradebook."""

    def __init__(
        self, gradable: GradableAssignment, engine: Engine, book: Gradebook, listener: Listener, *,
        question: str | None = None,
    ) -> None:  # fmt: skip
        self._gradable = gradable
        self._engine = engine
        self._book = book
        self._listener = listener
        self._question = question
        self._builder = GradeBuilder(gradable, engine.environment, question=question)

    def run(self, submissions: Stream, unreadable: Sequence[Unreadable] = (), *, regrade: bool = False) -> Batch:
        """Grades the submissions that have no grade in the gradebook, in the order of the stream.

        A list is looked up in the gradebook as a whole before anything is started. Any other stream may stay open: it
        yields None while there is nothing. Raises GradetapeError; grades recorded before are kept.
        """
        name = self._gradable.assignment.name
        me = self._book.grader()
        for entry in unreadable:
            self._book.record(entry, name)
        batch = Batch(unreadable=list(unreadable))
        stream = self._unknown(submissions, batch, regrade=regrade)
        shared = SharedGradebook(self._book, name, me, self._listener, again=regrade)
        graded = self._graded(stream, shared)
        batch.grades += graded
        batch.fresh, batch.shared = len(graded) - shared.taken_over, shared.taken_over
        if isinstance(submissions, Sequence):
            batch.grades = _in_order(batch.grades, submissions)
        return batch

    def _unknown(self, submissions: Stream, batch: Batch, *, regrade: bool) -> Stream:
        """The submissions that have no grade; the grades of the others are added to the batch."""
        stream = self._looked_up(submissions, batch, regrade=regrade)
        if not isinstance(submissions, Sequence):
            self._listener(BatchBegan(None, 0))
            return stream
        fresh = list(stream)
        self._listener(BatchBegan(len(submissions), len(submissions) - len(fresh)))
        self._engine.expect(len(fresh))
        return fresh

    def _looked_up(self, submissions: Stream, batch: Batch, *, regrade: bool) -> Iterator[Submission | None]:
        name = self._gradable.assignment.name
        for each in submissions:
            known = each and not regrade and self._book.recall(name, each.student, self._builder.key(each))
            if each and isinstance(known, Grade):
                known = self._with_origin(known, each)
                batch.grades.append(known)
                self._listener(SubmissionKnown(known))
            else:
                yield each

    def _with_origin(self, known: Grade, submission: Submission) -> Grade:
        """The grade with what the platform says now; an attempt of its own if that has changed."""
        if submission.origin in (None, known.origin):
            return known
        grade = msgspec.structs.replace(known, origin=submission.origin)
        self._book.record(grade, known.assignment, force=True)
        return grade

    def _graded(self, stream: Stream, book: SharedGradebook) -> list[Grade]:
        """Starts the engine when there is something to grade."""
        arrived = _from_the_first(stream)
        if arrived is None:
            return []
        rubric = prove(self._engine, self._gradable, self._question)
        return Driver(self._gradable, self._engine, rubric, self._builder, book, self._listener).run(arrived)


def _from_the_first(stream: Stream) -> Stream | None:
    """The stream once a submission has arrived; None if it ends without one."""
    waiting = iter(stream)
    for submission in waiting:
        if submission is not None:
            return chain([submission], waiting)
        time.sleep(_LOOK_AGAIN_S)
    return None


def prove(engine: Engine, gradable: GradableAssignment, question: str | None) -> Rubric:
    """The rubric, after judging the reference, at most twice, to find the checks that can be trusted."""
    rubric = Rubric.of(gradable, engine.collected, [question] if question else None)
    limits = gradable.course.config.limits.record()
    job = gradable.job(gradable.reference, limits, trusted=True, only=rubric.sound)
    try:
        proven = rubric.proven(judge(engine, job))
    except InfrastructureError:
        proven = None
    if proven is not None and proven.faults == rubric.faults:
        return proven
    engine.renew()
    return rubric.proven(judge(engine, job))


def _in_order(grades: Sequence[Grade], submissions: Sequence[Submission | None]) -> list[Grade]:
    by_student = {grade.student: grade for grade in grades}
    return [by_student[each.student] for each in submissions if each is not None]
