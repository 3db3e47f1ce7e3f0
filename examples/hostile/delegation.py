"""Sets up users and machines for a trial, as root: delegated control groups, as a systemd login may have them, the
permission to read this interpreter, and a kernel that refuses system calls.

A system call filter and a mount namespace belong to a thread. What runs in a thread started here, and its child
processes, is affected; nothing else is.
"""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pyseccomp

from gradetape.sandbox import root, syscalls
from gradetape.sandbox.groups import MOUNTS, own_paths

Found = TypeVar("Found")
NO_NAMESPACES: tuple[tuple[Any, ...], ...] = (("unshare",), ("mount",))
_VERSION_1 = ("memory", "pids", "cpuacct", "cpu")


@contextmanager
def delegated(user: int) -> Iterator[tuple[Path, ...]]:
    """New groups below this process's own that belong to `user`; only root can create them."""
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


def in_the_open(work: Callable[[], Found]) -> Found:
    """Runs `work` where other users can read this interpreter, as far as possible; only root can do this."""
    return on_a_lesser_machine(work, prepare=open_to_others)


def without_namespaces(work: Callable[[], Found]) -> Found:
    """Runs `work` where workers get no namespaces, as in many containers; only root can do this."""
    return on_a_lesser_machine(work, *NO_NAMESPACES, prepare=open_to_others)


def on_a_lesser_machine(
    work: Callable[[], Found], *rules: tuple[Any, ...], prepare: Callable[[], object] | None = None
) -> Found:
    """Runs `work` where system calls are refused; a rule is a name, an errno (default EPERM), and conditions."""

    def all_of_it() -> Found:
        if prepare:
            syscalls.unshare(syscalls.NEWNS)
            syscalls.mount(None, "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
            prepare()
        _refuse(rules)
        return work()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(all_of_it).result()


def _refuse(rules: tuple[tuple[Any, ...], ...]) -> None:
    if not rules:
        return
    filter_ = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    filter_.set_attr(pyseccomp.Attr.CTL_NNP, 0)
    for name, *rest in rules:
        number, *conditions = rest or [errno.EPERM]
        filter_.add_rule(pyseccomp.ERRNO(number), name, *conditions)
    filter_.load()


def open_to_others() -> bool:
    """Replaces private folders above the interpreter or its packages by open ones; returns whether that was possible.

    It is not possible if temporary files are in the private folder too.
    """
    closed = {Path(path): os.open(path, os.O_PATH) for path in root.visible() if not _is_open(Path(path))}
    tops = {Path(*path.parts[:2]) for path in closed}
    possible = not any(Path(tempfile.gettempdir()).is_relative_to(top) for top in tops)
    for top in tops if possible else ():
        syscalls.mount("tmpfs", str(top), "tmpfs", 0, "mode=755")
    for path, descriptor in closed.items():
        if not path.exists():
            path.mkdir(parents=True, mode=0o755)
            syscalls.mount(f"/proc/self/fd/{descriptor}", str(path), None, syscalls.MS_BIND | syscalls.MS_REC)
        os.close(descriptor)
    return possible


def _is_open(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in path.parents)


def join(groups: tuple[Path, ...]) -> None:
    """Moves this process into the groups."""
    for folder in groups:
        (folder / "cgroup.procs").write_text("0")


def _places() -> list[Path]:
    own = own_paths(Path("/proc/self/cgroup").read_text())
    if (MOUNTS / "memory").is_dir():
        found = ((MOUNTS / name).resolve() / own[name].lstrip("/") for name in _VERSION_1 if name in own)
        return list(dict.fromkeys(found))
    (MOUNTS / "cgroup.subtree_control").write_text("+memory +pids")
    return [MOUNTS]


def _remove(folder: Path) -> None:
    """Removes a group and those below it, which are all empty by now."""
    for below in (*folder.glob("*/*/"), *folder.glob("*/"), folder):
        if below.is_dir():
            below.rmdir()
