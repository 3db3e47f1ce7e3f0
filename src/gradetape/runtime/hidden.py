"""The paths to hide from workers, even if a folder also holds what they need: Python and its packages."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from gradetape.sandbox.root import OWN, visible

_REPLACED = tuple(map(Path, ("/etc", "/proc", "/dev", "/sys")))


def hidden(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The paths that a worker must prove not to see; for a folder that holds what it needs, all its other entries.

    A course's folder often holds the virtual environment that runs gradetape: then everything else in it is hidden. A
    worker has folders of its own in place of `/tmp` and the like, so these are left out, but not what is in `/tmp`.
    """
    needed = tuple(map(_real, _needed()))
    return tuple(found for path in paths for found in _hidden(_real(path), needed))


def _needed() -> Iterator[str]:
    """What workers see; the working directory, which is on the path only with `python -m`, is not visible."""
    here = None if sys.flags.safe_path or sys.path[:1] != [os.getcwd()] else os.getcwd()
    yield from (path for path in visible() if path != here)


def _hidden(path: Path, needed: tuple[Path, ...]) -> Iterator[Path]:
    if any(Path(own).is_relative_to(path) for own in OWN) or _within(path, _REPLACED):
        return
    if not any(each.is_relative_to(path) for each in needed):
        yield path
        return
    with suppress(OSError):  # what the grader cannot read, a worker cannot either
        for entry in sorted(path.iterdir()) if path.is_dir() else ():
            if not _within(_real(entry), needed):
                yield from _hidden(_real(entry), needed)


def _within(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _real(path: Path | str) -> Path:
    return Path(os.path.realpath(path))
