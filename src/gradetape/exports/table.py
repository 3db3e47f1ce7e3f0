"""The table of grades: a row for each student, and columns with a name and a type.

Text in a table is untrusted. The module that writes a table escapes it as its format needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import msgspec

from gradetape.records import FinalScore, Grade, NoSubmission, Question, Status, Unreadable
from gradetape.text import collation_key

Value = str | float | int | datetime | None


class ColumnKind(StrEnum):
    """The type of a column's values. In all columns but those of text, None is a missing value."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    TIME = "time"


class Column(msgspec.Struct, frozen=True):
    """A column of a table."""

    name: str
    kind: ColumnKind = ColumnKind.TEXT


class AssignmentSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One assignment in numbers; `attention` counts the submissions without a final grade.

    `mean` is the mean of the final grades in points, after overrides and late penalties where these are known; None if
    there are none. `no_submission` counts the students who have handed in nothing, as far as there is a class list;
    they are among the `students`, and in no mean.
    """

    assignment: str
    students: int
    attention: int
    mean: float | None
    max_points: float
    no_submission: int = 0


_ASSIGNMENT, _ID = Column("assignment"), Column("id")
STUDENT_COLUMNS = (
    Column("student"), Column("points", ColumnKind.NUMBER), Column("max_points", ColumnKind.NUMBER), Column("status"),
)  # fmt: skip
_FILE = (Column("file"), Column("sha256"))
_FINAL = (
    Column("handed_in", ColumnKind.TIME), Column("late_days", ColumnKind.INTEGER),
    Column("late_percent", ColumnKind.NUMBER), Column("overridden"), Column("final", ColumnKind.NUMBER),
)  # fmt: skip
_WAITING = Column("waiting", ColumnKind.NUMBER)
_KNOWN = {column.name: column for column in (_ASSIGNMENT, _ID, *STUDENT_COLUMNS, *_FILE, *_FINAL, _WAITING)}
_NO_SCORES: Mapping[str, FinalScore] = MappingProxyType({})


class GradeTable(msgspec.Struct, frozen=True):
    """A row for each student, with one value for each column.

    The columns are student, points, max_points, status, one for each question by its id, file and sha256. With final
    scores, as in every table that `gradetape export` writes, there are also handed_in, late_days, late_percent,
    overridden and final; all other columns hold the points as measured. A file that cannot be read has no points, nor
    has a person of the class list who has handed in nothing. Where an id of a student is known, the first column is id.
    A table of several assignments begins with the column assignment. Where an assignment has written questions, their
    columns follow those of the others, with what staff gave, and the last column is waiting: the points that wait
    for a person.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]

    @classmethod
    def of(
        cls, grades: Sequence[Grade], unreadable: Sequence[Unreadable], *, max_points: float,
        final_scores: Mapping[str, FinalScore] | None = None, no_submission: Sequence[NoSubmission] = (),
    ) -> GradeTable:  # fmt: skip
        """The table of one assignment, sorted by student.

        `max_points` is the assignment's, for students without a grade; `final_scores` are by student. `no_submission`
        are the students who have handed in nothing.
        """
        scores = final_scores or _NO_SCORES
        written = list(dict.fromkeys(each.question.id for score in scores.values() for each in score.written))
        ids = [question.id for question in questions_of(grades) if question.id not in written]
        rows = [_graded_row(grade, ids, written, scores.get(grade.student)) for grade in grades]
        rows += [_unreadable_row(entry, [*ids, *written], max_points) for entry in unreadable]
        rows += [_empty_row(person, [*ids, *written], max_points) for person in no_submission]
        columns = (*STUDENT_COLUMNS, *map(column_named, [*ids, *written]), *_FILE)
        if final_scores is not None:
            columns += _FINAL
            rows = [(*row, *_final_values(scores.get(str(row[0])), row[1])) for row in rows]
        if written:
            columns += (_WAITING,)
            rows = [(*row, _waiting(scores.get(str(row[0])))) for row in rows]
        origins = [*(grade.origin for grade in grades), *(entry.origin for entry in unreadable)]
        ids_of = [origin.id if origin else "" for origin in origins] + [person.id for person in no_submission]
        if any(ids_of):
            columns, rows = (_ID, *columns), [(each, *row) for each, row in zip(ids_of, rows, strict=True)]
        return cls(columns, tuple(rows)).by_student()

    def by_student(self) -> GradeTable:
        """The same rows sorted by student, as in a list of people."""
        place = self.names.index("student")
        return GradeTable(self.columns, tuple(sorted(self.rows, key=lambda row: collation_key(str(row[place])))))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    def records(self) -> list[dict[str, Value]]:
        """Each row as a mapping from the columns' names to its values."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]

    def numbers(self, name: str) -> list[float]:
        """The numbers in a column, without those that are missing."""
        place = self.names.index(name)
        return [float(value) for value in (row[place] for row in self.rows) if isinstance(value, int | float)]

    def summary(self, assignment: str) -> AssignmentSummary:
        """The numbers of one assignment's table."""
        status = self.names.index("status")
        final = GradeTable(self.columns, tuple(row for row in self.rows if row[status] == Status.GRADED.value))
        points = final.numbers("final" if "final" in self.names else "points")
        missing = sum(row[status] == Status.NO_SUBMISSION.value for row in self.rows)
        return AssignmentSummary(
            assignment=assignment,
            students=len(self.rows),
            attention=len(self.rows) - len(final.rows) - missing,
            mean=sum(points) / len(points) if points else None,
            max_points=max(self.numbers("max_points"), default=0.0),
            no_submission=missing,
        )


def column_named(name: str) -> Column:
    """The column of this name in a table of grades; any name that is not a standard one is a question's id."""
    return _KNOWN.get(name, Column(name, ColumnKind.NUMBER))


def questions_of(grades: Iterable[Grade]) -> list[Question]:
    """Every question that a grade has, in the order of the assignment."""
    return list({question.id: question for grade in grades for question in grade.questions}.values())


def merged(tables: Mapping[str, GradeTable]) -> GradeTable:
    """One table of several assignments, by their names, which the first column holds.

    All its numbers are floats, since a column may have integers in one assignment and fractions in another. A single
    table is returned unchanged.
    """
    if len(tables) == 1:
        return next(iter(tables.values()))
    found = dict.fromkeys(column for table in tables.values() for column in table.columns)
    first = [_ID] if _ID in found else []
    last = [column for column in (*_FILE, *_FINAL, _WAITING) if column in found]
    columns = first + [column for column in found if column not in (*first, *last)] + last
    rows = [
        (name, *(_as_float(record.get(column.name, _missing(column))) for column in columns))
        for name, table in tables.items()
        for record in table.records()
    ]
    return GradeTable((_ASSIGNMENT, *map(_of_floats, columns)), tuple(rows))


def _missing(column: Column) -> Value:
    return "" if column.kind is ColumnKind.TEXT else None


def _as_float(value: Value) -> Value:
    return float(value) if isinstance(value, int) else value


def _of_floats(column: Column) -> Column:
    return Column(column.name, ColumnKind.NUMBER) if column.kind is ColumnKind.INTEGER else column


def _graded_row(
    grade: Grade, question_ids: Iterable[str], written: Iterable[str], final_score: FinalScore | None
) -> tuple[Value, ...]:
    own = {question.id for question in grade.questions}
    points = [grade.earned(question_id) if question_id in own else None for question_id in question_ids]
    given = {each.question.id: each.points for each in final_score.written if not each.is_open} if final_score else {}
    most = final_score.most_points(grade) if final_score else grade.max_points
    points += map(given.get, written)
    return (grade.student, round(grade.points, 6), most, grade.status.value, *points, grade.file, grade.sha256)


def _waiting(final_score: FinalScore | None) -> Value:
    return final_score.waiting if final_score and final_score.written else None


def _unreadable_row(entry: Unreadable, question_ids: Iterable[str], max_points: float) -> tuple[Value, ...]:
    points = (None for _ in question_ids)
    return (entry.student, None, max_points, Status.UNREADABLE.value, *points, entry.file, entry.sha256)


def _empty_row(person: NoSubmission, question_ids: Iterable[str], max_points: float) -> tuple[Value, ...]:
    points = (None for _ in question_ids)
    return (person.student, None, max_points, Status.NO_SUBMISSION.value, *points, "", "")


def _final_values(final_score: FinalScore | None, measured: Value) -> tuple[Value, ...]:
    if final_score is None:
        return (None, None, 0.0, "", measured)
    handed_in = datetime.fromisoformat(final_score.handed_in) if final_score.handed_in else None
    overridden = " ".join(override.question for override in final_score.overrides)
    final = None if measured is None and not overridden and not final_score.final else final_score.final
    return (handed_in, final_score.late_days, final_score.late_percent, overridden, final)
