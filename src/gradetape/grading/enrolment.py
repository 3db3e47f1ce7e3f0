"""Whose a submission is, by the class list: submissions get the names of its members, and others are refused.

A person is found by id, login or email, else by an exact name; `roster_map` decides where neither does. Nobody is
guessed: what matches nobody or several is listed with the nearest, and nothing is graded.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from gradetape.course.assignments import Course
from gradetape.errors import ConfigError, RequestError
from gradetape.exports import ClassList, ClassLookup, ClassMember, read_class_list
from gradetape.exports.platform import folded
from gradetape.grading.selection import Selection
from gradetape.records import Grade, NoSubmission, Origin, Submission, Unreadable
from gradetape.text import counted, did_you_mean, few, few_lines, one_line

_Record = TypeVar("_Record", Submission, Unreadable)
_NAME = 60
_PLAIN = "plain"


class Absences(msgspec.Struct, frozen=True):
    """Who of the class list has handed in nothing, and warnings in sentences."""

    people: tuple[NoSubmission, ...] = ()
    warnings: tuple[str, ...] = ()


class Enrolment:
    """A class list, and the table that decides where it does not."""

    def __init__(self, people: ClassList, chosen: Mapping[str, str]) -> None:
        self.people = people
        self._lookup = ClassLookup(people)
        self._chosen = chosen

    @classmethod
    def of(cls, course: Course) -> Enrolment | None:
        """What the configuration names; None without a class list. Raises ConfigError."""
        roster, table = course.config.roster, course.config.roster_map
        if roster is None:
            return None
        content = _content(course.root / roster, "roster")
        chosen = _chosen(_content(course.root / table, "roster_map"), str(table)) if table else {}
        return cls(read_class_list(content, str(roster)), chosen)

    def member(self, student: str, origin: Origin | None, said: str = "") -> tuple[ClassMember | None, str]:
        """The member that a submission is of, or None with the reason; `said` identifies one, whatever else does."""
        return self._lookup.member(student, origin, said or self.named(student, origin) or "")

    def named(self, student: str, origin: Origin | None) -> str | None:
        """What the table says of a submission: an empty text leaves it out, None is nothing."""
        texts = (student, *((origin.id, origin.login, origin.email) if origin else ()))
        return next((self._chosen[folded(text)] for text in texts if text and folded(text) in self._chosen), None)

    def nearest(self, student: str) -> str:
        """The member with the most similar name or id, as a sentence; empty if there is none."""
        names = {text for each in self.people.members for text in (each.student, each.id, each.login) if text}
        return did_you_mean(student, names)


def enrolled(enrolment: Enrolment, selection: Selection, student: str | None = None) -> Selection:
    """The submissions under the names of the class list, with what only it says of their people.

    `student` is who was named for the only submission. Raises RequestError, with every submission that is of nobody or
    several.
    """
    results = _all_of(selection)
    out = {id(each) for each in results if student is None and enrolment.named(each.student, each.origin) == ""}
    found = {id(each): enrolment.member(each.student, each.origin, student or "") for each in results}
    _refuse(enrolment, [each for each in results if id(each) not in out], found)
    unknown = [each for each in selection.unreadable if found[id(each)][0] is None and id(each) not in out]
    return msgspec.structs.replace(
        selection,
        submissions=tuple(_of(each, found[id(each)][0]) for each in selection.submissions if id(each) not in out),
        unreadable=tuple(_of(each, found[id(each)][0]) for each in selection.unreadable if id(each) not in out),
        warnings=(
            *selection.warnings, *_told("not in the class list, and without points anyway", unknown),
            *_told("left out, as roster_map says", [each for each in results if id(each) in out]),
        ),
    )  # fmt: skip


def refuse_contradictions(enrolment: Enrolment | None, listed: Selection, known: Selection) -> None:
    """Raises RequestError if the gradebook has an id under the name of another member than the class list has.

    `listed` has the names of the class list, `known` those that the gradebook has for the same submissions.
    """
    for one, other in zip(_all_of(listed), _all_of(known), strict=True):
        member = enrolment.member(other.student, None)[0] if enrolment and one.student != other.student else None
        if member is not None and member.student != one.student:
            raise RequestError(
                f"The gradebook has {_who(other)} as {one_line(member.student)!r}, and the class list as "
                f"{one_line(one.student)!r}. Correct the class list, or rename the student: gradetape rename student"
            )


def absences(enrolment: Enrolment | None, records: Iterable[Grade | Unreadable], assignment: str) -> Absences:
    """Who has no submission among these records, and whom of the gradebook the class list does not know."""
    if enrolment is None:
        return Absences()
    having, strangers = defaultdict[str, list[str]](list), list[str]()
    for record in records:
        member, _ = enrolment.member(record.student, record.origin)
        if member is None:
            strangers.append(one_line(record.student, _NAME))
        else:
            having[member.student].append(one_line(record.student, _NAME))
    people = [each.without_submission for each in enrolment.people.members if each.student not in having]
    return Absences(tuple(people), tuple(_warnings(strangers, having.values(), assignment)))


def _warnings(strangers: Sequence[str], groups: Iterable[Sequence[str]], assignment: str) -> Iterator[str]:
    advice = "Rename with: gradetape rename student OLD NEW"
    if strangers:
        yield f"{assignment} has students who are not in the class list: {few(strangers)}. {advice}"
    for names in groups:
        if len(names) > 1:
            yield f"{assignment} has one person of the class list under several names: {few(names)}. {advice}"


def _all_of(selection: Selection) -> list[Submission | Unreadable]:
    return [*selection.submissions, *selection.unreadable]


def _of(record: _Record, member: ClassMember | None) -> _Record:
    if member is None:
        return record
    origin = member.known_to(record.origin or Origin(layout=_PLAIN))
    return msgspec.structs.replace(record, student=member.student, origin=origin)


def _told(what: str, records: Sequence[Submission | Unreadable]) -> Iterator[str]:
    if records:
        yield f"{what}: {few(one_line(each.student, _NAME) for each in records)}"


def _refuse(
    enrolment: Enrolment, records: Sequence[Submission | Unreadable],
    found: Mapping[int, tuple[ClassMember | None, str]],
) -> None:  # fmt: skip
    """Raises RequestError if a submission is of nobody or several, or if one person has several."""
    unclear = [
        f"{_who(each)}: {found[id(each)][1]}.{enrolment.nearest(each.student)}"
        for each in records
        if found[id(each)][0] is None and isinstance(each, Submission)
    ]
    members = Counter(member.student for each in records if (member := found[id(each)][0]) is not None)
    for student, count in members.items():
        if count > 1:
            own = [_who(each) for each in records if (it := found[id(each)][0]) is not None and it.student == student]
            unclear.append(f"{', '.join(own)}: all are of {student}")
    if unclear:
        raise RequestError("\n".join([
            f"The class list {enrolment.people.name} does not say whose {counted(len(unclear), 'submission')} "
            f"{'is' if len(unclear) == 1 else 'are'}, and nothing was graded:",
            *few_lines(unclear),
            "Correct the class list, or decide in a CSV file with the columns submission and student, which roster_map "
            "in grader_config.yml or --roster-map names. Leave student empty to leave a submission out.",
        ]))  # fmt: skip


def _who(record: Submission | Unreadable) -> str:
    known = record.origin.known_by if record.origin else ""
    return f"{one_line(record.student, _NAME)}{f' ({one_line(known, _NAME)})' if known else ''}"


def _content(path: Path, key: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}, which {key} names, cannot be read: {error.strerror}. Put the file there, or correct the path: "
            "in grader_config.yml it is relative to the course's folder, in an option to the working directory."
        ) from None


def _chosen(content: bytes, name: str) -> dict[str, str]:
    """The students by the names of submissions; raises ConfigError."""
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{name} cannot be read as a CSV file: {error}. Save it as CSV, in UTF-8.") from None
    found: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        submission, student = (row.get(column) for column in ("submission", "student"))
        if submission is None or student is None:
            raise ConfigError(f"{name}, row {number}: write the columns submission and student, separated by a comma.")
        if found.setdefault(folded(submission), student.strip()) != student.strip():
            raise ConfigError(f"{name}, row {number}: {submission!r} is there already, with another student. Keep one.")
    return found
