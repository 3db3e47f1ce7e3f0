"""The paths to hide from workers, even if a folder also holds what they need: Python and its packages."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from gradetape.sandbox.root import visible


def hidden(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The paths themselves; for a folder that holds something a worker needs, all its other entries.

    A course's folder often holds the virtual environment that runs gradetape: then everything else in it is hidden.
    """
    needed = tuple(Path(os.path.realpath(path)) for path in visible())
    return tuple(found for path in paths for found in _hidden(Path(os.path.realpath(path)), needed))


def _hidden(path: Path, needed: tuple[Path, ...]) -> Iterator[Path]:
    if not any(each.is_relative_to(path) for each in needed):
        yield path
        return
    for entry in sorted(path.iterdir()) if path.is_dir() else ():
        if not any(entry.is_relative_to(each) for each in needed):
            yield from _hidden(entry, needed)
