"""The processors that this process may use, and the number of workers that follows from them."""

from __future__ import annotations

import math
import os
from pathlib import Path

from gradetape.course.config import Config

_GROUPS = Path("/sys/fs/cgroup")
# Of control groups of version 2 and 1: a quota, and the period that it is for.
_QUOTAS = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))


def processors(groups: Path = _GROUPS) -> int:
    """The number of processors that this process may use; all of the machine's where the system cannot say.

    A container that has a share of them, by the control group in `groups`, has that share rounded up.
    """
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(found, _share(groups))))


def workers_of(config: Config) -> int:
    """The number of workers that the configuration asks for; `auto` is one per processor."""
    return processors() if config.workers == "auto" else config.workers


def _share(groups: Path) -> float:
    for names in _QUOTAS:
        try:
            quota, period = map(int, " ".join((groups / name).read_text() for name in names).split())
        except (OSError, ValueError):  # a quota of `max` is none
            continue
        if quota > 0 and period > 0:
            return quota / period
    return math.inf
