"""Resource limits without a sandbox: for `--isolation none`, which is recorded in every result."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import NoReturn

from gradetape.sandbox import syscalls, tree
from gradetape.sandbox.base import Policy, Reports
from gradetape.sandbox.driver import DriverAccess
from gradetape.sandbox.limits import restrict


class BareSandbox:
    """A process tree and resource limits. Code inside can read everything that the grader can read."""

    def __init__(self, policy: Policy, each_limited: bool) -> None:
        self._policy = policy
        self._each_limited = each_limited

    def check(self) -> None:
        """Does nothing: no layer could be missing."""

    def enter(
        self, uid: int, gpu: DriverAccess, work: Callable[[], None], reports: Reports, keep: int
    ) -> NoReturn:  # fmt: skip
        """A: the keeper of the worker, its child."""
        tree.begin(reports)
        # Inside the zygote's folder, which is removed with the zygote: a process that is killed cannot remove its own.
        folder = tempfile.mkdtemp(prefix="worker-", dir=os.path.dirname(self._policy.socket))
        worker = os.fork()
        if worker == 0:
            tree.leave()
            reports.memory()
            restrict(self._policy.limits, own_memory=not self._each_limited)
            syscalls.respect_modes()
            os.chdir(folder)
            os.environ.update(HOME=folder, TMPDIR=folder)
            tempfile.tempdir = None
            reports.ready(("rlimits",))
            work()
            os._exit(0)
        os.close(keep)
        tree.keep(worker, folder, reports)
