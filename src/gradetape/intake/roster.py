"""Which files are submissions, and whose.

A student's name comes, in this order, from

- Canvas: `lastfirst_12345_67890_title.ipynb`, also `lastfirst_LATE_12345_67890_title.ipynb`;
- Moodle: `First Last_12345_assignsubmission_file_/x.ipynb`, or flat: `First Last_12345_assignsubmission_file_x.ipynb`;
- a student's folder: `alice/homework.ipynb`, where the folder holds one submission. The folder that was asked for
  names nobody, unless several were (`gradetape grade submissions/*`);
- the file: `alice.ipynb`. The time that otter's export appends to a zip's name is not part of it.

Several attempts of one person are known by the LMS's number, or by being otter's exports of one notebook in one folder;
the latest counts. Two other files that lead to one name could be two people's: neither is graded before somebody looks.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gradetape.intake.cells import SKIPPED_FOLDERS
from gradetape.intake.names import clean

SUFFIXES = (".ipynb", ".py", ".zip")
MAX_FOLDERS_DEEP = 16

_LINK = "This is a link to something else. Hand in the notebook itself."
# Two numbers that look like a year and a month are no ids of Canvas.
_CANVAS = re.compile(r"(?P<name>[^_]+)(_LATE)?_(?!\d{4}_\d\d?_)(?P<person>\d+)_(?P<attempt>\d{1,18})_.+")
_MOODLE = re.compile(r"(?P<name>.+)_(?P<person>\d+)_assignsubmission_[a-z]+_?.*")
_OTTER = re.compile(r"(?P<name>.+)_(?P<time>\d{4}_\d\d_\d\dT\d\d_\d\d_\d\d_\d+)")


@dataclass(frozen=True)
class Found:
    """A file that somebody handed in.

    `person` is what tells attempts of one person from files of two, empty where nothing does; the attempt with the
    greatest `order` counts. `problem` says why the file is not to be opened.
    """

    path: Path
    student: str
    person: str = ""
    order: tuple[bool, int, str] = (False, 0, "")
    problem: str = ""


def find(paths: Iterable[Path]) -> list[Found]:
    """Every submission under the paths, each file once."""
    asked = list(paths)
    found: dict[str, Found] = {}
    for path in asked:
        for entry in _folder(path, owned=len(asked) > 1) if os.path.isdir(path) else [_asked(path)]:
            found.setdefault(os.path.abspath(entry.path), entry)
    return list(found.values())


def latest(found: Iterable[Found]) -> Iterator[tuple[Found, list[Found]]]:
    """Each person's latest attempt, with the earlier ones; a tie is not decided here."""
    people: dict[str, list[Found]] = {}
    for entry in found:
        people.setdefault(entry.person or os.fspath(entry.path), []).append(entry)
    for attempts in people.values():
        newest = max(entry.order for entry in attempts)
        earlier = [entry for entry in attempts if entry.order < newest]
        yield from ((entry, earlier) for entry in attempts if entry.order == newest)


def _asked(path: Path) -> Found:
    """A file that was named by itself."""
    if not os.path.exists(path):
        return replace(
            _file(path), problem="There is no such file, or it is out of reach. Look at the path's spelling."
        )
    if path.suffix.lower() not in SUFFIXES:
        return replace(_file(path), problem="The file is no notebook (.ipynb), script (.py) or zip.")
    return _file(path)


def _folder(root: Path, *, owned: bool) -> list[Found]:
    found = _walk(root, depth=0, owned=owned)
    if not any(root in (entry.path, entry.path.parent) for entry in found):
        used = {parent for entry in found for parent in (entry.path, *entry.path.parents)}
        found += [_empty(child) for child in _listed(root) if _is_folder(child) and child not in used]
    return found or [_empty(root)]


def _walk(folder: Path, *, depth: int, owned: bool) -> list[Found]:
    """The submissions in a folder and below it; in an owned folder, a single one takes the folder's name."""
    if depth > MAX_FOLDERS_DEEP:
        return [Found(folder, clean(folder.name), problem="The folder lies too deep. Pass it by itself.")]
    try:
        entries = _listed(folder)
    except OSError as problem:
        reason = f"The folder cannot be opened: {problem.strerror}. Look at its permissions."
        return [Found(folder, clean(folder.name), problem=reason)]
    links = [replace(_file(entry), problem=_LINK) for entry in entries if os.path.islink(entry)]
    files = [_file(entry) for entry in entries if _is_submission(entry)]
    below = (_below(entry, depth + 1) for entry in entries if _is_folder(entry))
    return [*links, *_of_folder(folder, files, owned=owned), *(found for walked in below for found in walked)]


def _below(folder: Path, depth: int) -> list[Found]:
    """A folder in a folder; one that is named like a submission is not passed over when there is nothing in it."""
    found = _walk(folder, depth=depth, owned=True)
    return found or ([_empty(folder)] if folder.suffix.lower() in SUFFIXES else [])


def _listed(folder: Path) -> list[Path]:
    entries = sorted(folder.iterdir())
    return [entry for entry in entries if not entry.name.startswith(".") and entry.name not in SKIPPED_FOLDERS]


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _is_submission(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not os.path.isdir(path) and not os.path.islink(path)


def _empty(folder: Path) -> Found:
    owner = _MOODLE.fullmatch(folder.name)
    entry = _of_moodle(folder, owner) if owner else Found(folder, clean(os.path.basename(os.path.abspath(folder))))
    return replace(entry, order=(False, -1, ""), problem="The folder holds no notebook, script or zip.")


def _file(path: Path) -> Found:
    """The student by the file's name, without the time that otter appends."""
    exported = _OTTER.fullmatch(path.stem)
    name = exported["name"] if exported else path.stem
    if match := _CANVAS.fullmatch(name):
        person = f"canvas {match['name']} {match['person']}"
        return Found(path, clean(match["name"]), person, (True, int(match["attempt"]), ""))
    if match := _MOODLE.fullmatch(name):
        return _of_moodle(path, match)
    return Found(path, clean(name))


def _of_moodle(path: Path, owner: re.Match[str]) -> Found:
    """A student's file under Moodle: a notebook counts before a script beside it, then the later file."""
    order = (path.suffix.lower() != ".py", _modified(path), "")
    return Found(path, clean(owner["name"]), f"moodle {owner['name']} {owner['person']}", order)


def _modified(path: Path) -> int:
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return 0


def _of_folder(folder: Path, files: list[Found], *, owned: bool) -> list[Found]:
    """Names by the folder: all that is in Moodle's belongs to one student, as does a single submission elsewhere."""
    owner = next(filter(None, map(_MOODLE.fullmatch, reversed(folder.parts))), None)
    if owner:
        return [_of_moodle(entry.path, owner) for entry in files]
    if not owned or any(entry.person for entry in files):
        return files
    if len(files) == 1:
        return [replace(files[0], student=clean(os.path.basename(os.path.abspath(folder))))]
    return _exports(folder, files)


def _exports(folder: Path, files: list[Found]) -> list[Found]:
    """Otter's exports of one notebook, in one student's folder, are attempts."""
    exports = [match for match in (_OTTER.fullmatch(entry.path.stem) for entry in files) if match]
    if len(exports) < len(files) or len({match["name"] for match in exports}) != 1:
        return files
    owned = Found(folder, clean(os.path.basename(os.path.abspath(folder))), person=f"folder {folder}")
    return [
        replace(owned, path=entry.path, order=(True, 0, match["time"]))
        for entry, match in zip(files, exports, strict=True)
    ]
