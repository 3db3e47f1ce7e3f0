"""Notebooks, scripts, otter's zips and LMS downloads become Submissions: cells as text, and nothing is run.

`roster` says which files there are and whose, `cells` what is in one. Whatever a file holds, the outcome is a value:
a Submission, or an Unreadable with the reason in words and the next step.
"""

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
from gradetape.intake.discovery import passed_over
from gradetape.intake.names import clean
from gradetape.intake.notebooks import cells_of
from gradetape.records import Submission, Unreadable
from gradetape.text import one_line

__all__ = ["cells_of", "passed_over", "read", "renamed", "script"]

Outcome = Submission | Unreadable

_DOUBLED = "More than one file leads to this name, and none was graded. Tell your instructor which one is yours."


def read(paths: Iterable[Path | str], *, assignment: str | None = None) -> list[Outcome]:
    """The submissions at the paths, which may be files or folders of them, one for each student.

    Of several attempts the latest counts. `assignment` overrides what a notebook says of itself. Never raises for
    what a file or a folder holds.
    """
    found = discovery.find(Path(path) for path in paths)
    outcomes = [_counting(entry, others, assignment) for entry, others in discovery.counting(found)]
    return _without_doubles(outcomes)


def renamed(outcome: Outcome, student: str) -> Outcome:
    """The same file as another student's, by a name that a person gave."""
    return msgspec.structs.replace(outcome, student=clean(student))


def script(student: str, text: str, *, assignment: str | None) -> Submission:
    """A Submission made from Python source, split at its `# %%` lines. Raises SubmissionError."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Submission(student=student, file=f"{student}.py", sha256=digest, assignment=assignment, cells=cells_of(text))


def _counting(
    entry: discovery.DiscoveredFile, others: list[discovery.DiscoveredFile], assignment: str | None
) -> Outcome:
    outcome = _open(entry, assignment)
    if not others or isinstance(outcome, Unreadable):
        return outcome
    names = tuple(one_line(other.path.name) for other in others)
    note = f"{one_line(entry.path.name)} counts; not graded: {', '.join(names)}."
    return msgspec.structs.replace(outcome, notes=(*outcome.notes, note), others=names)


def _open(entry: discovery.DiscoveredFile, assignment: str | None) -> Outcome:
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
    except Exception as problem:  # whatever else a parser makes of hostile bytes is about this file alone
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
        return (f"The notebook says that it belongs to {parsed.assignment}; it was graded as {assignment}.",)
    return ()


def _modified(path: Path) -> str:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    except (OSError, OverflowError, ValueError):
        return ""


def _bytes(path: Path) -> bytes:
    """A regular file's bytes, at most the cap. A device or a pipe is never opened."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise SubmissionError("This is no ordinary file. Hand in the notebook itself.")
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            data = file.read(notebooks.MAX_BYTES + 1)
    except OSError as problem:
        raise SubmissionError(f"The file cannot be opened: {problem.strerror}. Look at its permissions.") from None
    if len(data) > notebooks.MAX_BYTES:
        raise SubmissionError(f"The file is larger than {notebooks.MAX_BYTES >> 20} MiB. {notebooks.CLEAR}")
    return data


def _without_doubles(outcomes: list[Outcome]) -> list[Outcome]:
    """No grade where two files lead to one name: it could be the wrong person's."""
    same: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        same.setdefault(unicodedata.normalize("NFKC", outcome.student).casefold(), []).append(outcome)
    return [_unless_doubled(outcome, group) for group in same.values() for outcome in group]


def _unless_doubled(outcome: Outcome, group: list[Outcome]) -> Outcome:
    if len(group) == 1 or isinstance(outcome, Unreadable):
        return outcome
    files = " and ".join(one_line(other.file) for other in group)
    reason = (
        f"{files} lead to the same student, {outcome.student}, and none was graded. "
        "Rename one, or grade each by itself and name its student with --student."
    )
    return Unreadable(
        student=outcome.student, file=outcome.file, sha256=outcome.sha256, reason=reason, for_student=_DOUBLED
    )
