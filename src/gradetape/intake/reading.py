"""Reads the submissions at paths, one for each student."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import msgspec

from gradetape.errors import SubmissionError
from gradetape.intake import discovery, notebooks
from gradetape.intake.names import clean
from gradetape.records import Submission, Unreadable
from gradetape.text import one_line

ReadResult = Submission | Unreadable

Inode = tuple[int, int]  # its device and its number

_OWN = "This is a link to another file. Hand in the notebook itself."
_SHARED = "This file is shared with another submission, and was not graded. Hand in a copy of your own."
_DOUBLED = "Several files have this student's name, and none was graded. Tell your instructor which one is yours."


class _HardLinkError(Exception):
    """A file is also a file that no submission may be."""


def read(
    paths: Iterable[Path | str], *, assignment: str | None = None, secret: Iterable[Path] = ()
) -> list[ReadResult]:
    """The submissions at the paths, which are files or folders, one for each student.

    The latest of several attempts counts. `assignment` overrides the one that a notebook declares. A file that is the
    same as one in the files and folders of `secret` is not read. No content of a file or folder raises an exception.
    """
    found = discovery.find(Path(path) for path in paths)
    reader = _Reader(assignment, secret)
    results = [reader.result(entry, others) for entry, others in discovery.counting(found)]
    return _without_doubles(_without_shared(results, reader.linked))


def renamed(result: ReadResult, student: str) -> ReadResult:
    """The same file under another student's name."""
    return msgspec.structs.replace(result, student=clean(student))


class _Reader:
    """Reads files for one assignment; `linked` holds the inode of every file with several names, by its path."""

    def __init__(self, assignment: str | None, secret: Iterable[Path]) -> None:
        self._assignment = assignment
        self._secret = tuple(secret)
        self.linked: dict[str, Inode] = {}

    def result(self, entry: discovery.DiscoveredFile, others: list[discovery.DiscoveredFile]) -> ReadResult:
        """The submission in a file, with the names of the student's other files."""
        result = self._open(entry)
        if not others or isinstance(result, Unreadable):
            return result
        names = tuple(one_line(other.path.name) for other in others)
        note = f"{one_line(entry.path.name)} was graded; not graded: {', '.join(names)}."
        return msgspec.structs.replace(result, notes=(*result.notes, note), others=names)

    def _open(self, entry: discovery.DiscoveredFile) -> ReadResult:
        file, digest = os.fspath(entry.path), ""
        if entry.problem:
            return Unreadable(
                student=entry.student, file=file, sha256=digest, reason=entry.problem, for_student=entry.for_student
            )
        try:
            data = self._bytes(entry.path)
            digest = hashlib.sha256(data).hexdigest()
            parsed = notebooks.parse(entry.path.suffix, data)
        except _HardLinkError as problem:
            return _hard_linked(entry.student, file, str(problem))
        except SubmissionError as problem:
            return Unreadable(student=entry.student, file=file, sha256=digest, reason=str(problem))
        except Exception as problem:  # hostile bytes must not stop the other files
            reason = f"The file cannot be read ({type(problem).__name__}). {notebooks.SAVE_AGAIN}"
            return Unreadable(student=entry.student, file=file, sha256=digest, reason=reason)
        return Submission(
            student=entry.student,
            file=file,
            sha256=digest,
            assignment=self._assignment or parsed.assignment,
            cells=parsed.cells,
            notes=_notes(parsed, self._assignment),
            modified=_modified(entry.path),
            declared_assignment=parsed.assignment,
        )

    def _bytes(self, path: Path) -> bytes:
        """The bytes of a regular file of at most `MAX_BYTES`. A device, a pipe or a link is never opened."""
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                raise SubmissionError("This is not a regular file. Hand in the notebook itself.")
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
            with open(os.open(path, flags), "rb") as file:
                self._note_links(path, os.fstat(file.fileno()))
                data = file.read(notebooks.MAX_BYTES + 1)
        except OSError as problem:
            raise SubmissionError(f"The file cannot be opened: {problem.strerror}. Check its permissions.") from None
        if len(data) > notebooks.MAX_BYTES:
            raise SubmissionError(f"The file is larger than {notebooks.MAX_BYTES >> 20} MiB. {notebooks.CLEAR}")
        return data

    def _note_links(self, path: Path, found: os.stat_result) -> None:
        """Remembers a file with several names; raises _HardLinkError if one of them is a secret file's."""
        if found.st_nlink < 2:
            return
        inode = self.linked[os.fspath(path)] = (found.st_dev, found.st_ino)
        same = self._secret_inodes.get(inode)
        if same is not None and os.path.realpath(same) != os.path.realpath(path):
            raise _HardLinkError(f"It is a hard link to {one_line(os.fspath(same))}")

    @cached_property
    def _secret_inodes(self) -> dict[Inode, Path]:
        found = (file for place in self._secret for file in (place, *place.rglob("*")) if file.is_file())
        return {(file.stat().st_dev, file.stat().st_ino): file for file in found}


def _hard_linked(student: str, file: str, what: str) -> Unreadable:
    reason = f"{what}, and was not graded. Replace it by the student's own notebook."
    return Unreadable(student=student, file=file, sha256="", reason=reason, for_student=_OWN)


def _without_shared(results: list[ReadResult], linked: Mapping[str, Inode]) -> list[ReadResult]:
    """Two submissions that are one file are both refused: one of them could be a link to the other."""
    same: dict[Inode, list[str]] = {}
    for result in results:
        if result.file in linked and isinstance(result, Submission):
            same.setdefault(linked[result.file], []).append(result.file)
    shared = {file: files for files in same.values() if len(files) > 1 for file in files}
    return [_unless_shared(result, shared.get(result.file, [])) for result in results]


def _unless_shared(result: ReadResult, files: list[str]) -> ReadResult:
    if not files:
        return result
    names = " and ".join(map(one_line, files))
    reason = (
        f"{names} are one file with several names (hard links), and none was graded: one student may have linked to "
        "another's file. If each is the student's own, copy it over itself: cp FILE COPY && mv COPY FILE"
    )
    return Unreadable(
        student=result.student, file=result.file, sha256=result.sha256, reason=reason, for_student=_SHARED
    )


def _notes(parsed: notebooks.Parsed, assignment: str | None) -> tuple[str, ...]:
    if assignment and parsed.assignment and parsed.assignment != assignment:
        declared = f"The notebook declares the assignment {parsed.assignment}; it was graded as {assignment}."
        return (declared, *parsed.notes)
    return parsed.notes


def _modified(path: Path) -> str:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    except (OSError, OverflowError, ValueError):
        return ""


def _without_doubles(results: list[ReadResult]) -> list[ReadResult]:
    """Two files with one student's name are both refused: the grade could be the wrong person's."""
    same: dict[str, list[ReadResult]] = {}
    for result in results:
        same.setdefault(unicodedata.normalize("NFKC", result.student).casefold(), []).append(result)
    return [_unless_doubled(result, group) for group in same.values() for result in group]


def _unless_doubled(result: ReadResult, group: list[ReadResult]) -> ReadResult:
    if len(group) == 1 or isinstance(result, Unreadable):
        return result
    files = " and ".join(one_line(other.file) for other in group)
    reason = (
        f"{files} have the same student name, {result.student}, and none was graded. "
        "Rename one, or grade each by itself and name its student with --student."
    )
    return Unreadable(
        student=result.student, file=result.file, sha256=result.sha256, reason=reason, for_student=_DOUBLED
    )
