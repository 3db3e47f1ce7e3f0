"""What is found in a folder of submissions: files, and the entries of a folder with the files below them.

Nothing is opened, and no link is followed: a student's could lead anywhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from gradetape.intake.names import clean
from gradetape.intake.notebooks import SKIPPED_FOLDERS
from gradetape.records import Origin
from gradetape.text import few, one_line

SUFFIXES = (".ipynb", ".py", ".zip")
MAX_FOLDERS_DEEP = 16

LINK = "This is a link to another file. Hand in the notebook itself."
KIND = "The file is not a notebook (.ipynb), script (.py) or zip. Hand in the notebook itself."
_DOCUMENTS = {
    ".pdf": "a PDF", ".doc": "a Word document", ".docx": "a Word document", ".odt": "a text document",
    ".rtf": "a text document", ".pages": "a text document", ".html": "a web page (HTML)", ".htm": "a web page (HTML)",
}  # fmt: skip
_DOCUMENT = "It is {}, which is not a notebook (.ipynb), script (.py) or zip. Hand in the notebook itself."
_ONLY = "{} Found only: {}. Hand in the notebook itself."
_MANY = 1000
_PACKED = re.compile(r"(?P<name>.+?)(?P<ending>\.tar(?:\.\w{1,4})?|\.tgz|\.rar|\.7z)", re.IGNORECASE)
_RENAMED = re.compile(r"(?P<name>.+?)\.ipynb(?P<ending>(?:\.\w{1,9})+)", re.IGNORECASE)
EMPTY = "The folder holds no notebook, script or zip."
NOT_CERTAIN = "It is not certain whose this file is, and it was not graded. Tell your instructor."
_DEEP = "The folder is nested too deep. Pass it by itself."
_NO_ORDER = (0, "")


@dataclass(frozen=True)
class DiscoveredFile:
    """A file that was handed in.

    `person` is the same for files that are known to be one person's, and empty if the person is unknown. Files of one
    person with the same `attempt` were handed in together, and the greatest counts; it is empty if the platform does
    not say it. Of these files, those of the highest `rank` may be graded: 2 for notebooks and zips, 1 for scripts, 0
    for others. Files with the same `title` and different `order` are attempts too. `folder` is the person's own folder,
    if there is one. `problem` is the reason if the file is not opened; `for_student` is the version of it for the
    student.
    """

    path: Path
    student: str
    person: str = ""
    rank: int = 0
    title: str = ""
    order: tuple[int, str] = _NO_ORDER
    problem: str = ""
    for_student: str = ""
    origin: Origin | None = None
    attempt: str = ""
    folder: Path | None = None

    def owned(self, student: str, person: str, origin: Origin, attempt: str = "") -> DiscoveredFile:
        """The same file as a person's."""
        return replace(self, student=clean(student), person=person, origin=origin, attempt=attempt)

    @property
    def ordered(self) -> bool:
        """Whether its name tells when it was handed in, among files of the same title."""
        return self.order != _NO_ORDER


def file_at(path: Path) -> DiscoveredFile:
    """A file under its own name; a link and a file of another kind have a problem."""
    if os.path.islink(path):
        return DiscoveredFile(path, clean(path.stem), title=path.stem, problem=LINK)
    rank = (1 if path.suffix.lower() == ".py" else 2) if has_suffix(path) else 0
    return DiscoveredFile(path, clean(path.stem), rank=rank, title=path.stem, problem="" if rank else _kind(path))


def _kind(path: Path) -> str:
    """Why a file that is not named like a submission cannot be graded."""
    misnamed, document = Misnamed.of(path), _DOCUMENTS.get(path.suffix.lower())
    return misnamed.reason if misnamed else _DOCUMENT.format(document) if document else KIND


def is_document(path: Path) -> bool:
    """Whether a file is named like a text for readers, which some hand in in place of the notebook."""
    return path.suffix.lower() in _DOCUMENTS


@dataclass(frozen=True)
class Misnamed:
    """What a file that only its name keeps from being graded seems to be: a packed notebook, or one with an ending."""

    name: str
    reason: str

    @classmethod
    def of(cls, path: Path) -> Misnamed | None:
        """What a file of this name seems to be; None for a submission, and for any other file."""
        if has_suffix(path):
            return None
        if match := _PACKED.fullmatch(path.name):
            what = f"It ends in {one_line(match['ending'])}, an archive of a kind that is not opened"
            return cls(match["name"], f"{what}. Unpack it, and hand in the notebook itself.")
        if match := _RENAMED.fullmatch(path.name):
            name = one_line(match["name"])
            return cls(match["name"], f"It ends in {one_line(match['ending'])}. Rename it to {name}.ipynb.")
        return None


def empty(folder: Path) -> DiscoveredFile:
    """A folder without submissions, under its own name, with what it holds instead."""
    names = [one_line(path.name) for path in others_below(folder)]
    told = _ONLY.format(EMPTY, few(names)) if names else ""
    name = clean(os.path.basename(os.path.abspath(folder)))
    return DiscoveredFile(folder, name, problem=told or EMPTY, for_student=told)


def in_place_of_a_submission(folder: Path) -> DiscoveredFile:
    """What a folder without submissions holds instead: a file that only its name keeps from being one, or nothing."""
    misnamed = next(filter(Misnamed.of, others_below(folder)), None)
    return file_at(misnamed) if misnamed else empty(folder)


def others_below(folder: Path) -> list[Path]:
    """The files in a folder and below it, the first of very many; a folder that cannot be listed has none."""
    return list(islice(_files(folder, 0), _MANY))


def _files(folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = listed(folder) if depth <= MAX_FOLDERS_DEEP else []
    except OSError:
        return
    for entry in entries:
        if is_folder(entry):
            yield from _files(entry, depth + 1)
        elif not entry.is_symlink():
            yield entry


def has_suffix(path: Path) -> bool:
    """Whether a path is named like a submission."""
    return path.suffix.lower() in SUFFIXES


def is_folder(path: Path) -> bool:
    """Whether a path is a folder and no link to one."""
    return os.path.isdir(path) and not os.path.islink(path)


def listed(folder: Path) -> list[Path]:
    """The visible entries of a folder, sorted; raises OSError."""
    entries = sorted(folder.iterdir())
    return [entry for entry in entries if not entry.name.startswith(".") and entry.name not in SKIPPED_FOLDERS]


def closed(folder: Path, error: OSError) -> DiscoveredFile:
    """A folder that cannot be listed."""
    reason = f"The folder cannot be opened: {error.strerror}. Check its permissions."
    return DiscoveredFile(folder, clean(folder.name), problem=reason)


def too_deep(folder: Path) -> DiscoveredFile:
    """A folder that is not searched, since too many are around it."""
    return DiscoveredFile(folder, clean(folder.name), problem=_DEEP)


def files_below(folder: Path, depth: int = 0) -> Iterator[DiscoveredFile]:
    """The submissions in a folder and below it, with what cannot be searched; files of other kinds are left out."""
    if depth > MAX_FOLDERS_DEEP:
        yield too_deep(folder)
        return
    try:
        entries = listed(folder)
    except OSError as error:
        yield closed(folder, error)
        return
    for entry in entries:
        if is_folder(entry):
            yield from files_below(entry, depth + 1)
        elif has_suffix(entry) or os.path.islink(entry):
            yield file_at(entry)


@dataclass(frozen=True)
class FolderEntry:
    """An entry of the folder that was passed, or one of several paths."""

    path: Path

    @property
    def name(self) -> str:
        """Its name, as the file system has it."""
        return self.path.name

    @cached_property
    def is_folder(self) -> bool:
        """Whether it is a folder, and no link to one."""
        return is_folder(self.path)

    @cached_property
    def inside(self) -> tuple[DiscoveredFile, ...]:
        """The submissions below a folder."""
        return tuple(files_below(self.path)) if self.is_folder else ()

    @property
    def is_handed_in(self) -> bool:
        """Whether it is a submission, or a folder with one."""
        if self.is_folder:
            return any(file.rank for file in self.inside)
        return has_suffix(self.path) and not os.path.islink(self.path)

    def has(self, *names: str) -> bool:
        """Whether a folder has an entry of one of these names; hidden ones count."""
        return self.is_folder and any(os.path.lexists(self.path / name) for name in names)

    def steps(self, file: DiscoveredFile) -> tuple[str, ...]:
        """The names of the folders between this one and a file in it."""
        return file.path.relative_to(self.path).parts[:-1]


def unknown_content(_: Path) -> str:
    """The digest of a file whose content is not known."""
    return ""


@dataclass(frozen=True)
class Clues:
    """What else is known: the assignment that was asked for, and what the notebooks say.

    `declares` reads the assignment that a notebook's metadata names, if any, `content_of` a digest of what a file
    holds, which is empty if it is not known.
    """

    assignment: str | None
    declares: Callable[[Path], str | None]
    content_of: Callable[[Path], str] = unknown_content


_LOOKED_AT = 12


@dataclass(frozen=True)
class Listing:
    """The entries of a folder that was passed, or several paths; `root` is their folder, None if they have several."""

    root: Path | None
    entries: tuple[FolderEntry, ...]
    clues: Clues

    @classmethod
    def of_folder(cls, folder: Path, clues: Clues) -> Listing:
        """The entries of a folder; none if it cannot be listed."""
        try:
            paths = listed(folder)
        except OSError:
            paths = []
        return cls(folder, tuple(map(FolderEntry, paths)), clues)

    @classmethod
    def of_paths(cls, paths: Iterable[Path], clues: Clues) -> Listing:
        """Several paths, as if they were in one folder."""
        entries = tuple(map(FolderEntry, paths))
        parents = {entry.path.parent for entry in entries}
        return cls(parents.pop() if len(parents) == 1 else None, entries, clues)

    @property
    def root_name(self) -> str:
        """The name of their folder; empty if they have several."""
        return os.path.basename(os.path.abspath(self.root)) if self.root else ""

    @property
    def files(self) -> tuple[FolderEntry, ...]:
        """Those that are no folders; links are among them."""
        return tuple(entry for entry in self.entries if not entry.is_folder)

    @property
    def files_handed_in(self) -> bool:
        """Whether a file among them is a submission."""
        return any(entry.is_handed_in for entry in self.files)

    @property
    def folders(self) -> tuple[FolderEntry, ...]:
        """Those that are folders."""
        return tuple(entry for entry in self.entries if entry.is_folder)

    @cached_property
    def assignments(self) -> frozenset[str]:
        """The assignment that was asked for, or those that some of the notebooks declare."""
        if self.clues.assignment:
            return frozenset({self.clues.assignment})
        files = [file for entry in self.entries for file in (*entry.inside, file_at(entry.path)) if file.rank == 2]
        return frozenset(filter(None, (self.clues.declares(file.path) for file in files[:_LOOKED_AT])))


def of_person(entry: FolderEntry, student: str, person: str, origin: Origin, attempt: str = "") -> list[DiscoveredFile]:
    """The files in a person's folder; the folder itself, with the reason, if there are none."""
    found = entry.inside or (in_place_of_a_submission(entry.path),)
    return [replace(file.owned(student, person, origin, attempt), folder=entry.path) for file in found]
