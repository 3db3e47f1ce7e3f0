"""How many processors there are, and how many workers a configuration means by that."""

from __future__ import annotations

import os

from gradetape.course.config import Config


def processors() -> int:
    """How many processors this process may use: those that it is bound to, where the system can tell."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def workers_of(config: Config) -> int:
    """How many workers the configuration asks for; `auto` is one for each processor."""
    return processors() if config.workers == "auto" else config.workers
