"""Find the files that are submissions, and the student of each.

A student's name comes, in this order, from

- Canvas: `lastfirst_12345_67890_title.ipynb`, also `lastfirst_LATE_12345_67890_title.ipynb`;
- Moodle: `First Last_12345_assignsubmission_file_/x.ipynb`, or flat: `First Last_12345_assignsubmission_file_x.ipynb`;
- a student's folder: `alice/homework.ipynb`. A folder that holds submissions is a student's, with everything below it,
  except for the folder that was passed. Several passed folders (`gradetape grade submissions/*`) are students' if one
  of them holds a single file, and sections of the course if each holds several;
- the file: `alice.ipynb`. The time that otter's export appends to a zip's name is left out.

One file of each person is graded: a notebook or zip rather than a script, and the latest of several attempts at one
file, which Canvas numbers and otter dates. If there are other files to choose from, none is graded. If files have the
same student's name and are not known to be one person's, they could be two people's, and none is graded either.

A file of another kind is reported as unreadable if it is named as the LMS names the submissions beside it; so is a
folder without submissions if the folders beside it hold some. Other files, such as a README or data, are ignored.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gradetape.files import link_in
from gradetape.intake.names import clean
from gradetape.intake.notebooks import SKIPPED_FOLDERS
from gradetape.records import Origin
from gradetape.text import few, one_line

SUFFIXES = (".ipynb", ".py", ".zip")
MAX_FOLDERS_DEEP = 16

_LINK = "This is a link to another file. Hand in the notebook itself."
_FOLDER_LINK = "This is a link to another folder. Hand in the notebook itself."
_KIND = "The file is not a notebook (.ipynb), script (.py) or zip. Hand in the notebook itself."
_GONE = "The file does not exist or cannot be reached. Check the spelling of the path."
_WHICH = "You handed in several files, expected one. Tell your instructor which one to grade."
# Two numbers that look like a year and a month are not ids of Canvas.
_CANVAS = re.compile(
    r"(?P<name>[^_]+)(_LATE)?_(?!\d{4}_\d\d?_)(?P<person>\d+)_(?P<attempt>\d{1,18})_(?P<title>.+?)(-\d{1,3})?"
)
_MOODLE = re.compile(r"(?P<name>.+)_(?P<person>\d+)_assignsubmission_[a-z]+_?.*")
_OTTER = re.compile(r"(?P<name>.+)_(?P<time>\d{4}_\d\d_\d\dT\d\d_\d\d_\d\d_\d+)")
_NO_ORDER = (0, "")


@dataclass(frozen=True)
class DiscoveredFile:
    """A file that was handed in.

    `person` is the same for files that are known to be one person's, and empty if the person is unknown. Of a person's
    files, those of the highest `rank` may be graded: 2 for notebooks and zips, 1 for scripts, 0 for others. Files with
    the same `title` and different `order` are attempts. `problem` is the reason if the file is not opened;
    `for_student` is the version of it for the student.
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


def find(paths: Iterable[Path]) -> list[DiscoveredFile]:
    """Every submission under the paths, each file once."""
    asked = list(paths)
    owned = len(asked) > 1 and any(_holds_one(path) for path in asked if os.path.isdir(path) and not link_in(path))
    found: dict[str, DiscoveredFile] = {}
    for path in asked:
        for entry in _asked(path, owned=owned):
            found.setdefault(os.path.abspath(entry.path), entry)
    return list(found.values())


def passed_over(root: Path) -> list[Path]:
    """The entries of a folder that are not submissions and do not contain any."""
    try:
        entries = [] if link_in(root) else _listed(root)
    except OSError:
        return []
    used = {path for entry in _folder(root, owned=False) for path in (entry.path, *entry.path.parents)}
    return [entry for entry in entries if entry not in used]


def counting(found: Iterable[DiscoveredFile]) -> Iterator[tuple[DiscoveredFile, list[DiscoveredFile]]]:
    """Each person's file to grade, with their other files; a file with a problem if the choice is ambiguous."""
    people: dict[str, list[DiscoveredFile]] = {}
    for entry in found:
        people.setdefault(entry.person or os.fspath(entry.path), []).append(entry)
    for files in people.values():
        rank = max(entry.rank for entry in files)
        candidates = [entry for entry in files if entry.rank == rank]
        if rank and len(candidates) > 1 and not _are_attempts(candidates):
            yield replace(candidates[0], path=_where(candidates), problem=_which(candidates), for_student=_WHICH), []
        else:
            latest = max(candidates, key=lambda entry: entry.order)
            yield latest, [entry for entry in files if entry is not latest]


def _are_attempts(files: list[DiscoveredFile]) -> bool:
    orders = {entry.order for entry in files}
    return len({entry.title for entry in files}) == 1 and len(orders) == len(files) and _NO_ORDER not in orders


def _where(files: list[DiscoveredFile]) -> Path:
    """The student's folder of the files, or the first file if the folder has other students' files too."""
    common = os.path.commonpath([os.path.abspath(entry.path.parent) for entry in files])
    folders = [parent for parent in files[0].path.parents if os.path.abspath(parent) == common]
    own = (folder for folder in folders if _moodle_owner(folder) or files[0].person == _person_of(folder))
    return next(own, files[0].path)


def _which(files: list[DiscoveredFile]) -> str:
    common = os.path.commonpath([os.path.abspath(entry.path.parent) for entry in files])
    names = few(one_line(os.path.relpath(entry.path, common)) for entry in files)
    return (
        f"Found {len(files)} files, expected one: {names}. Keep the one to grade and move the others away. "
        "If they belong to several students, grade their folder by itself."
    )


def _asked(path: Path, *, owned: bool) -> list[DiscoveredFile]:
    """The submissions at a path that was passed: a folder's, or a file. Links are not followed here either."""
    is_folder = os.path.isdir(path)
    if link := link_in(path):
        for_student = _FOLDER_LINK if is_folder else _LINK
        return [replace(_passed(path), rank=0, problem=_linked(path, link), for_student=for_student)]
    if is_folder:
        return _folder(path, owned=owned)
    return [_passed(path) if os.path.exists(path) else replace(_passed(path), rank=0, problem=_GONE)]


def _passed(path: Path) -> DiscoveredFile:
    owner = _moodle_owner(path.parent)
    return _of_moodle(_file(path), owner) if owner else _file(path)


def _linked(path: Path, link: Path) -> str:
    what = "It" if link == path else f"{one_line(os.fspath(link))}, on the way to it,"
    return (
        f"{what} is a symbolic link, and links are not followed: a student's could lead to the answer key or to "
        f"another student's file. If the link is yours, pass the real path: {one_line(os.path.realpath(path))}"
    )


def _holds_one(folder: Path) -> bool:
    people = list(counting(_walk(folder, depth=0, owned=True)))
    return len(people) == 1 and people[0][0].rank > 0 and people[0][0].for_student != _WHICH


def _folder(root: Path, *, owned: bool) -> list[DiscoveredFile]:
    found = _walk(root, depth=0, owned=owned)
    return found or [_empty(child) for child in _listed(root) if _is_folder(child)] or [_empty(root)]


def _walk(folder: Path, *, depth: int, owned: bool) -> list[DiscoveredFile]:
    """The submissions in a folder and below it; an owned folder that contains any is a student's."""
    if depth > MAX_FOLDERS_DEEP:
        return [DiscoveredFile(folder, clean(folder.name), problem="The folder is nested too deep. Pass it by itself.")]
    try:
        entries = _listed(folder)
    except OSError as problem:
        reason = f"The folder cannot be opened: {problem.strerror}. Check its permissions."
        return [DiscoveredFile(folder, clean(folder.name), problem=reason)]
    here = _submissions(entries)
    walked = {entry: _walk(entry, depth=depth + 1, owned=True) for entry in entries if _is_folder(entry)}
    below = [entry for found in walked.values() for entry in found]
    if owner := _moodle_owner(folder):
        return [_of_moodle(entry, owner) for entry in (*here, *below)]
    if owned and _is_a_students(here):
        return [_of_folder(entry, folder) for entry in (*here, *below)]
    beside = bool(below) and not here
    childless = [child for child, found in walked.items() if not found and (beside or _looks_handed_in(child))]
    return [*here, *below, *map(_empty, childless)]


def _listed(folder: Path) -> list[Path]:
    entries = sorted(folder.iterdir())
    return [entry for entry in entries if not entry.name.startswith(".") and entry.name not in SKIPPED_FOLDERS]


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _submissions(entries: list[Path]) -> list[DiscoveredFile]:
    """The submissions among the entries of one folder. Links are not followed: they could point anywhere."""
    links = [replace(_file(entry), rank=0, problem=_LINK) for entry in entries if os.path.islink(entry)]
    files = [_file(entry) for entry in entries if not os.path.isdir(entry) and not os.path.islink(entry)]
    good = [entry for entry in files if entry.rank]
    others = [entry for entry in files if not entry.rank and entry.person]
    return [*links, *good, *(others if any(entry.person for entry in good) else [])]


def _is_a_students(here: list[DiscoveredFile]) -> bool:
    """Whether these files make their folder a student's; files named by an LMS and links to data do not."""
    return any(_has_suffix(entry.path) for entry in here) and not any(entry.person for entry in here)


def _has_suffix(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _looks_handed_in(folder: Path) -> bool:
    return _has_suffix(folder) or _MOODLE.fullmatch(folder.name) is not None


def _empty(folder: Path) -> DiscoveredFile:
    owner = _MOODLE.fullmatch(folder.name)
    entry = DiscoveredFile(folder, clean(os.path.basename(os.path.abspath(folder))))
    return replace(_of_moodle(entry, owner) if owner else entry, problem="The folder holds no notebook, script or zip.")


def _file(path: Path) -> DiscoveredFile:
    """The student according to the file's name, without the time that otter appends."""
    exported = _OTTER.fullmatch(path.stem)
    name, time = (exported["name"], exported["time"]) if exported else (path.stem, "")
    rank = (1 if path.suffix.lower() == ".py" else 2) if _has_suffix(path) else 0
    entry = DiscoveredFile(path, clean(name), rank=rank, title=name, order=(0, time), problem="" if rank else _KIND)
    if match := _CANVAS.fullmatch(name):
        person = f"canvas {match['name']} {match['person']}"
        order = (int(match["attempt"]), "")
        return replace(entry, student=clean(match["name"]), person=person, title=match["title"], order=order)
    match = _MOODLE.fullmatch(name)
    return _of_moodle(entry, match) if match else entry


def _moodle_owner(folder: Path) -> re.Match[str] | None:
    return next(filter(None, map(_MOODLE.fullmatch, reversed(folder.parts))), None)


def _of_moodle(entry: DiscoveredFile, owner: re.Match[str]) -> DiscoveredFile:
    return replace(entry, student=clean(owner["name"]), person=f"moodle {owner['name']} {owner['person']}")


def _of_folder(entry: DiscoveredFile, folder: Path) -> DiscoveredFile:
    return replace(entry, student=clean(os.path.basename(os.path.abspath(folder))), person=_person_of(folder))


def _person_of(folder: Path) -> str:
    return f"folder {os.path.abspath(folder)}"
