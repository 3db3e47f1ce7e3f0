"""The processes of a running grader, by role."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil

ROLES = ("supervisor", "judge server", "judge child", "zygote", "outer", "init", "worker")


def parts(supervisor: int) -> dict[str, list[int]]:
    """The process of a `gradetape grade` and all processes that it has started, by role.

    Each worker has an outer process below the zygote, below that the init of its namespace, and below that the worker
    itself with everything that the student's code started.
    """
    found: dict[str, list[int]] = {role: [] for role in ROLES}
    with suppress(psutil.NoSuchProcess):
        _add(found, psutil.Process(supervisor), "supervisor")
    return found


def _add(found: dict[str, list[int]], process: psutil.Process, role: str) -> None:
    found[role].append(process.pid)
    for child in _children(process):
        _add(found, child, _role(child, role))


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children()
    except psutil.NoSuchProcess:
        return []


def _role(child: psutil.Process, parent: str) -> str:
    if parent == "supervisor":
        try:
            return "zygote" if "gradetape.worker.zygote" in child.cmdline() else "judge server"
        except psutil.Error:
            return "judge server"
    below = {"judge server": "judge child", "judge child": "judge child", "zygote": "outer", "outer": "init"}
    return below.get(parent, "worker")


def until(wanted: Callable[[], Any], patience_s: float = 120.0) -> Any:
    """The first true result of `wanted`; raises TimeoutError."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if found := wanted():
            return found
        time.sleep(0.02)
    raise TimeoutError
