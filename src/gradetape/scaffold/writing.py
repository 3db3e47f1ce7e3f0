"""Writes several files, all of them or none."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from gradetape.errors import CourseError


def write(root: Path, made: Mapping[Path, str], places: Sequence[Path]) -> list[Path]:
    """Writes all files or none; raises CourseError if one of the places exists or cannot be written."""
    if taken := [place for place in places if (root / place).exists()]:
        raise CourseError(f"{taken[0]} already exists, and nothing was written. Choose another name.")
    moved: list[Path] = []
    try:
        with tempfile.TemporaryDirectory(dir=root, prefix=".new-") as folder:
            for path, text in made.items():
                (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / path).write_text(text, encoding="utf-8")
            for place in places:
                (root / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.move(Path(folder) / place, root / place)
                moved.append(root / place)
    except OSError as error:
        for path in moved:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise CourseError(
            f"{error.filename or root} cannot be written: {error.strerror}. Nothing was written: use a folder that you "
            "can write to, on a disk with free space."
        ) from error
    return list(made)
