"""The processors that this process may use, and the number of workers that follows from them."""

from __future__ import annotations

import os

from gradetape.course.config import Config


def processors() -> int:
    """The number of processors that this process may use; all of the machine's where the system cannot say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def workers_of(config: Config) -> int:
    """The number of workers that the configuration asks for; `auto` is one per processor."""
    return processors() if config.workers == "auto" else config.workers
