"""Machines that lack something: what is started there is refused a system call, or sees other mounts.

A filter of system calls and a mount namespace belong to a thread. One made here, and whatever it starts, is refused for
real by the kernel, as by an older kernel or in a container, while the tests around it go on as before.
"""

from __future__ import annotations

import ctypes
import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pyseccomp
import pytest

from examples.hostile import delegation
from gradetape.sandbox import syscalls

Found = TypeVar("Found")
NO_NAMESPACES = [("unshare",), ("mount",)]
KILL, SETGID, SETUID = 5, 6, 7
_PR_CAPBSET_DROP = 24
NO_LANDLOCK = [("landlock_create_ruleset", errno.EOPNOTSUPP)]


def on_a_lesser_machine(
    work: Callable[[], Found], *rules: tuple[Any, ...], prepare: Callable[[], object] | None = None
) -> Found:
    """Does work where these system calls are refused: a name, an errno (EPERM), and conditions on the arguments."""

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


def asked(position: int, value: int) -> Any:
    """A condition: the argument at this position is this value."""
    return pyseccomp.Arg(position, pyseccomp.EQ, value)


def flagged(position: int, flag: int) -> Any:
    """A condition: the argument at this position has this flag."""
    return pyseccomp.Arg(position, pyseccomp.MASKED_EQ, flag, flag)


def hide_control_groups() -> None:
    """An empty folder where control groups would be."""
    syscalls.mount("tmpfs", "/sys/fs/cgroup", "tmpfs")


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that everybody may read; pytest's own are private, and become so again with each session of it."""
    with tempfile.TemporaryDirectory(prefix="open-", ignore_cleanup_errors=True) as name:
        os.chmod(name, 0o755)
        yield Path(name)


def limit_by_engine(megabytes: int) -> None:
    """What a container sees of a limit that its engine set: a group that it can read, and none that it can make."""
    hide_control_groups()
    Path("/sys/fs/cgroup/memory.max").write_text(f"{megabytes << 20}\n")
    Path("/sys/fs/cgroup/memory.events").write_text("oom 0\noom_kill 0\n")


def keep_capabilities(*kept: int) -> None:
    """What is started from now on has no other capabilities, though it be root."""
    drop = ctypes.CDLL(None, use_errno=True).prctl
    for capability in set(range(64)) - set(kept):
        drop(_PR_CAPBSET_DROP, capability, 0, 0, 0)


def mask_proc() -> None:
    """Covers a part of /proc, as a container's engine does: then the kernel gives no new /proc to a user namespace."""
    syscalls.mount("tmpfs", "/proc/sys/kernel", "tmpfs", syscalls.MS_RDONLY)


def open_to_others() -> None:
    """Lets other users read this interpreter and its packages; skips the test where that cannot be done."""
    if not delegation.open_to_others():
        pytest.skip("another user may not read this environment: it lies below a private folder")
