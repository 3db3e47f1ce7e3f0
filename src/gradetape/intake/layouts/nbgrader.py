"""nbgrader: `submitted/STUDENT/ASSIGNMENT/`, with `timestamp.txt`; and its exchange, `STUDENT+ASSIGNMENT+TIME/`.

The folder of a course is recognised by `submitted/` in it, a course's exchange by `inbound/`. Of several assignments,
the one that was asked for is taken, or the only one that the notebooks declare.
"""

from __future__ import annotations

import pwd
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from gradetape.intake.found import NOT_CERTAIN, DiscoveredFile, FolderEntry, Listing, is_folder, listed, of_person
from gradetape.intake.layouts.base import Recognised
from gradetape.intake.layouts.signatures import (
    EXCHANGE,
    NBGRADER_INBOUND,
    NBGRADER_STAMP,
    NBGRADER_SUBMITTED,
    names_a_platform,
)
from gradetape.intake.layouts.times import aware
from gradetape.intake.names import clean
from gradetape.records import Origin
from gradetape.text import few, one_line

_STAMP_BYTES = 200
_COURSE = ("source", "release", "autograded", "feedback", "gradebook.db", "nbgrader_config.py", "downloaded", "archive")
_STAFF = ("source", "release", "autograded")
_EXCHANGE = ("outbound", "feedback")
_NOT_OWN = (
    "The folder's name says that it is {student}'s, but it belongs to the user {owner} of this system. "
    "Ask both, and grade the file by itself with --student."
)


@dataclass(frozen=True)
class _Handed:
    """What a student handed in for one assignment, and when, if that is known."""

    entry: FolderEntry
    student: str
    assignment: str
    time: datetime | None


class Nbgrader:
    """nbgrader's folders of what was submitted, and its exchange."""

    name = "nbgrader"
    title = "nbgrader"
    names = "submitted/STUDENT/ASSIGNMENT/ or STUDENT+ASSIGNMENT+TIME/"
    explicit = True

    def recognise(self, listing: Listing, *, asked: bool = False) -> Recognised | None:
        """What was handed in, for one assignment."""
        for name, others in ((NBGRADER_SUBMITTED, _COURSE), (NBGRADER_INBOUND, _EXCHANGE)):
            inner = next((entry for entry in listing.folders if entry.name == name), None)
            if inner:
                found = self.recognise(Listing.of_folder(inner.path, listing.clues), asked=asked)
                used = {entry.path for entry in listing.entries if entry.name in (name, *others)}
                return found and replace(found, used=frozenset(used))
        if staff := [entry.name for entry in listing.folders if entry.name in _STAFF and entry.is_handed_in]:
            return Recognised.unclear(f"{few(staff)} is the course staff's there, and submitted/ is missing")
        handed, folders = _handed_in(listing, asked=asked)
        return _of_one_assignment(handed, folders, listing) if handed else None


def _handed_in(listing: Listing, *, asked: bool) -> tuple[list[_Handed], list[FolderEntry]]:
    """Everything that was handed in, and the folders that hold it; a student's folder may be empty."""
    exchange = [(entry, match) for entry in listing.folders if (match := EXCHANGE.fullmatch(entry.name))]
    if exchange:
        return [_exchanged(entry, match) for entry, match in exchange], [entry for entry, _ in exchange]
    students = [entry for entry in listing.folders if _is_students(entry)]
    handed = [each for entry in students for each in _of_student(entry)]
    certain = asked or listing.root_name == NBGRADER_SUBMITTED or any(each.time for each in handed)
    return (handed, students) if certain and any(each.time or each.entry.is_handed_in for each in handed) else ([], [])


def _is_students(entry: FolderEntry) -> bool:
    """Whether all that a folder holds is in the folders of assignments."""
    return not names_a_platform(entry.name, folder=True) and all(
        entry.steps(file) for file in entry.inside if file.rank
    )


def _exchanged(entry: FolderEntry, match: re.Match[str]) -> _Handed:
    time = _stamp(entry.path) or aware(match["time"].replace("_", ":"))
    return _Handed(entry, match["id"], match["assignment"], time)


def _of_student(student: FolderEntry) -> Iterator[_Handed]:
    try:
        inner = [FolderEntry(path) for path in listed(student.path) if is_folder(path)]
    except OSError:
        inner = []
    return (_Handed(entry, student.name, entry.name, _stamp(entry.path)) for entry in inner)


def _stamp(folder: Path) -> datetime | None:
    path = folder / NBGRADER_STAMP
    try:
        if path.is_symlink() or path.stat().st_size > _STAMP_BYTES:
            return None
        return aware(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def _of_one_assignment(handed: list[_Handed], folders: list[FolderEntry], listing: Listing) -> Recognised | None:
    names = {each.assignment for each in handed}
    asked = names & listing.assignments if len(names) > 1 else names
    if len(asked) != 1:
        which = few(map(one_line, sorted(names)))
        return Recognised.unclear(f"it holds several assignments ({which}): name the one to grade with --assignment")
    own = [each for each in handed if each.assignment in asked]
    owners = {each.entry.path.lstat().st_uid for each in own}
    files = [file for each in own for file in _files(each, check_owner=len(owners) > 1)]
    absent = [entry for entry in folders if not entry.inside and not EXCHANGE.fullmatch(entry.name)]
    files += [
        file for entry in absent for file in of_person(entry, entry.name, _person(entry.name), _origin(entry.name))
    ]
    return Recognised.of(files, (entry.path for entry in folders))


def _person(student: str) -> str:
    return f"nbgrader {clean(student)}"


def _origin(student: str, time: datetime | None = None) -> Origin:
    return Origin(layout="nbgrader", id=clean(student), login=clean(student), submitted=time)


def _files(handed: _Handed, *, check_owner: bool) -> list[DiscoveredFile]:
    """The files of one attempt; those of another user of the system are nobody's."""
    attempt = handed.time.astimezone(UTC).isoformat() if handed.time else ""
    origin = _origin(handed.student, handed.time)
    files = of_person(handed.entry, handed.student, _person(handed.student), origin, attempt)
    owner = _owner(handed.entry.path) if check_owner else ""
    if owner in ("", handed.student):
        return files
    problem = _NOT_OWN.format(student=one_line(handed.student), owner=one_line(owner))
    return [replace(files[0], path=handed.entry.path, person="", rank=0, problem=problem, for_student=NOT_CERTAIN)]


def _owner(folder: Path) -> str:
    """The user of this system who owns a folder; empty if the user has no name."""
    try:
        return pwd.getpwuid(folder.lstat().st_uid).pw_name
    except (KeyError, OSError):
        return ""
