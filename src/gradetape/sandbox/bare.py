"""No walls but resource limits: for `--isolation none`, which says so on every result."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from typing import NoReturn

from gradetape.sandbox import syscalls
from gradetape.sandbox.base import Policy, Reports
from gradetape.sandbox.limits import restrict


class Bare:
    """A process group of its own, and resource limits. Code inside can read whatever the grader can."""

    def __init__(self, policy: Policy, aggregate_memory: bool) -> None:
        self._policy = policy
        self._aggregate = aggregate_memory

    def check(self) -> None:
        """There is nothing that could be missing."""

    def enter(self, role: str, work: Callable[[], None], reports: Reports, keep: int) -> NoReturn:
        """A: waits for the worker, a child in a session of its own."""
        os.setsid()
        syscalls.die_with_parent()
        # Within the zygote's own folder, which goes with it: a process that is killed cannot remove its own.
        folder = tempfile.mkdtemp(prefix="worker-", dir=os.path.dirname(self._policy.socket))
        worker = os.fork()
        if worker == 0:
            syscalls.die_with_parent()
            restrict(self._policy.limits, own_memory=not self._aggregate)
            os.chdir(folder)
            os.environ.update(HOME=folder, TMPDIR=folder)
            tempfile.tempdir = None
            reports.ready(("rlimits",))
            work()
            os._exit(0)
        os.close(keep)
        reports.init(worker)
        _, status, used = os.wait4(worker, 0)
        reports.ended(status, used.ru_utime + used.ru_stime, used.ru_maxrss >> 10)
        shutil.rmtree(folder, ignore_errors=True)
        os.killpg(0, signal.SIGKILL)
        os._exit(0)
