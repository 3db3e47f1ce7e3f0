"""A batch of one assignment: from submissions to grades in the gradebook; nothing is started unnecessarily."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import msgspec

from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine
from gradetape.gradebook import Gradebook
from gradetape.grading.builder import GradeBuilder
from gradetape.grading.concerns import lacks_package
from gradetape.grading.driver import Driver
from gradetape.grading.events import BatchBegan, Listener, SubmissionKnown, WorkPlanned
from gradetape.grading.queue import Stream
from gradetape.grading.reference_proof import ReferenceProof
from gradetape.grading.shared_gradebook import SharedGradebook
from gradetape.grading.workload import Workload, workload_of
from gradetape.records import Grade, Submission, Unreadable
from gradetape.text import printable

_LOOK_AGAIN_S = 1.0
_TOGETHER = 256


@dataclass
class Batch:
    """The result of a batch: its grades, the unreadable files, and how many grades are new.

    `fresh` counts the grades of this grader, `composed` those among them for which nothing had to run, `shared` those
    that another grader recorded in the meantime. `recorded` are the students with a new entry in the gradebook.
    `isolation` is that of the environment that judged.
    """

    grades: list[Grade] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    fresh: int = 0
    shared: int = 0
    composed: int = 0
    recorded: set[str] = field(default_factory=set)
    isolation: str = ""

    @property
    def needs_attention(self) -> bool:
        """Whether staff must do something: about what is not final, or about a package that the environment lacks."""
        return bool(self.unreadable) or any(grade.attention or lacks_package(grade) for grade in self.grades)


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
        """Grades the submissions that have no grade in the gradebook.

        A list is looked up in the gradebook as a whole before anything is started; what took longest the last time
        comes first, then the order is that of the list. Any other stream may stay open: it
        yields None while there is nothing. Raises GradetapeError; grades recorded before are kept.
        """
        name = self._gradable.assignment.name
        me = self._book.grader()
        new = {entry.student for entry in unreadable if self._book.record(entry, name)}
        isolation = self._engine.environment.isolation
        batch = Batch(unreadable=list(unreadable), recorded=new, isolation=isolation)
        self._learn()
        shared = SharedGradebook(self._book, name, me, self._listener, again=regrade)
        stream = self._unknown(submissions, batch, me.since_result if regrade else None)
        graded = self._graded(stream, shared, regrade=regrade)
        batch.grades += graded
        batch.fresh, batch.shared = len(graded) - shared.taken_over, shared.taken_over
        batch.composed = shared.composed
        batch.recorded |= {grade.student for grade in graded}
        if isinstance(submissions, Sequence):
            batch.grades = _in_order(batch.grades, submissions)
        return batch

    def _learn(self) -> None:
        """How much the reference sends, as far as it is known."""
        keys = self._builder.keys.of_reference(self._gradable.assignment.question_ids)
        for proof in self._book.question_results(key.digest for key in keys).values():
            self._builder.keys.learn(proof.sent_bytes)

    def workload(self, submissions: Sequence[Submission], *, regrade: bool = False) -> Workload:
        """What `run` would do; nothing is started or recorded."""
        self._learn()
        name, key = self._gradable.assignment.name, self._builder.key
        fresh = [each for each in submissions if regrade or not self._book.is_done(name, each.student, key(each))]
        since = self._book.grader().since_result if regrade else None
        known = len(submissions) - len(fresh)
        return workload_of(self._gradable, self._book, self._builder, fresh, known=known, since=since)

    def _unknown(self, submissions: Stream, batch: Batch, since: int | None) -> Stream:
        """The submissions that have no grade; the grades of the others are added to the batch."""
        stream = self._looked_up(submissions, batch, regrade=since is not None)
        if not isinstance(submissions, Sequence):
            self._listener(BatchBegan(None, 0))
            return stream
        fresh = [each for each in stream if each is not None]
        known = len(submissions) - len(fresh)
        self._listener(BatchBegan(len(submissions), known))
        work = workload_of(self._gradable, self._book, self._builder, fresh, known=known, since=since)
        if fresh:
            self._listener(WorkPlanned(work))
        self._engine.expect(self._at_most(work))
        return work.longest_first(fresh)

    def _at_most(self, work: Workload) -> int:
        """How many jobs there are at a time: those of the questions by themselves where they may be judged so.

        A container for each slot takes longer to start than a submission's questions gain side by side.
        """
        in_parts = self._engine.parts > 1 and self._engine.environment.isolation != "container"
        return work.runs if in_parts else work.jobs

    def _looked_up(self, submissions: Stream, batch: Batch, *, regrade: bool) -> Iterator[Submission | None]:
        for some in _in_groups(submissions):
            known = {} if regrade else self._recalled([each for each in some if each])
            for each in some:
                if each and (grade := known.get(each.student)):
                    batch.grades.append(grade)
                    self._listener(SubmissionKnown(grade))
                else:
                    yield each

    def _recalled(self, submissions: Sequence[Submission]) -> dict[str, Grade]:
        """The known grades of submissions, each of another student, by student.

        An attempt of its own is recorded for one that counts again, since it was handed in again.
        """
        name = self._gradable.assignment.name
        before = self._book.counting_keys(name, (each.student for each in submissions)) if submissions else {}
        known = [each for each in submissions if printable(each.student) in before]
        works = [(each.student, self._builder.key(each), each) for each in known]
        grades = zip(known, self._book.recall_each(name, works) if works else (), strict=True)
        return {each.student: self._up_to_date(each, grade, before) for each, grade in grades if grade is not None}

    def _up_to_date(self, submission: Submission, known: Grade, before: Mapping[str, str]) -> Grade:
        """The grade with the times of the file as it was handed in now; `before` are the keys that counted before."""
        name, key, student = known.assignment, self._builder.key(submission), printable(submission.student)
        counted, is_newer = before.get(student), known.modified != submission.modified
        if counted not in (None, key) and is_newer and self._book.counting_keys(name, [student]).get(student) == key:
            known = msgspec.structs.replace(known, modified=submission.modified, file=submission.file)
            self._book.record(known, name, force=True, composed_of=self._digests(submission))
        return self._with_origin(known, submission)

    def _digests(self, submission: Submission) -> dict[str, str]:
        return {each.question: each.digest for each in self._builder.question_keys(submission)}

    def _with_origin(self, known: Grade, submission: Submission) -> Grade:
        """The grade with what the platform says now; an attempt of its own if that has changed."""
        if submission.origin in (None, known.origin):
            return known
        grade = msgspec.structs.replace(known, origin=submission.origin)
        self._book.record(grade, known.assignment, force=True, composed_of=self._digests(submission))
        return grade

    def _graded(self, stream: Stream, book: SharedGradebook, *, regrade: bool) -> list[Grade]:
        """Starts the engine when there is something to grade."""
        arrived = _from_the_first(stream)
        if arrived is None:
            return []
        rubric = ReferenceProof(self._gradable, self._engine, self._book, self._builder.keys).rubric(
            self._question, again=regrade
        )
        return Driver(self._gradable, self._engine, rubric, self._builder, book, self._listener).run(arrived)


def _from_the_first(stream: Stream) -> Stream | None:
    """The stream once a submission has arrived; None if it ends without one."""
    waiting = iter(stream)
    for submission in waiting:
        if submission is not None:
            return chain([submission], waiting)
        time.sleep(_LOOK_AGAIN_S)
    return None


def _in_groups(submissions: Stream) -> Iterator[Sequence[Submission | None]]:
    """A list in groups that are looked up together, in which no student is twice.

    Of any other stream, each by itself: nothing waits for others.
    """
    if not isinstance(submissions, Sequence):
        yield from ([each] for each in submissions)
        return
    group, students = list[Submission | None](), set[str]()
    for each in submissions:
        student = printable(each.student) if each else None
        if len(group) == _TOGETHER or student in students:
            yield group
            group, students = [], set()
        group.append(each)
        students |= {student} if student is not None else set()
    if group:
        yield group


def _in_order(grades: Sequence[Grade], submissions: Sequence[Submission | None]) -> list[Grade]:
    by_student = {grade.student: grade for grade in grades}
    return [by_student[each.student] for each in submissions if each is not None]
