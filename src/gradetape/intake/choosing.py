"""Chooses the file that counts among those of one person; copies of one file are one submission."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from gradetape.intake.found import DiscoveredFile
from gradetape.intake.names import without_copy_mark
from gradetape.text import few, one_line

_WHICH = "You handed in several files, expected one. Tell your instructor which one to grade."
Declares = Callable[[Path], str | None]
ContentOf = Callable[[Path], str]


@dataclass(frozen=True)
class FileChoice:
    """The file of a person that counts, or a file with a problem; the person's other files; and how many attempts.

    `attempts` counts the one that counts too; it is 0 if the person handed in nothing. `copies` hold the same as the
    file that counts, and are not among the others. `candidates` are the files among which nobody could choose.
    """

    file: DiscoveredFile
    others: tuple[DiscoveredFile, ...]
    attempts: int
    copies: tuple[DiscoveredFile, ...] = ()
    candidates: tuple[DiscoveredFile, ...] = ()


def people(found: Iterable[DiscoveredFile]) -> list[list[DiscoveredFile]]:
    """The files of each person; a file of unknown person is alone."""
    same: dict[str, list[DiscoveredFile]] = {}
    for file in found:
        same.setdefault(file.person or os.fspath(file.path), []).append(file)
    return list(same.values())


def choose(
    files: list[DiscoveredFile], declares: Declares, content_of: ContentOf, assignment: str | None
) -> FileChoice:  # fmt: skip
    """Which of a person's files counts.

    The latest attempt counts, a notebook or zip before a script, and a notebook that declares the assignment before
    those that declare none. `declares` reads the assignment that a notebook declares, `content_of` a digest of what a
    file holds, which is empty if it cannot be read.
    """
    candidates, copies = _without_copies(_candidates(files), content_of)
    attempts = _attempts(files, candidates)
    if _are_many(candidates):
        named = _declaring(candidates, declares, assignment)
        if named is None:
            problem = replace(
                candidates[0], path=_where(candidates), rank=0, problem=_which(candidates), for_student=_WHICH
            )
            return FileChoice(problem, (), attempts, candidates=tuple(candidates))
        chosen = named
    else:
        chosen = max(candidates, key=lambda file: file.order)
    own = tuple(copies.get(chosen.path, ()))
    left = tuple(file for file in files if file is not chosen and file not in own)
    return FileChoice(chosen, left, attempts, own)


def is_unclear(files: list[DiscoveredFile], content_of: ContentOf) -> bool:
    """Whether only a person, or what the notebooks say, can choose among a person's files.

    It is clear if they are named as copies of one file and hold the same.
    """
    candidates = _candidates(files)
    named_alike = len({without_copy_mark(file.title).casefold() for file in candidates}) == 1
    return _are_many(candidates) and not (named_alike and are_alike(candidates, content_of))


def are_alike(files: list[DiscoveredFile], content_of: ContentOf) -> bool:
    """Whether several files all hold the same, as far as they can be read."""
    contents = {content_of(file.path) for file in files} if len(files) > 1 else set()
    return len(contents) == 1 and "" not in contents


def _candidates(files: list[DiscoveredFile]) -> list[DiscoveredFile]:
    """The files of the latest attempt that may be graded, or those with a problem if there are none."""
    latest = max(file.attempt for file in files) if all(file.attempt for file in files) else None
    own = [file for file in files if latest in (None, file.attempt)]
    rank = max(file.rank for file in own)
    return [file for file in own if file.rank == rank]


def _without_copies(
    candidates: list[DiscoveredFile], content_of: ContentOf
) -> tuple[list[DiscoveredFile], dict[Path, list[DiscoveredFile]]]:
    """One file of each content, and the copies of each; files are only opened if there are several to choose from."""
    if not _are_many(candidates):
        return candidates, {}
    same: dict[str, list[DiscoveredFile]] = {}
    for file in sorted(candidates, key=_plainness):
        same.setdefault(content_of(file.path) or os.fspath(file.path), []).append(file)
    first = {id(files[0]) for files in same.values()}
    return [file for file in candidates if id(file) in first], {files[0].path: files[1:] for files in same.values()}


def _plainness(file: DiscoveredFile) -> tuple[bool, bool, int, int, str]:
    """What stands first among equal files: a notebook before a zip, an original before a copy, a short path."""
    path = file.path
    return (
        path.suffix.lower() == ".zip", without_copy_mark(path.stem) != path.stem, len(path.parts), len(path.name),
        os.fspath(path),
    )  # fmt: skip


def _attempts(files: list[DiscoveredFile], candidates: list[DiscoveredFile]) -> int:
    if all(file.attempt for file in files):
        return len({file.attempt for file in files})
    return len(candidates) if _are_attempts(candidates) else 1


def _are_many(candidates: list[DiscoveredFile]) -> bool:
    return candidates[0].rank > 0 and len(candidates) > 1 and not _are_attempts(candidates)


def _are_attempts(files: list[DiscoveredFile]) -> bool:
    orders = {file.order for file in files}
    return len({file.title for file in files}) == 1 and len(orders) == len(files) and all(f.ordered for f in files)


def _declaring(candidates: list[DiscoveredFile], declares: Declares, assignment: str | None) -> DiscoveredFile | None:
    """The only one that declares the assignment that was asked for, or any if none was; None if there are several."""
    found = {file.path: declares(file.path) for file in candidates}
    named = [file for file in candidates if found[file.path] and found[file.path] == (assignment or found[file.path])]
    return named[0] if len(named) == 1 else None


def _where(files: list[DiscoveredFile]) -> Path:
    """The student's folder of the files, or the first file if the folder has other students' files too."""
    folders = {os.path.abspath(file.folder) for file in files if file.folder}
    return files[0].folder if files[0].folder and len(folders) == 1 else files[0].path


def _which(files: list[DiscoveredFile]) -> str:
    common = os.path.commonpath([os.path.abspath(file.path.parent) for file in files])
    names = few(one_line(os.path.relpath(file.path, common)) for file in files)
    return (
        f"Found {len(files)} files, expected one: {names}. Keep the one to grade and move the others away. "
        "If they belong to several students, grade their folder by itself."
    )
