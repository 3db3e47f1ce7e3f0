"""A plain folder: a file or a folder for each student.

A folder that holds submissions is a student's, with everything below it, except for the folder that was passed. Several
passed folders (`gradetape grade submissions/*`) are students' if one of them holds a single file, and sections of the
course if each holds several. Otherwise the student is named by the file (`alice.ipynb`), without the time that otter's
export appends to a zip's name.

Files and folders that Canvas or Moodle has named have the student of that name here too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from gradetape.files import link_in
from gradetape.intake.choosing import ContentOf, are_alike, is_unclear, people
from gradetape.intake.found import (
    LINK,
    MAX_FOLDERS_DEEP,
    NOT_CERTAIN,
    DiscoveredFile,
    Misnamed,
    closed,
    empty,
    file_at,
    has_suffix,
    is_document,
    is_folder,
    listed,
    others_below,
    too_deep,
)
from gradetape.intake.layouts import canvas
from gradetape.intake.layouts.signatures import MOODLE, WORK
from gradetape.intake.names import clean, without_copy_mark, without_copy_number
from gradetape.text import one_line

_FOLDER_LINK = "This is a link to another folder. Hand in the notebook itself."
_GONE = "The file does not exist or cannot be reached. Check the spelling of the path."
_COPIES = (
    "It is numbered like a copy, such as 'hw.ipynb' and 'hw (1).ipynb', and it is not certain whose it is. "
    "Rename it to its student's name, or grade it by itself with --student."
)
# Names that say what a document or folder is, and not whose.
_MATERIAL = re.compile(
    r"(read ?me|index|syllabus|instructions?|prompt|task|rubric|solutions?|grad(es|ing)|feedback|slides?|notes|docs?"
    r"|essay|paper|report|summary|lecture|material|data|images?|pictures?|figures?|plots?)([-_ ]?.*)?",
    re.IGNORECASE,
)
_OTTER = re.compile(r"(?P<name>.+)_(?P<time>\d{4}_\d\d_\d\dT\d\d_\d\d_\d\d_\d+)")


def find_plain(asked: list[Path], content_of: ContentOf) -> list[DiscoveredFile]:
    """Every submission under the paths, each file once; `content_of` reads a digest of what a file holds."""
    folders = [path for path in asked if os.path.isdir(path) and not link_in(path)]
    owned = len(asked) > 1 and any(_holds_one(path, content_of) for path in folders)
    found: dict[str, DiscoveredFile] = {}
    for path in asked:
        for entry in _asked(path, owned=owned):
            found.setdefault(os.path.abspath(entry.path), entry)
    return _without_copies(_as_one(list(found.values()), content_of))


def _as_one(found: list[DiscoveredFile], content_of: ContentOf) -> list[DiscoveredFile]:
    """Copies under one name that all hold the same are files of one person, whoever that is."""
    copies: dict[tuple[Path, str], list[DiscoveredFile]] = {}
    for file in found:
        if file.rank and not file.person:
            copies.setdefault((file.path.parent, clean(without_copy_mark(file.title)).casefold()), []).append(file)
    alike = {file.path: key for key, files in copies.items() if are_alike(files, content_of) for file in files}
    return [_of_copies(file, *alike[file.path]) if file.path in alike else file for file in found]


def _of_copies(file: DiscoveredFile, folder: Path, name: str) -> DiscoveredFile:
    return replace(file, student=clean(without_copy_mark(file.title)), person=f"copies {folder / name}")


def _without_copies(found: list[DiscoveredFile]) -> list[DiscoveredFile]:
    """Copies that a browser or a cloud drive has numbered belong to nobody for certain, unless a folder says it."""
    copied = {(file.path.parent, _original(file)) for file in found if _is_copy(file)}
    of_nobody = {file.path for file in found if not file.person and (file.path.parent, _original(file)) in copied}
    return [_as_copy(file) if file.rank and file.path in of_nobody else file for file in found]


def _as_copy(file: DiscoveredFile) -> DiscoveredFile:
    return replace(file, rank=0, problem=_COPIES, for_student=NOT_CERTAIN)


def _is_copy(file: DiscoveredFile) -> bool:
    return not file.person and file.rank > 0 and without_copy_number(file.title) != file.title


def _original(file: DiscoveredFile) -> str:
    """The name without the number of a copy."""
    return clean(without_copy_number(file.title)).casefold()


def _asked(path: Path, *, owned: bool) -> list[DiscoveredFile]:
    """The submissions at a path that was passed: a folder's, or a file. Links are not followed here either."""
    folder = os.path.isdir(path)
    if link := link_in(path):
        for_student = _FOLDER_LINK if folder else LINK
        return [replace(_passed(path), rank=0, problem=_linked(path, link), for_student=for_student)]
    if folder:
        return _folder(path, owned=owned)
    return [_passed(path) if os.path.exists(path) else replace(_passed(path), rank=0, problem=_GONE)]


def _passed(path: Path) -> DiscoveredFile:
    found = _moodle_folder(path.parent)
    return replace(_of_moodle(_file(path), found[1]), folder=found[0]) if found else _file(path)


def _linked(path: Path, link: Path) -> str:
    what = "It" if link == path else f"{one_line(os.fspath(link))}, on the way to it,"
    return (
        f"{what} is a symbolic link, and links are not followed: a student's could lead to the answer key or to "
        f"another student's file. If the link is yours, pass the real path: {one_line(os.path.realpath(path))}"
    )


def _holds_one(folder: Path, content_of: ContentOf) -> bool:
    found = people(_walk(folder, depth=0, owned=True))
    return len(found) == 1 and any(file.rank for file in found[0]) and not is_unclear(found[0], content_of)


def _folder(root: Path, *, owned: bool) -> list[DiscoveredFile]:
    found = _walk(root, depth=0, owned=owned)
    return found or [_empty(child) for child in listed(root) if is_folder(child)] or [_empty(root)]


def _walk(folder: Path, *, depth: int, owned: bool) -> list[DiscoveredFile]:
    """The submissions in a folder and below it; an owned folder that contains any is a student's."""
    if depth > MAX_FOLDERS_DEEP:
        return [too_deep(folder)]
    try:
        entries = listed(folder)
    except OSError as error:
        return [closed(folder, error)]
    here = _submissions(entries)
    walked = {entry: _walk(entry, depth=depth + 1, owned=True) for entry in entries if is_folder(entry)}
    below = [entry for found in walked.values() for entry in found]
    if found := _moodle_folder(folder):
        return [replace(_of_moodle(entry, found[1]), folder=found[0]) for entry in (*here, *below)]
    misnamed = _misnamed(entries)
    if owned and (_is_a_students(here) or (misnamed and not here and not below)):
        return [_of_folder(entry, folder) for entry in (*(here or misnamed), *below)]
    beside = bool(below) and not here
    here = [*here, *_of_nobody_else([*misnamed, *_documents(entries, here)], [*here, *below])]
    childless = [child for child, found in walked.items() if not found and (beside or _looks_handed_in(child))]
    return [*here, *below, *map(_empty, childless)]


def _submissions(entries: Iterable[Path]) -> list[DiscoveredFile]:
    """The submissions among the entries of one folder."""
    files = [_file(entry) for entry in entries if not is_folder(entry)]
    links = [replace(entry, rank=0, problem=LINK) for entry in files if entry.path.is_symlink()]
    own = [entry for entry in files if not entry.path.is_symlink()]
    good = [entry for entry in own if entry.rank]
    others = [entry for entry in own if not entry.rank and entry.person]
    return [*links, *good, *(others if any(entry.person for entry in good) else [])]


def _misnamed(entries: Iterable[Path]) -> list[DiscoveredFile]:
    """The files that only their names keep from being graded, each with the reason."""
    named = [(entry, found) for entry in entries if (found := Misnamed.of(entry))]
    files = [(_file(entry), found) for entry, found in named if not is_folder(entry) and not entry.is_symlink()]
    return [replace(file, student=clean(found.name), title=found.name) for file, found in files if not file.person]


def _documents(entries: Iterable[Path], here: list[DiscoveredFile]) -> list[DiscoveredFile]:
    """The documents beside submissions: somebody's each, unless they are more than those or named like the task."""
    files = [entry for entry in entries if is_document(entry) and not is_folder(entry) and not entry.is_symlink()]
    own = [_file(entry) for entry in files if not _MATERIAL.fullmatch(entry.stem) and not WORK.fullmatch(entry.stem)]
    return [file for file in own if not file.person] if len(files) <= sum(file.rank > 0 for file in here) else []


def _of_nobody_else(misnamed: Iterable[DiscoveredFile], found: Iterable[DiscoveredFile]) -> Iterable[DiscoveredFile]:
    """Those whose student has handed in nothing else."""
    names = {file.student.casefold() for file in found}
    return (file for file in misnamed if file.student.casefold() not in names)


def _is_a_students(here: list[DiscoveredFile]) -> bool:
    """Whether these files make their folder a student's; files named by an LMS and links to data do not."""
    return any(has_suffix(entry.path) for entry in here) and not any(entry.person for entry in here)


def _looks_handed_in(folder: Path) -> bool:
    return has_suffix(folder) or MOODLE.fullmatch(folder.name) is not None or _holds_only_a_document(folder)


def _holds_only_a_document(folder: Path) -> bool:
    named_like_material = _MATERIAL.fullmatch(folder.name) or WORK.fullmatch(folder.name)
    return not named_like_material and [is_document(path) for path in others_below(folder)] == [True]


def _empty(folder: Path) -> DiscoveredFile:
    owner = MOODLE.fullmatch(folder.name)
    return _of_moodle(empty(folder), owner) if owner else empty(folder)


def _file(path: Path) -> DiscoveredFile:
    """The student according to the file's name, without the time that otter appends."""
    exported = _OTTER.fullmatch(path.stem)
    if not exported and (found := canvas.file_of(path)):
        return replace(found, origin=None)
    name, time = (exported["name"], exported["time"]) if exported else (path.stem, "")
    entry = replace(file_at(path), student=clean(name), title=name, order=(0, time))
    match = MOODLE.fullmatch(name)
    return _of_moodle(entry, match) if match else entry


def _moodle_folder(folder: Path) -> tuple[Path, re.Match[str]] | None:
    """The outermost folder that Moodle has named: a student may hand in folders with such a name."""
    named = ((each, MOODLE.fullmatch(each.name)) for each in (*reversed(folder.parents), folder))
    return next(((each, match) for each, match in named if match), None)


def _of_moodle(entry: DiscoveredFile, owner: re.Match[str]) -> DiscoveredFile:
    return replace(entry, student=clean(owner["name"]), person=f"moodle {clean(owner['name'])} {owner['id']}")


def _of_folder(entry: DiscoveredFile, folder: Path) -> DiscoveredFile:
    path = os.path.abspath(folder)
    return replace(entry, student=clean(os.path.basename(path)), person=f"folder {path}", folder=folder)
