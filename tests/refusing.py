"""What machines lack that tests simulate with `on_a_lesser_machine`: system calls, control groups, capabilities.

The kernel really refuses the calls, as an older kernel or a container would.
"""

from __future__ import annotations

import ctypes
import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyseccomp
import pytest

from examples.hostile import delegation
from gradetape.sandbox import syscalls

KILL, SETGID, SETUID = 5, 6, 7
_PR_CAPBSET_DROP = 24
NO_LANDLOCK = [("landlock_create_ruleset", errno.EOPNOTSUPP)]


def asked(position: int, value: int) -> Any:
    """A condition: the argument at this position is this value."""
    return pyseccomp.Arg(position, pyseccomp.EQ, value)


def flagged(position: int, flag: int) -> Any:
    """A condition: the argument at this position has this flag."""
    return pyseccomp.Arg(position, pyseccomp.MASKED_EQ, flag, flag)


def hide_control_groups() -> None:
    """Mounts an empty folder over the control groups."""
    syscalls.mount("tmpfs", "/sys/fs/cgroup", "tmpfs")


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that everybody can read; the temporary folders of pytest are private."""
    with tempfile.TemporaryDirectory(prefix="open-", ignore_cleanup_errors=True) as name:
        os.chmod(name, 0o755)
        yield Path(name)


def limit_by_engine(megabytes: int) -> None:
    """Simulates a limit set by a container engine: a group that can be read, and none that can be created."""
    hide_control_groups()
    Path("/sys/fs/cgroup/memory.max").write_text(f"{megabytes << 20}\n")
    Path("/sys/fs/cgroup/memory.events").write_text("oom 0\noom_kill 0\n")


def keep_capabilities(*kept: int) -> None:
    """Limits processes started from now on to these capabilities, even as root."""
    drop = ctypes.CDLL(None, use_errno=True).prctl
    for capability in set(range(64)) - set(kept):
        drop(_PR_CAPBSET_DROP, capability, 0, 0, 0)


def mask_proc() -> None:
    """Covers a part of /proc, as a container engine does: the kernel then refuses a new /proc in a user namespace."""
    syscalls.mount("tmpfs", "/proc/sys/kernel", "tmpfs", syscalls.MS_RDONLY)


def open_to_others() -> None:
    """Lets other users read this interpreter and its packages; skips the test where that cannot be done."""
    if not delegation.open_to_others():
        pytest.skip("another user may not read this environment: it is below a private folder")
