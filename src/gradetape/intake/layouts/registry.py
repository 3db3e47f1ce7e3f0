"""Every layout, and the choice among them: one that explains the whole folder, or a refusal."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gradetape.files import link_in
from gradetape.intake.found import NOT_CERTAIN, Clues, DiscoveredFile, FolderEntry, Listing, file_at, is_folder
from gradetape.intake.layouts.base import Layout, Recognised
from gradetape.intake.layouts.blackboard import Blackboard
from gradetape.intake.layouts.brightspace import Brightspace
from gradetape.intake.layouts.canvas import Canvas
from gradetape.intake.layouts.github import GitHub
from gradetape.intake.layouts.google import Google
from gradetape.intake.layouts.gradescope import Gradescope
from gradetape.intake.layouts.jupyterhub import JupyterHub
from gradetape.intake.layouts.moodle import Moodle
from gradetape.intake.layouts.nbgrader import Nbgrader
from gradetape.intake.layouts.plain import find_plain
from gradetape.intake.layouts.signatures import NBGRADER_INBOUND, NBGRADER_SUBMITTED, names_a_platform
from gradetape.intake.names import clean
from gradetape.text import counted, few, one_line

PLAIN = "plain"
LAYOUTS: tuple[Layout, ...] = (
    Canvas(), Moodle(), Gradescope(), Blackboard(), Brightspace(), Nbgrader(), GitHub(), JupyterHub(), Google(),
)  # fmt: skip
LAYOUT_NAMES = (*(layout.name for layout in LAYOUTS), PLAIN)
_PLAIN_TITLE = "Plain folder"
_MAX_DEPTH = 3
_FOREIGN = (
    "The file is named as a learning platform names submissions, and is in a folder: it is not certain which of the "
    "two says whose it is. Rename the file, or grade it by itself with --student."
)
_ALONE = "it holds the work of one student only: pass the inner folder, or say what this one is with --layout"
_BY_HAND = "Grade each part by itself, or say what the folder is with --layout."


@dataclass(frozen=True)
class Found:
    """The submissions at the paths, and the title of their layout; empty if only files were passed.

    `used` are the other entries that the layout explains. `problem` says why the layout is not certain. The files are
    then those of a plain folder, and not to be graded.
    """

    files: tuple[DiscoveredFile, ...]
    title: str = ""
    used: frozenset[Path] = frozenset()
    problem: str = ""

    @property
    def of_platform(self) -> bool:
        """Whether the folder looks like a platform's download, recognised or not certain."""
        return bool(self.problem) or self.title not in ("", _PLAIN_TITLE)


def find(paths: list[Path], clues: Clues, asked: str | None = None) -> Found:
    """The submissions at the paths, by the layout that was asked for or the one that explains the whole folder."""
    listing = _listing(paths, clues)
    if listing is None or asked == PLAIN:
        return _plain(paths, clues)
    if owned := _in_a_persons_folder(paths, clues):
        return owned
    if asked is not None:
        return _asked_for(next(layout for layout in LAYOUTS if layout.name == asked), listing, paths)
    for explicit in (True, False):
        layouts = [layout for layout in LAYOUTS if layout.explicit is explicit]
        if readings := _readings(layouts, listing) or _of_itself(layouts, paths, clues):
            found = _decided(readings, listing, paths)
            return found if explicit else _without_foreign_names(found, paths)
    return _without_foreign_names(_plain(paths, clues), paths)


def _listing(paths: list[Path], clues: Clues) -> Listing | None:
    """What was passed, as one folder; None if it is a link or does not exist."""
    if any("\0" in os.fspath(path) or link_in(path) or not os.path.exists(path) for path in paths):
        return None
    return Listing.of_folder(paths[0], clues) if _is_one_folder(paths) else Listing.of_paths(paths, clues)


def _in_a_persons_folder(paths: list[Path], clues: Clues) -> Found | None:
    """Files that were passed out of a folder that a platform has named: the folder says whose they are."""
    folders = {path: _platforms_folder(path) for path in paths if not is_folder(path)}
    if len(folders) < len(paths) or not all(folders.values()):
        return None
    listing = Listing.of_paths(sorted({folder for folder in folders.values() if folder}), clues)
    readings = [it for layout in LAYOUTS if layout.explicit and (it := layout.recognise(listing))]
    files = {file.path.absolute(): file for it in readings for file in it.files}
    own = [files[path.absolute()] for path in paths if path.absolute() in files]
    return Found(tuple(own)) if len(own) == len(paths) else None


def _platforms_folder(path: Path) -> Path | None:
    """The outermost folder around a file that a platform has named: what is in it, a student may have named."""
    around = (each for each in reversed(path.parents) if names_a_platform(each.name, folder=True))
    return next((each for each in around if each.name not in (NBGRADER_SUBMITTED, NBGRADER_INBOUND)), None)


def _without_foreign_names(found: Found, paths: list[Path]) -> Found:
    """In a student's folder, a file that is named like another platform's may be somebody else's."""
    inner = [file for file in found.files if file.rank and file.path.parent not in paths and file.path not in paths]
    foreign = {file.path for file in inner if names_a_platform(file.path.name, folder=False)}
    return replace(found, files=tuple(_foreign(file) if file.path in foreign else file for file in found.files))


def _foreign(file: DiscoveredFile) -> DiscoveredFile:
    refused = replace(file, rank=0, problem=_FOREIGN, for_student=NOT_CERTAIN)
    return refused if file.folder else replace(refused, student=clean(file.path.parent.name), person="")


def _is_one_folder(paths: list[Path]) -> bool:
    return len(paths) == 1 and is_folder(paths[0])


def _plain(paths: list[Path], clues: Clues, problem: str = "") -> Found:
    title = _PLAIN_TITLE if any(map(os.path.isdir, paths)) else ""
    return Found(tuple(find_plain(paths, clues.content_of)), title, problem=problem)


Readings = list[tuple[Layout, Recognised]]


def _readings(layouts: Iterable[Layout], listing: Listing, depth: int = 0) -> Readings:
    """What each layout recognises in a folder, or in the folders in it if none does."""
    found = [(layout, it) for layout in layouts if (it := layout.recognise(listing))]
    return found if found or depth >= _MAX_DEPTH else _below(list(layouts), listing, depth + 1)


def _of_itself(layouts: Iterable[Layout], paths: list[Path], clues: Clues) -> Readings:
    """What explicit layouts recognise in the folder's own name: one student's folder may be passed."""
    explicit = [layout for layout in layouts if layout.explicit and _is_one_folder(paths)]
    listing = Listing.of_paths(paths, clues)
    return [(layout, it) for layout in explicit if (it := layout.recognise(listing)) and _has_people(it, 1)]


def _below(layouts: list[Layout], listing: Listing, depth: int) -> Readings:
    """What the layouts recognise in the folders of a folder, such as one for each section.

    A folder in which one person is recognised can be that of a student, who may name files like a platform's.
    """
    children = [entry for entry in listing.folders if entry.is_handed_in]
    read = [(child, _readings(layouts, Listing.of_folder(child.path, listing.clues), depth)) for child in children]
    explicit = all(layout.explicit for layout in layouts)
    if len(children) == 1 and not explicit:
        read = [(child, [(layout, _unless_alone(it)) for layout, it in found]) for child, found in read]
    enough = 1 if len(children) == 1 else 2
    if not any(_has_people(it, enough) or it.problem for _, found in read for _, it in found):
        return []
    recognised = {layout.name: layout for _, found in read for layout, _ in found}
    return [(layout, _union(name, read, listing.clues)) for name, layout in recognised.items()]


def _unless_alone(it: Recognised) -> Recognised:
    return it if it.problem or _has_people(it, 2) else Recognised.unclear(_ALONE)


def _has_people(it: Recognised, count: int) -> bool:
    return len({file.person for file in it.files}) >= count


def _union(name: str, read: list[tuple[FolderEntry, Readings]], clues: Clues) -> Recognised:
    """All that a layout recognises in several folders; it explains a folder if it explains everything in it."""
    files, used, problem = list[DiscoveredFile](), set[Path](), ""
    for child, found in read:
        for layout, it in found:
            if layout.name == name:
                files += it.files
                problem = problem or it.problem
                used |= {child.path} if it.used and _explains(it, child, clues) else set()
    return Recognised(tuple(files), frozenset(used), problem)


def _explains(it: Recognised, child: FolderEntry, clues: Clues) -> bool:
    """Whether nothing that was handed in is left over in a folder, or all that it recognises lies deeper."""
    return it.score(Listing.of_folder(child.path, clues)) == 1.0


def _decided(readings: Readings, listing: Listing, paths: list[Path]) -> Found:
    """The layout that explains everything; a problem if there are several, or if something is left over."""
    place = one_line(os.fspath(paths[0])) if len(paths) == 1 else "What was passed"
    layout, it = readings[0]
    if len(readings) > 1:
        titles = " and like ".join(layout.title for layout, _ in readings)
        problem = f"{place} looks like a download of {titles}, and nothing was graded. {_BY_HAND}"
        return _plain(paths, listing.clues, problem)
    if it.problem:
        return _plain(paths, listing.clues, f"{place} looks like a download of {layout.title}, but {it.problem}")
    if left := [entry for entry in listing.entries if entry.is_handed_in and entry.path not in it.used]:
        return _plain(paths, listing.clues, _left_over(place, layout, it, left))
    return Found(it.files, layout.title, it.used)


def _left_over(place: str, layout: Layout, it: Recognised, left: list[FolderEntry]) -> str:
    people = len({file.person for file in it.files})
    return (
        f"{place} looks like a download of {layout.title} ({counted(people, 'student')}), but not all of it: "
        f"{few(one_line(entry.name) for entry in left)}. Whose these are is not certain, and nothing was graded. "
        f"Move them to a folder of their own, or pass --layout {layout.name} to leave them ungraded."
    )


def _asked_for(layout: Layout, listing: Listing, paths: list[Path]) -> Found:
    """What a layout recognises; everything else that was handed in is reported."""
    it = layout.recognise(listing, asked=True)
    if it is None:
        it = next((found for _, found in _below([layout], listing, 1)), None)
    if it is None or it.problem:
        why = it.problem if it else f"nothing in it is named as {layout.title} names it: {layout.names}"
        return _plain(paths, listing.clues, f"--layout {layout.name}: {why}")
    left = (entry for entry in listing.entries if entry.is_handed_in and entry.path not in it.used)
    return Found((*it.files, *_not_of(layout, left)), layout.title, it.used)


def _not_of(layout: Layout, left: Iterable[FolderEntry]) -> Iterator[DiscoveredFile]:
    reason = (
        f"It is not named as {layout.title} names submissions ({layout.names}), and was not graded. "
        "Grade it by itself, and name its student with --student."
    )
    for entry in left:
        yield DiscoveredFile(entry.path, file_at(entry.path).student, problem=reason, for_student=NOT_CERTAIN)
