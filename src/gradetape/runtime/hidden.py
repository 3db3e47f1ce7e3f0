"""Which paths a worker must not see, where a person's folders may hold what it needs: Python and its packages."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from gradetape.sandbox.root import visible


def hidden(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The paths themselves; of a folder that holds something a worker needs, the entries that do not.

    A course's folder often holds the virtual environment that runs gradetape: then all else in it is hidden.
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
