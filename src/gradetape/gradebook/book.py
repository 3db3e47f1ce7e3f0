"""The gradebook: one transaction for each thing that is recorded or read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from gradetape.errors import GradebookError
from gradetape.gradebook import attempts, claims, measured, overrides, question_results, students, written
from gradetape.gradebook.attempts import NewAttempt
from gradetape.gradebook.claims import Grader
from gradetape.gradebook.connect import engine_of, explained, locate
from gradetape.gradebook.measured import Measured
from gradetape.gradebook.merging import MergeReport, merge
from gradetape.gradebook.notes import Notes
from gradetape.gradebook.other_books import KnownPerson, OtherBook, known_people
from gradetape.gradebook.question_results import QuestionResult
from gradetape.gradebook.schema import prepare, queue_behind_other_writers
from gradetape.gradebook.stored_text import record_of, text_of
from gradetape.gradebook.tables import ATTEMPTS
from gradetape.gradebook.written import KeptAnswer
from gradetape.records import AuditEntry, Grade, Mark, Override, PointsChange, Status, Submission, Unreadable
from gradetape.text import one_line, printable

_Record = TypeVar("_Record", Grade, Unreadable)
_OF_NOTHING: Mapping[str, str] = MappingProxyType({})


class Gradebook:
    """Grades and unreadable files, each recorded completely or not at all; every method raises GradebookError.

    A context manager; create it with `Gradebook.open`. `migrated` describes the migration of an older layout, or is
    empty. Large because it is the only door to the database: each operation is one short method and one transaction,
    and the statements are in `attempts`, `question_results`, `claims`, `overrides`, `written` and `students`.
    """

    def __init__(self, engine: sa.Engine, place: str) -> None:
        self._engine = engine
        self._place = place
        self.migrated = ""

    @classmethod
    def open(cls, url_or_path: str | Path, *, busy_s: float = 10.0) -> Self:
        """Open the SQLite file at a path or the database at a URL; create its tables, or migrate an older layout.

        `busy_s` is how many seconds to wait for another program that is writing to the SQLite file.
        """
        url, place = locate(url_or_path)
        book = cls(engine_of(url, place, busy_s), place)
        try:
            book._prepare()
        except BaseException:
            book.close()
            raise
        return book

    def close(self) -> None:
        """Close the connections to the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def grader(self) -> Grader:
        """This process as a grader that claims work; attempts and results recorded from now on are newer than it."""
        with self._transaction() as connection:
            newest = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(ATTEMPTS.c.id), 0))) or 0
            return Grader.here(newest, question_results.last(connection))

    def claim(self, grader: Grader, assignment: str, student: str, key: str, *, again: bool = False) -> Grade | Grader:
        """Claim a submission so that no other grader judges it; return `grader`, or the other grader, or the grade.

        `grader` is returned if it now has the claim, the other grader if that one has it. A grade is returned, and
        counts again, if it is a done grade under the key (with `again` only if it is newer than `grader`), or whatever
        else another grader recorded under the key since `grader` was created.
        """
        [found] = self.claim_each(grader, assignment, [(student, key)], again=again)
        return found

    def claim_each(
        self, grader: Grader, assignment: str, works: Iterable[tuple[str, str]], *, again: bool = False
    ) -> list[Grade | Grader]:  # fmt: skip
        """Claim several submissions, by student and key, in one transaction; see `claim`."""
        assignment, named = printable(assignment), [(printable(student), key) for student, key in works]
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            known = attempts.settled(connection, assignment, [key for _, key in named], grader.since, again)
            settled = {work: known[work] for work in named if work in known}
            for (student, _), row in settled.items():
                attempts.make_current(connection, assignment, student, row.id)
            left = dict.fromkeys(work for work in named if work not in settled)
            others = claims.owners(connection, assignment, [key for _, key in left], grader)
            claims.take(connection, assignment, [work for work in left if work not in others], grader)
        return [self._grade(settled[work]) if work in settled else others.get(work, grader) for work in named]

    def heartbeat(self, grader: Grader) -> None:
        """Renew the claims of a grader; without a heartbeat, other graders take them over after a while."""
        with self._transaction() as connection:
            claims.heartbeat(connection, grader)

    def release(self, grader: Grader) -> None:
        """Release every claim of a grader."""
        with self._transaction() as connection:
            claims.release(connection, grader)

    def record(
        self, record: Grade | Unreadable, assignment: str, *, force: bool = False, grader: Grader | None = None,
        results: Sequence[QuestionResult] = (), composed_of: Mapping[str, str] = _OF_NOTHING,
    ) -> bool:  # fmt: skip
        """Add an attempt; return False if nothing was added.

        It then counts for its student, unless the one that counts is another file that was handed in later. Nothing is
        added if the student has a done grade under the same key, which then counts again in the same way, or if the
        same unreadable file counts already. With `force` the attempt is added nevertheless, unless the done grade is
        newer than `grader`. The grader's claim is released in the same transaction.

        `results` are the questions that were judged for it, which are added too, `composed_of` the digests of all
        results that it is composed of, by question.
        """
        new = NewAttempt(record, results, composed_of)
        return self.record_each([new], assignment, force=force, grader=grader) == [True]

    def record_each(
        self, new: Sequence[NewAttempt], assignment: str, *, force: bool = False, grader: Grader | None = None
    ) -> list[bool]:
        """Add several attempts in one transaction, all or none; see `record`."""
        rows = [attempts.row(each.record, assignment) for each in new]
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            if grader is not None:
                claims.release_some(connection, rows, grader)
            since = grader.since_result if force and grader else None
            question_results.add(connection, assignment, [each.results for each in new], since)
            ids = [_added(connection, row, force, grader) for row in rows]
            added = {number: each for number, each in zip(ids, new, strict=True) if number is not None}
            attempts.add_checks(connection, {number: each.record for number, each in added.items()})
            question_results.link(connection, {number: each.composed_of for number, each in added.items()})
        return [number is not None for number in ids]

    def recall(self, assignment: str, student: str, key: str) -> Grade | None:
        """The student's done grade under a key, None if there is none; it then counts again, see `recall_each`."""
        return self.recall_each(assignment, [(student, key, None)])[0]

    def recall_each(
        self, assignment: str, works: Sequence[tuple[str, str, Submission | None]]
    ) -> list[Grade | None]:  # fmt: skip
        """The done grades of students under keys, None where there is none; each student is named once.

        A grade then counts again, unless the one that counts is another file that was handed in later than the
        submission, by default than the grade's own. A batch uses it to skip what is graded already: a student may
        submit an older version again, and an instructor may revert a change of the checks.
        """
        assignment, named = printable(assignment), [(printable(student), key) for student, key, _ in works]
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            done = attempts.done_each(connection, assignment, (key for _, key in named))
            for (student, key), (_, _, submission) in zip(named, works, strict=True):
                row = done.get((student, key))
                if row is not None and not row.current:
                    now = None if submission is None else text_of(submission)
                    attempts.make_current(connection, assignment, student, row.id, now)
        return [self._grade(done[work]) if work in done else None for work in named]

    def counting_keys(self, assignment: str, students: Iterable[str]) -> dict[str, str]:
        """The keys of the attempts that count, by student as the gradebook writes the name."""
        with self._transaction() as connection:
            return attempts.counting_keys(connection, printable(assignment), map(printable, students))

    def file_record(self, assignment: str, student: str, sha256: str) -> Mapping[str, Any] | None:
        """The newest record of a student's file, as it is stored; None if there is none."""
        rows = self._read(attempts.of_file(printable(assignment), printable(student), sha256))
        return json.loads(rows[0].record) if rows else None

    def question_results(self, digests: Iterable[str], newer_than: int = 0) -> dict[str, QuestionResult]:
        """The newest result under each of these digests, where there is one with an id above `newer_than`."""
        with self._transaction() as connection:
            found = question_results.newest(connection, digests)
        return {digest: result for digest, result in found.items() if result.id > newer_than}

    def has_results(self, digests: Iterable[str], newer_than: int = 0) -> set[str]:
        """Those of these digests under which there is a result, not a damaged one, with an id above `newer_than`."""
        with self._transaction() as connection:
            found = question_results.usable_ids(connection, digests)
        return {digest for digest, number in found.items() if number > newer_than}

    def measured(self, assignment: str) -> dict[str, Measured]:
        """The points that count, by student and question."""
        with self._transaction() as connection:
            return measured.current(connection, assignment)

    def changes(self, assignment: str) -> list[PointsChange]:
        """The questions for which a student's file got other points than in the attempt before."""
        with self._transaction() as connection:
            return measured.changes(connection, assignment)

    def is_done(self, assignment: str, student: str, key: str) -> bool:
        """Whether the student has a done grade under a key."""
        return bool(self._read(attempts.done(printable(assignment), printable(student), key)))

    def composition(self, assignment: str) -> dict[str, dict[str, QuestionResult]]:
        """The question results of which the grades that count are composed, by student and question."""
        with self._transaction() as connection:
            return question_results.of_attempts(connection, assignment)

    def keep(self, assignment: str, results: Sequence[QuestionResult]) -> None:
        """Adds question results that belong to no student: those of the reference solution."""
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            question_results.add(connection, assignment, [results], None)

    def counting(self, assignment: str) -> list[Grade | Unreadable]:
        """What counts for each student of an assignment: a grade, or a file that cannot be read."""
        return [*self.latest(assignment), *self.unreadable(assignment)]

    def assignments(self) -> list[str]:
        """The names of the assignments that have an attempt."""
        names = sa.select(ATTEMPTS.c.assignment).distinct().order_by("assignment")
        return [row.assignment for row in self._read(names)]

    def latest(self, assignment: str) -> list[Grade]:
        """The grades that count, by student; a student whose last file is unreadable has none."""
        rows = self._read(attempts.current(assignment).where(ATTEMPTS.c.status != Status.UNREADABLE))
        return [self._grade(row) for row in rows]

    def unreadable(self, assignment: str) -> list[Unreadable]:
        """The unreadable files of students who have not submitted a readable one since."""
        rows = self._read(attempts.current(assignment).where(ATTEMPTS.c.status == Status.UNREADABLE))
        return [self._decoded(row, Unreadable) for row in rows]

    def override(self, assignment: str, *given: Override) -> None:
        """Override the points of questions or checks, now and in later attempts; measured results do not change."""
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            for override in given:
                overrides.add(connection, assignment, override)

    def undo_override(self, assignment: str, student: str, question: str, by: str) -> Override | None:
        """Undo the override in force for a question and return it; the one before it is in force again."""
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            return overrides.undo(connection, assignment, student, question, by)

    def overrides(self, assignment: str, student: str | None = None) -> list[Override]:
        """Every override ever given, oldest first; of those not undone, the newest of a question counts."""
        return overrides.read(self._read(overrides.history(assignment, student)))

    def keep_answers(self, assignment: str, answers: Iterable[KeptAnswer]) -> None:
        """Add the answers of files to written questions, or replace those of the same files."""
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            written.keep(connection, assignment, answers)

    def answers(self, assignment: str) -> list[KeptAnswer]:
        """The answers of all files to written questions, without what is in them."""
        return list(map(written.kept, self._read(written.brief(assignment))))

    def answered(self, student: str) -> list[str]:
        """The assignments with answers of a student, which are kept before the file is graded."""
        return [row.assignment for row in self._read(written.assignments_of(student))]

    def answer(self, assignment: str, student: str, sha256: str, question: str) -> KeptAnswer | None:
        """The answer of a file to a written question; None if it has no cell for one."""
        rows = self._read(written.whole(assignment, student, sha256, question))
        return written.kept(rows[0]) if rows else None

    def mark(self, assignment: str, given: Mark) -> None:
        """Add a mark for a written answer, which is in force until it is undone or a newer one replaces it."""
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            written.mark(connection, assignment, given)

    def undo_mark(self, assignment: str, student: str, question: str, by: str) -> Mark | None:
        """Undo the mark in force for a question and return it; the one before it is in force again."""
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            return written.undo(connection, assignment, student, question, by)

    def marks(self, assignment: str) -> list[Mark]:
        """Every mark ever given, oldest first; of those not undone, the newest of a question counts."""
        return list(map(written.as_mark, self._read(written.history(assignment))))

    @property
    def notes(self) -> Notes:
        """What people wrote about results."""
        return Notes(self._transaction)

    def rename_student(self, old: str, new: str, by: str) -> AuditEntry:
        """Give a student another name in everything that was ever recorded, and note who did."""
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            self._refuse_claimed(connection, old)
            return students.rename(connection, old, new, by)

    def forget_student(self, student: str, by: str) -> AuditEntry:
        """Remove a student with everything that was ever recorded, and note who did, without the name.

        A SQLite file then no longer holds the removed bytes; raises GradebookError if another program prevents that.
        """
        with self._transaction() as connection:
            students.overwrite_removed(connection)
            queue_behind_other_writers(connection)
            self._refuse_claimed(connection, student)
            entry = students.forget(connection, student, by)
        try:
            students.compact(self._engine)
        except SQLAlchemyError as error:
            raise GradebookError(
                f"The student was removed from the gradebook {self._place}, but another program has it open, so that "
                "the file can still hold removed text. Close that program, then run: gradetape audit --compact"
            ) from error
        return entry

    def compact(self) -> None:
        """Remove from a SQLite file what rows that are gone have left in it."""
        try:
            students.compact(self._engine)
        except SQLAlchemyError as error:
            raise GradebookError(explained(error, self._place)) from error

    def naming(self, texts: Iterable[str]) -> set[str]:
        """The students whose file could not be read for a reason that has one of these names or paths in it."""
        rows = self._read(sa.select(ATTEMPTS).where(ATTEMPTS.c.status == Status.UNREADABLE))
        return students.naming([self._decoded(row, Unreadable) for row in rows], texts)

    def audit(self) -> list[AuditEntry]:
        """Every student who was renamed or removed, oldest first."""
        return students.read(self._read(students.history()))

    def _refuse_claimed(self, connection: sa.Connection, student: str) -> None:
        if (other := claims.of_student(connection, printable(student))) is not None:
            raise GradebookError(
                f"A submission of this student is being graded by process {other.pid} on {other.host}. Wait until it "
                "ends, then run the command again."
            )

    def unsettled(self, assignment: str) -> int:
        """How many students have a grade that needs attention or a file that cannot be read."""
        return len(self._read(attempts.unsettled(assignment)))

    def people(self, assignment: str) -> list[KnownPerson]:
        """The students of an assignment, as the attempts that count name them."""
        return known_people(self._read(attempts.current(assignment)))

    def merge(self, others: Sequence[Gradebook], names: Sequence[Mapping[tuple[str, str], str]]) -> MergeReport:
        """Add what other gradebooks hold; nothing is added twice.

        `names` has for each of them the students whose name is another one here, by assignment and name.
        """
        books = [OtherBook(other._place, other._read, found) for other, found in zip(others, names, strict=True)]
        with self._transaction() as connection:
            queue_behind_other_writers(connection)
            return merge(connection, self._place, books)

    def _prepare(self) -> None:
        with self._transaction() as connection:
            self.migrated = prepare(connection, self._place)

    def _read(self, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        with self._transaction() as connection:
            return list(connection.execute(query))

    def _grade(self, row: sa.Row[Any]) -> Grade:
        return self._decoded(row, Grade)

    def _decoded(self, row: sa.Row[Any], kind: type[_Record]) -> _Record:
        try:
            return record_of(row.record, kind)
        except (ValueError, msgspec.ValidationError) as error:
            where = f"{one_line(row.student)}, {one_line(row.file)}"
            raise GradebookError(
                f"Entry {row.id} of the gradebook {self._place} ({where}) cannot be read: {error}. "
                "Restore the gradebook from a backup, or remove that entry and grade the file again."
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise GradebookError(explained(error, self._place)) from error


def _added(connection: sa.Connection, row: dict[str, Any], force: bool, grader: Grader | None) -> int | None:
    """Adds an attempt, and returns its id; None if nothing is added; see `Gradebook.record`."""
    last = attempts.last_number(connection, row["assignment"], row["student"])
    if last and not (force and grader is None):
        known = attempts.known(connection, row, grader.since if force and grader else 0)
        if known is not None:
            attempts.make_current(connection, row["assignment"], row["student"], known, row["record"])
            return None
    return attempts.add(connection, row, last)
