"""Writes, moves and removes several files of a course, all of them or none."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import copy2, move

from gradetape.errors import CourseError


class Transaction:
    """A change of a course: what was moved is moved back if a later step fails.

    Paths are relative to the course's folder. `staging` is a folder in it for new files, removed at the end.
    """

    def __init__(self, root: Path, staging: Path) -> None:
        self.staging = staging
        self._root = root
        self._moved: list[tuple[Path, Path]] = []

    def create(self, path: Path, text: str) -> None:
        """Writes a file into the staging folder."""
        self.staging.joinpath(path).parent.mkdir(parents=True, exist_ok=True)
        self.staging.joinpath(path).write_text(text, encoding="utf-8")

    def place(self, path: Path) -> None:
        """Moves a file or a folder from the staging folder to its place in the course."""
        self._move(self.staging / path, self._root / path)

    def move(self, path: Path, target: Path) -> None:
        """Moves a file or a folder of the course."""
        self._move(self._root / path, self._root / target)

    def remove(self, path: Path) -> None:
        """Moves a file or a folder to the staging folder, which is removed at the end."""
        self._move(self._root / path, self.staging / "removed" / path)

    def replace(self, path: Path, text: str) -> None:
        """Replaces the text of a file in one step, or creates it."""
        if not (self._root / path).exists():
            self.create(path, text)
            self.place(path)
            return
        kept = self.staging / "kept" / path
        kept.parent.mkdir(parents=True, exist_ok=True)
        copy2(self._root / path, kept)
        self.create(path, text)
        (self.staging / path).chmod((self._root / path).stat().st_mode)
        move(self.staging / path, self._root / path)
        self._moved.append((kept, self._root / path))

    def undo(self) -> None:
        """Moves everything back."""
        while self._moved:
            source, target = self._moved.pop()
            if source.exists():  # the former text of a replaced file
                move(source, target)
            else:
                move(target, source)

    def _move(self, source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        move(source, target)
        self._moved.append((source, target))


@contextmanager
def transaction(root: Path) -> Iterator[Transaction]:
    """A change of the course in `root`, made completely or not at all; raises CourseError if it cannot be made."""
    try:
        with tempfile.TemporaryDirectory(dir=root, prefix=".new-") as folder:
            change = Transaction(root, Path(folder))
            try:
                yield change
            except BaseException:
                change.undo()
                raise
    except OSError as error:
        raise CourseError(
            f"{error.filename or root} cannot be written: {error.strerror}. Nothing was written: use a folder that you "
            "can write to, on a disk with free space."
        ) from error


def write(
    root: Path, made: Mapping[Path, str], places: Sequence[Path], replaced: Mapping[Path, str] | None = None
) -> list[Path]:
    """Writes new files and replaces texts, all or none; returns the new files.

    Raises CourseError if one of the places exists or cannot be written.
    """
    refuse_taken(root, places)
    with transaction(root) as change:
        for path, text in made.items():
            change.create(path, text)
        for place in places:
            change.place(place)
        for path, text in (replaced or {}).items():
            change.replace(path, text)
    return list(made)


def refuse_taken(root: Path, places: Sequence[Path]) -> None:
    """Raises CourseError if one of the places exists."""
    if taken := [place for place in places if (root / place).exists()]:
        raise CourseError(f"{taken[0]} already exists, and nothing was written. Choose another name.")
