"""Files that are read more than once, by several processes: each of them has to read the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gradetape.errors import CourseError
from gradetape.text import few


def refuse_changed(root: Path, read: Mapping[Path, bytes]) -> None:
    """Raises CourseError if one of these files of a course no longer holds what was read."""
    changed = [path for path, data in read.items() if _now(path) != data]
    if changed:
        names = few(str(path.relative_to(root)) for path in changed)
        raise CourseError(
            f"Changed after the command had read it: {names}. What was recorded before is kept. "
            "Run the same command again."
        )


def _now(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
