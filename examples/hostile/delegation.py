"""Control groups that belong to an ordinary user, as a login under systemd may have them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gradetape.sandbox.groups import MOUNTS, own_paths

_VERSION_1 = ("memory", "pids", "cpuacct")


@contextmanager
def delegated(user: int) -> Iterator[tuple[Path, ...]]:
    """New groups below this process's own that belong to `user`; only root can make them."""
    made = [place / f"delegated-{secrets.token_hex(4)}" for place in _places()]
    try:
        for folder in made:
            folder.mkdir()
            for path in (folder, *folder.glob("cgroup.*"), *folder.glob("tasks")):
                os.chown(path, user, user)
        yield tuple(made)
    finally:
        for folder in made:
            _remove(folder)


def join(groups: tuple[Path, ...]) -> None:
    """Puts this process into them."""
    for folder in groups:
        (folder / "cgroup.procs").write_text("0")


def _places() -> list[Path]:
    own = own_paths(Path("/proc/self/cgroup").read_text())
    if (MOUNTS / "memory").is_dir():
        return [MOUNTS / name / own[name].lstrip("/") for name in _VERSION_1 if name in own]
    (MOUNTS / "cgroup.subtree_control").write_text("+memory +pids")
    return [MOUNTS]


def _remove(folder: Path) -> None:
    """A group goes with those below it, all of which are empty by now."""
    for below in (*folder.glob("*/*/"), *folder.glob("*/"), folder):
        if below.is_dir():
            below.rmdir()
