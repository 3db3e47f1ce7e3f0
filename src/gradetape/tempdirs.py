"""Temporary folders that clean up after killed processes: creating one removes those whose owner has ended."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gradetape.errors import InfrastructureError

try:
    import fcntl
except ModuleNotFoundError:  # Windows, where nothing is graded and few of these folders are created
    fcntl = None  # type: ignore[assignment]


@contextmanager
def folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """A private folder in `parent` (the system's folder for temporary files), removed at the end.

    Its owner holds a lock on it, which ends with the owner even if that is killed: a folder without a lock is left
    over, and removed when the next folder with that prefix is created. Raises OSError with a `parent`, otherwise
    InfrastructureError.
    """
    try:
        path, lock = _made(prefix, parent or Path(tempfile.gettempdir()))
    except OSError as error:
        if parent is not None:
            raise
        raise InfrastructureError(
            f"Temporary files cannot be created ({error.strerror or error}). Free some space, or set TMPDIR to a "
            "folder that you can write to, and run the command again: it continues where it stopped."
        ) from error
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def hold(path: Path, *, wait: bool) -> int:
    """Locks a folder until the returned descriptor is closed; raises BlockingIOError if it is locked and not `wait`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _made(prefix: str, parent: Path) -> tuple[Path, int]:
    if fcntl is None:
        return Path(tempfile.mkdtemp(prefix=prefix, dir=parent)), os.open(os.devnull, os.O_RDONLY)
    for left in parent.glob(f"{prefix}*"):
        with suppress(OSError):
            _remove_if_left(left)
    while True:
        path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        lock = hold(path, wait=True)
        if path.exists():  # else another process removed it before it was locked
            return path, lock
        os.close(lock)


def _remove_if_left(path: Path) -> None:
    """Removes an unlocked folder of this user; raises OSError if it is locked or cannot be opened."""
    lock = hold(path, wait=False)
    try:
        if os.fstat(lock).st_uid == os.geteuid():
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)
