"""What a worker without a tmpfs of its own has written: measured by its keeper, which ends it if that is too much.

Counted are the files in its folder, those without a name that a process of it has open or mapped, and descriptors on
their way between its processes, whose files cannot be seen: more than one of these, at two times, is too much. The
keeper measures again and again, so a worker can exceed its quota by what it writes in the meantime. Of nameless files
it sees what /proc shows it: in a container that takes the right to trace processes from root, it sees none.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from gradetape.records import Limits
from gradetape.sandbox.root import INODES

_MB = 1 << 20
_BLOCK = 512
_DEPTH = 64
_PAUSES_S = (0.1, 0.5)
_SHARE = 50  # measuring takes a fiftieth of the time
_ON_THE_WAY = 2


class DiskQuota:
    """The limits on the folder of a worker; `uid` is the worker's uid, if the keeper is root.

    `pause_s` is how long to wait before the next measure.
    """

    def __init__(self, folder: str, limits: Limits, uid: int | None) -> None:
        self._folder = folder
        self._limit = limits.disk_mb * _MB
        self._uid = uid
        self._carried = False
        self.pause_s = _PAUSES_S[0]

    def exceeded(self, pids: Iterable[int]) -> bool:
        """Whether the worker, whose processes these are, has written too much."""
        began = time.monotonic()
        try:
            with _as(self._uid):
                sizes = _named(self._folder)
        except _Uncountable:
            return True
        carried = _add_nameless(sizes, pids, self._folder) >= _ON_THE_WAY
        again, self._carried = carried and self._carried, carried
        self.pause_s = min(max(_SHARE * (time.monotonic() - began), _PAUSES_S[0]), _PAUSES_S[1])
        return again or sum(sizes.values()) > self._limit or len(sizes) > INODES


class _Uncountable(Exception):
    """Too many files or folders to count, or a folder that cannot be looked into."""


@contextmanager
def _as(uid: int | None) -> Iterator[None]:
    """As the worker's user, if possible: root without DAC_OVERRIDE could not look into its folders."""
    with suppress(PermissionError):  # without SETUID the worker does not start either, and says so
        if uid is not None:
            os.seteuid(uid)
    try:
        yield
    finally:
        if os.geteuid() != os.getuid():
            os.seteuid(os.getuid())


def _named(folder: str) -> dict[int, int]:
    """The bytes on disk of everything below a folder, by inode; raises _Uncountable."""
    sizes: dict[int, int] = {}
    waiting = [(folder, 0)]
    while waiting:
        path, depth = waiting.pop()
        for entry in _entries(path):
            with suppress(FileNotFoundError):
                found = entry.stat(follow_symlinks=False)
                sizes[found.st_ino] = found.st_blocks * _BLOCK
                if stat.S_ISDIR(found.st_mode):
                    waiting.append((entry.path, depth + 1))
        if len(sizes) > INODES or depth > _DEPTH:
            raise _Uncountable
    return sizes


def _entries(path: str) -> list[os.DirEntry[str]]:
    with suppress(PermissionError):
        return _listed(path)
    with suppress(OSError):
        os.chmod(path, 0o700)  # the student's code closed it
    try:
        return _listed(path)
    except OSError:
        raise _Uncountable from None


def _listed(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _add_nameless(sizes: dict[int, int], pids: Iterable[int], folder: str) -> int:
    """Adds the files without a name; returns how many descriptors are on their way."""
    device, carried = _device(folder), 0
    for pid in pids:
        with suppress(OSError):  # it has ended, or /proc does not show it
            carried += _add_open(sizes, f"/proc/{pid}", device)
            _add_mapped(sizes, f"/proc/{pid}/maps", folder)
    return carried


def _device(folder: str) -> int:
    with suppress(OSError):
        return os.stat(folder).st_dev
    return -1


def _add_open(sizes: dict[int, int], process: str, device: int) -> int:
    carried = 0
    for name in os.listdir(f"{process}/fd"):
        with suppress(OSError):
            found = os.stat(f"{process}/fd/{name}")
            if stat.S_ISSOCK(found.st_mode):
                carried += _carried(f"{process}/fdinfo/{name}")
            elif stat.S_ISREG(found.st_mode) and not found.st_nlink and found.st_dev == device:
                sizes[found.st_ino] = found.st_blocks * _BLOCK
    return carried


def _carried(fdinfo: str) -> int:
    """How many descriptors wait in a socket."""
    with open(fdinfo) as file:
        return next((int(line.split()[1]) for line in file if line.startswith("scm_fds:")), 0)


def _add_mapped(sizes: dict[int, int], maps: str, folder: str) -> None:
    """Adds mapped files without a name, as large as the end of the map says: the real size cannot be seen."""
    with open(maps) as file:
        for line in file:
            if line.endswith("(deleted)\n") and folder in line:
                span, _, offset, _, inode = line.split()[:5]
                start, end = (int(edge, 16) for edge in span.split("-"))
                size = int(offset, 16) + end - start
                sizes[int(inode)] = max(sizes.get(int(inode), 0), size)
