"""Resource limits of one process."""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

from gradetape.records import Limits

_MB = 1 << 20


def restrict(limits: Limits, *, own_memory: bool, own_processes: bool = False) -> None:
    """Limits this process and its children.

    `own_memory` where no control group limits the sum of a worker's memory; `own_processes` where it is about to have
    a uid of its own, by which the kernel counts processes.
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


def _dump_no_core() -> None:
    """A limit of 0 does not keep a dump from the machine's handler, and one of 1 byte does."""
    with suppress(ValueError, OSError):  # the machine's limit is 0, and only root may raise that
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))
