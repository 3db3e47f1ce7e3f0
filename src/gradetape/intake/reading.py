"""Reads the submissions at paths, one for each student."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gradetape.errors import SubmissionError
from gradetape.intake import discovery, notebooks
from gradetape.intake.names import clean
from gradetape.records import Submission, Unreadable
from gradetape.text import one_line

ReadResult = Submission | Unreadable

_DOUBLED = "Several files have this student's name, and none was graded. Tell your instructor which one is yours."


def read(paths: Iterable[Path | str], *, assignment: str | None = None) -> list[ReadResult]:
    """The submissions at the paths, which are files or folders, one for each student.

    The latest of several attempts counts. `assignment` overrides the one that a notebook declares. No content of a file
    or folder raises an exception.
    """
    found = discovery.find(Path(path) for path in paths)
    results = [_result(entry, others, assignment) for entry, others in discovery.counting(found)]
    return _without_doubles(results)


def renamed(result: ReadResult, student: str) -> ReadResult:
    """The same file under another student's name."""
    return msgspec.structs.replace(result, student=clean(student))


def _result(
    entry: discovery.DiscoveredFile, others: list[discovery.DiscoveredFile], assignment: str | None
) -> ReadResult:
    result = _open(entry, assignment)
    if not others or isinstance(result, Unreadable):
        return result
    names = tuple(one_line(other.path.name) for other in others)
    note = f"{one_line(entry.path.name)} was graded; not graded: {', '.join(names)}."
    return msgspec.structs.replace(result, notes=(*result.notes, note), others=names)


def _open(entry: discovery.DiscoveredFile, assignment: str | None) -> ReadResult:
    file, digest = os.fspath(entry.path), ""
    if entry.problem:
        return Unreadable(
            student=entry.student, file=file, sha256=digest, reason=entry.problem, for_student=entry.for_student
        )
    try:
        data = _bytes(entry.path)
        digest = hashlib.sha256(data).hexdigest()
        parsed = notebooks.parse(entry.path.suffix, data)
    except SubmissionError as problem:
        return Unreadable(student=entry.student, file=file, sha256=digest, reason=str(problem))
    except Exception as problem:  # hostile bytes must not stop the other files
        reason = f"The file cannot be read ({type(problem).__name__}). {notebooks.SAVE_AGAIN}"
        return Unreadable(student=entry.student, file=file, sha256=digest, reason=reason)
    return Submission(
        student=entry.student,
        file=file,
        sha256=digest,
        assignment=assignment or parsed.assignment,
        cells=parsed.cells,
        notes=_notes(parsed, assignment),
        modified=_modified(entry.path),
        declared_assignment=parsed.assignment,
    )


def _notes(parsed: notebooks.Parsed, assignment: str | None) -> tuple[str, ...]:
    if assignment and parsed.assignment and parsed.assignment != assignment:
        return (f"The notebook declares the assignment {parsed.assignment}; it was graded as {assignment}.",)
    return ()


def _modified(path: Path) -> str:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    except (OSError, OverflowError, ValueError):
        return ""


def _bytes(path: Path) -> bytes:
    """The bytes of a regular file of at most `MAX_BYTES`. A device or a pipe is never opened."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise SubmissionError("This is not a regular file. Hand in the notebook itself.")
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            data = file.read(notebooks.MAX_BYTES + 1)
    except OSError as problem:
        raise SubmissionError(f"The file cannot be opened: {problem.strerror}. Check its permissions.") from None
    if len(data) > notebooks.MAX_BYTES:
        raise SubmissionError(f"The file is larger than {notebooks.MAX_BYTES >> 20} MiB. {notebooks.CLEAR}")
    return data


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
