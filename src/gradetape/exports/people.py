"""Whose a row of a platform's file is: by id, login or email, else by a name that only one row and one student have.

A name counts only where nothing else says that the row is somebody else's: another id of the same platform, or another
email address. An id counts where it is of the same kind: the platform's own ids are compared with ids of its own
submissions, and ids of the university with those of everything else. A login of GitHub says nothing about logins
elsewhere. Where the platform has said who somebody is, the displayed name is no id: on some, people choose it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from gradetape.exports.platform import FileRow, GradePlatform, PersonColumns, folded, place_of, tidied, value_at
from gradetape.records import MOODLE_USER, Origin
from gradetape.text import one_line

# These platforms' logins are not the university's.
_OWN_LOGINS = frozenset({"github"})
# The ids of these platforms are the university's; nbgrader's and JupyterHub's are logins.
_UNIVERSITY_IDS = frozenset({"gradescope"})
_OWN, _STUDENT, _LOGIN, _EMAIL, _NAME = _KINDS = ("own_ids", "student_ids", "logins", "emails", "names")


class ExportedScore(msgspec.Struct, frozen=True, kw_only=True):
    """What one student gets: points, or None with the reason why there are none; and a comment for the student."""

    student: str
    origin: Origin | None = None
    points: float | None = None
    reason: str = ""
    comment: str = ""


class Matching(msgspec.Struct, frozen=True):
    """The row of each student, by the student's name, and what is wrong, in sentences.

    `unmatched` are the students without a row, each with the reason.
    """

    rows: Mapping[str, FileRow]
    unmatched: Mapping[str, str]
    problems: tuple[str, ...] = ()

    def pairs(self, scores: Iterable[ExportedScore]) -> Iterator[tuple[ExportedScore, FileRow]]:
        """The students with points who have a row."""
        having = (each for each in scores if each.points is not None and each.student in self.rows)
        return ((each, self.rows[each.student]) for each in having)

    def left(self, scores: Iterable[ExportedScore]) -> Iterator[str]:
        """The students without points or without a row, and why."""
        for score in scores:
            if score.points is None:
                yield f"left as it is: {one_line(score.student)}: {score.reason}"
            elif score.student in self.unmatched:
                yield f"left out: {one_line(score.student)}: {self.unmatched[score.student]}"


def file_rows(platform: GradePlatform, rows: Sequence[Sequence[str]]) -> list[FileRow]:
    """The rows of a file that are students'."""
    places = _Places.of(platform.columns, rows[0])
    found = (_file_row(platform, places, row, number) for number, row in enumerate(rows[1:], start=2))
    return [row for row in found if platform.is_student(row)]


def doubled(rows: Sequence[FileRow]) -> Iterator[str]:
    """What is wrong with a file in which several rows have the same id, login or email."""
    index = RowIndex("", rows)
    told = set()
    for (kind, text), found in index.rows.items():
        numbers = tuple(row.number for row in found)
        if kind != _NAME and len(numbers) > 1 and numbers not in told:
            told.add(numbers)
            yield f"rows {' and '.join(map(str, numbers))} are both of {text!r}"


def matched(
    platform: GradePlatform, rows: Sequence[FileRow], scores: Sequence[ExportedScore], chosen: Mapping[str, str]
) -> Matching:
    """The row of each student; `chosen` are identifiers of rows by the names of students, and come first."""
    index = RowIndex(platform.layout, rows)
    shared = Counter(tidied(score.student) for score in scores)
    found, unmatched = dict[str, FileRow](), dict[str, str]()
    for score in scores:
        candidates, why = index.candidates(
            score, shared[tidied(score.student)] > 1, chosen.get(tidied(score.student), "")
        )
        if len(candidates) == 1:
            found[score.student] = candidates[0]
        else:
            unmatched[score.student] = why
    return Matching(found, unmatched, tuple(_taken_twice(found)))


class RowIndex:
    """The rows of a file by what students are recognised by; `layout` is that of submissions with the same own ids."""

    def __init__(self, layout: str, rows: Sequence[FileRow]) -> None:
        self._layout = layout
        self.rows: dict[tuple[str, str], list[FileRow]] = defaultdict(list)
        for row in rows:
            for kind in _KINDS:
                for text in dict.fromkeys(_key(kind, each) for each in getattr(row, kind)):
                    self.rows[kind, text].append(row)

    def candidates(self, score: ExportedScore, shared: bool, chosen: str) -> tuple[list[FileRow], str]:
        """The rows that may be the student's, and why it is not one row.

        With `shared`, several students have this name, so that it decides nothing. `chosen` is an identifier.
        """
        if chosen:
            return _said(self._of([(kind, chosen) for kind in _KINDS]), f"no row has {chosen!r}")
        named = self._of(self._identifiers(score))
        if named:
            possible = [row for row in named if not self._is_other(row, score.origin)]
            return _said(possible, f"row {named[0].number} has another id or email")
        same = self.rows.get((_NAME, _key(_NAME, score.student)), [])
        if same and (shared or all(self._is_other(row, score.origin) for row in same)):
            whose = "several students have that name" if shared else "its id or email is another one"
            return [], f"row {same[0].number} has the same name, but {whose}"
        return _said(same, "no row has this id, login, email or name")

    def _identifiers(self, score: ExportedScore) -> Iterator[tuple[str, str]]:
        origin = score.origin or Origin(layout="")
        yield from ((_EMAIL, origin.email), (_LOGIN, origin.email))
        if origin.layout == self._layout:
            yield _OWN, origin.id
        if not origin.has_own_id:
            yield _STUDENT, origin.id
        if origin.layout not in _OWN_LOGINS:
            yield _LOGIN, origin.login
        elif origin.layout == self._layout:
            yield _OWN, origin.login
        if not origin.known_by:
            yield from ((kind, score.student) for kind in (_OWN, _STUDENT, _LOGIN, _EMAIL))

    def _of(self, identifiers: Iterable[tuple[str, str]]) -> list[FileRow]:
        found = {row.number: row for kind, text in identifiers for row in self.rows.get((kind, _key(kind, text)), ())}
        return [found[number] for number in sorted(found)]

    def _is_other(self, row: FileRow, origin: Origin | None) -> bool:
        """Whether something says that the row is of somebody else: an id of the same platform, or an email."""
        if origin is None:
            return False
        own = origin.layout == self._layout and _differs(row.own_ids, origin.id)
        university = origin.layout in _UNIVERSITY_IDS and _differs(row.student_ids, origin.id)
        return own or university or _differs(row.emails, origin.email)


def _said(rows: list[FileRow], why: str) -> tuple[list[FileRow], str]:
    several = f"rows {', '.join(str(row.number) for row in rows)} could be meant"
    return rows, several if len(rows) > 1 else why


def _key(kind: str, text: str) -> str:
    return tidied(text) if kind == _NAME else folded(text)


def _differs(texts: Sequence[str], text: str) -> bool:
    """Whether a text is none of these; numbers of Moodle's users say nothing about numbers of participants."""
    alike = [each for each in texts if each.startswith(MOODLE_USER) == text.startswith(MOODLE_USER)]
    return bool(alike and text) and folded(text) not in map(folded, alike)


def _taken_twice(found: Mapping[str, FileRow]) -> Iterator[str]:
    students: dict[int, list[str]] = defaultdict(list)
    for student, row in found.items():
        students[row.number].append(student)
    for number, names in students.items():
        if len(names) > 1:
            yield f"row {number} would be of several students: {', '.join(names)}"


class _Places(NamedTuple):
    """Where in a row the columns are that say whose it is."""

    own_ids: tuple[int | None, ...]
    student_ids: tuple[int | None, ...]
    logins: tuple[int | None, ...]
    emails: tuple[int | None, ...]
    names: tuple[int | None, ...]

    @classmethod
    def of(cls, columns: PersonColumns, header: Sequence[str]) -> _Places:
        """The places under these headers; None for a column that the file does not have."""
        names = (columns.full_name, columns.first_name, columns.last_name)
        kinds = (columns.own_ids, columns.student_ids, columns.logins, columns.emails, names)
        return cls(*(tuple(place_of(header, each) for each in kind) for kind in kinds))


def _file_row(platform: GradePlatform, places: _Places, row: Sequence[str], number: int) -> FileRow:
    def values(kind: Iterable[int | None]) -> tuple[str, ...]:
        # Brightspace puts a number sign before ids and logins, so that spreadsheets leave them alone.
        return tuple(filter(None, (tidied(value_at(row, place)).removeprefix("#") for place in kind)))

    return FileRow(
        number=number,
        own_ids=tuple(each for text in values(places.own_ids) for each in platform.own_ids_of(text)),
        student_ids=values(places.student_ids),
        logins=values(places.logins),
        emails=values(places.emails),
        names=_names(platform, *(tidied(value_at(row, place)) for place in places.names)),
    )


def _names(platform: GradePlatform, full: str, first: str, last: str) -> tuple[str, ...]:
    before, comma, after = full.partition(", ")
    if comma and not first:
        first, last = after, before
    turned = (f"{first} {last}", f"{last}, {first}", f"{last} {first}") if first and last else ()
    more = platform.names_of(f"{last}, {first}" if turned else full)
    return tuple(dict.fromkeys(filter(None, (full, *turned, *more))))
