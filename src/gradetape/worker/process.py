"""The zygote's record of one worker: its processes, their reports, and the resources that they have used."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import socket

from gradetape.sandbox import tree
from gradetape.sandbox.groups import Group
from gradetape.sandbox.reports import Ended, Init, Reader, Report
from gradetape.wire.messages import Allow, Exit


class WorkerProcess:
    """The zygote's record of one worker.

    Large because it holds everything about a worker: its settings, the reports of its outer processes, and the
    resources that it has used. `crowded`: another submission's worker ran at the same time.
    """

    def __init__(
        self, number: int, pid: int, uid: int, pipe: Reader, group: Group | None, owner: socket.socket | None,
        data_inode: int,
    ) -> None:  # fmt: skip
        self.number, self.pid, self.uid, self.pipe, self.group, self.owner = number, pid, uid, pipe, group, owner
        self.data_inode = data_inode
        self.limit_s = math.inf
        self.crowded = False
        self._init: Init | None = None
        self._ended: Ended | None = None
        self._doomed = self._overspent = False
        self._seen_s = 0.0

    def note(self, report: Report) -> None:
        """Keeps a report of its outer processes."""
        if isinstance(report, Ended):
            self._ended = report
        if isinstance(report, Init):
            self._init = report
            if self._doomed:
                self.kill()

    def kill(self) -> None:
        """Ends its whole tree once its outermost process has reported how: it must not end before the tree."""
        self._doomed = True
        if self._init:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._init.pid, self._init.signal)

    def allow(self, request: Allow) -> None:
        """Starts a new count of the CPU seconds that it may use."""
        self.limit_s = min(self._cpu_s() + request.cpu_s, math.inf if request.total_s is None else request.total_s)

    def enforce(self) -> None:
        """Ends it if it has used up its CPU seconds."""
        if not self._doomed and self._cpu_s() >= self.limit_s:
            self._overspent = True
            self.kill()

    def reap(self) -> Exit:
        """Waits for the outermost process, which is about to end; returns how the worker ended."""
        self.pipe.close()
        os.waitpid(self.pid, 0)
        ended = self._ended or Ended(signal.SIGKILL, 0.0, 0)
        kills, outside, used = 0, False, max(ended.cpu_s, self._seen_s)
        if self.group:
            self.group.kill()
            kills, outside = self._memory_kills(self.group, ended)
            used = max(self.group.cpu_s or 0.0, used)
            self.group.remove()
        # Nothing inside can end an init, so the student's code did not prevent this report.
        lost = self._ended is None and not self._doomed and not kills
        return Exit(self.number, ended.status, kills, used, ended.peak_mb, self._overspent, lost, outside, ended.filled)

    def _memory_kills(self, group: Group, ended: Ended) -> tuple[int, bool]:
        """How many processes were killed for memory, and whether that was not the worker's own doing.

        Where several workers share a limit, only a worker that was itself killed is counted among its victims.
        """
        kills = group.oom_kills
        if not kills or group.exceeded(alone=not self.crowded):
            return kills, False
        hit = not group.shared or (ended.status == signal.SIGKILL and not self._doomed)
        return (kills, True) if hit else (0, False)

    def _cpu_s(self) -> float:
        counted = self.group.cpu_s if self.group else None
        self._seen_s = tree.cpu_s(self.pid) if counted is None else counted
        return self._seen_s
