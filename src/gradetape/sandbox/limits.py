"""Resource limits (rlimits) of one process."""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

from gradetape.records import Limits

_MB = 1 << 20


def restrict(limits: Limits, *, own_memory: bool, own_processes: bool = False) -> None:
    """Limits this process and its children.

    Set `own_memory` if no control group limits the worker's total memory, and `own_processes` if the process is about
    to get its own uid, by which the kernel counts processes.
    """
    _dump_no_core()
    _limit(resource.RLIMIT_FSIZE, limits.disk_mb * _MB)
    _limit(resource.RLIMIT_NOFILE, 1024)
    _limit(resource.RLIMIT_STACK, 8 * _MB)
    _limit(resource.RLIMIT_MEMLOCK, 1 << 16)
    if own_memory:
        _limit(resource.RLIMIT_DATA, limits.memory_mb * _MB)
    if own_processes:
        _limit(resource.RLIMIT_NPROC, limits.processes)
    Path("/proc/self/oom_score_adj").write_text("1000")


def raise_descriptors() -> None:
    """Allows this process as many descriptors as may be.

    The kernel counts those in transit for all of a user's processes: students' must not use up the grader's.
    """
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _dump_no_core() -> None:
    """Sets a limit of 1 byte: with a limit of 0 the kernel would still pipe a dump to the machine's handler."""
    with suppress(ValueError, OSError):  # the machine's limit is 0, which only root can raise
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))
