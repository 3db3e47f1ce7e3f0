"""No walls but resource limits: for `--isolation none`, which says so on every result."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import NoReturn

from gradetape.sandbox import tree
from gradetape.sandbox.base import Policy, Reports
from gradetape.sandbox.limits import restrict


class BareSandbox:
    """A process tree of its own, and resource limits. Code inside can read whatever the grader can."""

    def __init__(self, policy: Policy, each_limited: bool) -> None:
        self._policy = policy
        self._each_limited = each_limited

    def check(self) -> None:
        """There is nothing that could be missing."""

    def enter(self, uid: int, work: Callable[[], None], reports: Reports, keep: int) -> NoReturn:
        """A: keeps the worker, a child."""
        tree.begin(reports)
        # Within the zygote's own folder, which goes with it: a process that is killed cannot remove its own.
        folder = tempfile.mkdtemp(prefix="worker-", dir=os.path.dirname(self._policy.socket))
        worker = os.fork()
        if worker == 0:
            tree.leave()
            restrict(self._policy.limits, own_memory=not self._each_limited)
            os.chdir(folder)
            os.environ.update(HOME=folder, TMPDIR=folder)
            tempfile.tempdir = None
            reports.ready(("rlimits",))
            work()
            os._exit(0)
        os.close(keep)
        tree.keep(worker, folder, reports)
