"""Reads the submissions at paths, one for each student."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import msgspec

from gradetape.errors import SubmissionError
from gradetape.intake import discovery, notebooks
from gradetape.intake.choosing import FileChoice, choose, people
from gradetape.intake.found import NOT_CERTAIN, Clues, DiscoveredFile
from gradetape.intake.names import alike, clean
from gradetape.intake.unpacking import DownloadRefusedError, Unpacked, unpacked
from gradetape.records import Submission, Unreadable
from gradetape.text import few, one_line

ReadResult = Submission | Unreadable

Inode = tuple[int, int]  # its device and its number

_OWN = "This is a link to another file. Hand in the notebook itself."
_SHARED = "This file is shared with another submission, and was not graded. Hand in a copy of your own."
_MARK = 40
_FEW = 5
_NAME = 100
_DOUBLED = "Several files have this student's name, and none was graded. Tell your instructor which one is yours."


class _HardLinkError(Exception):
    """A file is also a file that no submission may be."""


@dataclass(frozen=True)
class Intake:
    """What was handed in, one result for each student, and the title of the layout; empty if only files were passed.

    `of_platform` says whether it is a platform's download, recognised or refused, and no plain folder. `attempts`
    counts all attempts, also those that do not count. `problem` says why it is not certain who owns the files; then
    nothing may be graded. `passed_over` are the entries of the folder that are no submissions.
    """

    results: tuple[ReadResult, ...]
    title: str = ""
    of_platform: bool = False
    attempts: int = 0
    problem: str = ""
    passed_over: tuple[Path, ...] = ()


def take_in(
    paths: Iterable[Path | str],
    *,
    assignment: str | None = None,
    layout: str | None = None,
    secret: Iterable[Path] = (),
) -> Intake:
    """The submissions at the paths, which are files or folders, one for each student.

    `assignment` overrides the one that a notebook declares, `layout` the layout that the folder is recognised as. A
    file that is the same as one in the files and folders of `secret` is not read. No content of a file or folder raises
    an exception.
    """
    asked = [Path(path) for path in paths]
    try:
        with unpacked(asked, asked=layout is not None) as download:
            inner = _Reader(assignment, secret).take_in(list(download.paths), layout) if download else None
            if download and inner and (inner.of_platform or layout is not None or asked != _zips(asked)):
                return _shown(inner, download)
    except DownloadRefusedError as error:
        return replace(_Reader(assignment, secret).take_in(asked, layout), problem=str(error))
    return _Reader(assignment, secret).take_in(asked, layout)


def _zips(paths: list[Path]) -> list[Path]:
    """Those that are files; a path that leads into a zip is none."""
    return [path for path in paths if path.is_file()]


def _shown(inner: Intake, download: Unpacked) -> Intake:
    """What was read from a zip, under the names that it has there."""
    results = tuple(_renamed_file(result, download) for result in inner.results)
    return replace(inner, results=results, problem=download.shown(inner.problem))


def _renamed_file(result: ReadResult, download: Unpacked) -> ReadResult:
    file = download.shown(result.file)
    if isinstance(result, Submission):
        return msgspec.structs.replace(result, file=file)
    return msgspec.structs.replace(result, file=file, reason=download.shown(result.reason))


def read(
    paths: Iterable[Path | str], *, assignment: str | None = None, secret: Iterable[Path] = ()
) -> list[ReadResult]:
    """The results of `take_in`, also where it is not certain who owns the files."""
    return list(take_in(paths, assignment=assignment, secret=secret).results)


def renamed(result: ReadResult, student: str) -> ReadResult:
    """The same file under another student's name."""
    return msgspec.structs.replace(result, student=clean(student))


class _Reader:
    """Reads files for one assignment; `linked` holds the inode of every file with several names, by its path."""

    def __init__(self, assignment: str | None, secret: Iterable[Path]) -> None:
        self._assignment = assignment
        self._secret = tuple(secret)
        self.linked: dict[str, Inode] = {}

    def take_in(self, paths: list[Path], layout: str | None) -> Intake:
        """Everything at the paths."""
        found = discovery.find(paths, Clues(self._assignment, self.declared, self.content_of), layout)
        chosen = [choose(files, self.declared, self.content_of, self._assignment) for files in people(found.files)]
        read = _without_shared([self.result(choice) for choice in chosen], self.linked)
        used = (*found.used, *(file.path for file in found.files))
        return Intake(
            results=tuple(_without_doubles(_told_apart(_without_shared_ids(read)))), title=found.title,
            of_platform=found.of_platform, attempts=sum(choice.attempts for choice in chosen), problem=found.problem,
            passed_over=tuple(discovery.passed_over(paths[0], used)) if len(paths) == 1 else (),
        )  # fmt: skip

    def declared(self, path: Path) -> str | None:
        """The assignment that a file declares; None if it declares none or cannot be read."""
        try:
            return notebooks.parse(path.suffix, self._bytes(path)).assignment
        except Exception:  # the reason is reported when the file is read as a submission
            return None

    def content_of(self, path: Path) -> str:
        """A digest of the notebook in a file or of its bytes, whatever its suffix; empty if it cannot be read."""
        try:
            return hashlib.sha256(notebooks.content(path.suffix, self._bytes(path))).hexdigest()
        except Exception:  # the reason is reported when the file is read as a submission
            return ""

    def result(self, choice: FileChoice) -> ReadResult:
        """The submission in a file, with the names of the student's other files."""
        entry = choice.file
        result = msgspec.structs.replace(self._open(entry), origin=entry.origin)
        if isinstance(result, Unreadable):
            return msgspec.structs.replace(result, modified=_earliest(choice.candidates or (entry,)))
        names, copies = _names(choice.others), _names(choice.copies)
        told = one_line(entry.path.name)
        notes = [f"{told} was graded; not graded: {', '.join(names)}."] if names else []
        notes += [f"{told} was graded; of the same content: {', '.join(copies)}."] if copies else []
        return msgspec.structs.replace(result, notes=(*result.notes, *notes), others=(*names, *copies))

    def _open(self, entry: DiscoveredFile) -> ReadResult:
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
            answers=parsed.answers,
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
        found = (file for place in self._secret for file in (place, *place.rglob("*")))
        return {inode: file for file in found if (inode := _inode(file))}


def _inode(file: Path) -> Inode | None:
    """The inode of a regular file; None if it is none, or is gone: another grader may write pages meanwhile."""
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def _names(files: Iterable[DiscoveredFile]) -> tuple[str, ...]:
    return tuple(one_line(file.path.name) for file in files)


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
    names = _listed(files)
    reason = (
        f"{names} are one file with several names (hard links), and none was graded: one student may have linked to "
        "another's file. If each is the student's own, copy it over itself: cp FILE COPY && mv COPY FILE"
    )
    return _refused(result, reason, _SHARED)


def _notes(parsed: notebooks.Parsed, assignment: str | None) -> tuple[str, ...]:
    if assignment and parsed.assignment and parsed.assignment != assignment:
        declared = f"The notebook declares the assignment {parsed.assignment}; it was graded as {assignment}."
        return (declared, *parsed.notes)
    return parsed.notes


def _modified(path: Path) -> str:
    """When a regular file was last changed; empty if it is no regular file, or its time is none."""
    try:
        found = path.lstat()
        changed = datetime.fromtimestamp(found.st_mtime, UTC).isoformat()
    except (OSError, OverflowError, ValueError):
        return ""
    return changed if stat.S_ISREG(found.st_mode) else ""


def _earliest(files: Iterable[DiscoveredFile]) -> str:
    """The earliest time of several files, so that whichever of them is kept counts; empty if one has none."""
    return min(_modified(file.path) for file in files)


def _listed(files: list[str]) -> str:
    """The first files: the message for a whole class must not grow with its square."""
    return " and ".join(map(one_line, files)) if len(files) <= _FEW else few(map(one_line, files))


def _without_shared_ids(results: list[ReadResult]) -> list[ReadResult]:
    """One id of a platform under two names: none of them is graded."""
    names: dict[tuple[str, str], set[str]] = {}
    for result in results:
        names.setdefault(_id_of(result), set()).add(result.student)
    return [_unless_shared_id(result, names[_id_of(result)]) for result in results]


def _id_of(result: ReadResult) -> tuple[str, str]:
    return (result.origin.layout, result.origin.id) if result.origin else ("", "")


def _unless_shared_id(result: ReadResult, names: set[str]) -> ReadResult:
    if not _id_of(result)[1] or len(names) == 1:
        return result
    reason = (
        f"The id {one_line(_id_of(result)[1])} stands beside several names: {few(map(one_line, sorted(names)))}. "
        "Download the submissions again, or grade each file by itself and name its student with --student."
    )
    return _refused(result, reason, NOT_CERTAIN)


def _told_apart(results: list[ReadResult]) -> list[ReadResult]:
    """People of one name get their id behind it, if each has one."""
    renamed_to = {}
    for group in _by_name(results):
        marks = [_mark(result) for result in group]
        if len(group) > 1 and all(marks) and len(set(marks)) == len(marks):
            for result, mark in zip(group, marks, strict=True):
                renamed_to[id(result)] = f"{clean(result.student, _NAME - len(mark) - 3)} ({mark})"
    return [renamed(each, renamed_to[id(each)]) if id(each) in renamed_to else each for each in results]


def _mark(result: ReadResult) -> str:
    """What tells people of one name apart; empty if the platform gives nothing."""
    known = result.origin.known_by if result.origin else ""
    return clean(known, _MARK) if known else ""


def _by_name(results: list[ReadResult]) -> list[list[ReadResult]]:
    same: dict[str, list[ReadResult]] = {}
    for result in results:
        same.setdefault(alike(result.student), []).append(result)
    return list(same.values())


def _without_doubles(results: list[ReadResult]) -> list[ReadResult]:
    """Two files with one student's name are both refused: the grade could be the wrong person's."""
    return [_unless_doubled(result, group) for group in _by_name(results) for result in group]


def _unless_doubled(result: ReadResult, group: list[ReadResult]) -> ReadResult:
    if len(group) == 1 or isinstance(result, Unreadable):
        return result
    files = _listed([other.file for other in group])
    reason = (
        f"{files} have the same student name, {result.student}, and none was graded. "
        "Rename one, or grade each by itself and name its student with --student."
    )
    return _refused(result, reason, _DOUBLED)


def _refused(result: ReadResult, reason: str, for_student: str) -> Unreadable:
    return Unreadable(
        student=result.student, file=result.file, sha256=result.sha256, reason=reason, for_student=for_student,
        origin=result.origin, modified=result.modified,
    )  # fmt: skip
