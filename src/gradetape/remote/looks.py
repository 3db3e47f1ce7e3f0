"""Looks at a session's workers from outside, through the zygote: once the cells have run, and after the last check.

A worker that has answered waits for the next request within microseconds. One that does not has never returned to its
own loop: then other code answers in its place. A difference counts if two looks find it.
"""

from __future__ import annotations

import time

from gradetape.remote.loader import LoadReport
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.wire.messages import FROM_OUTSIDE, Looked

_BEGUN_S = 2.0
_WAITING_S = 10.0
_PAUSE_S, _LONGEST_PAUSE_S = 0.0005, 0.05
_AGAIN_S = 0.02
_NOT_WAITING = "its process does not wait for requests where it should: other code may answer in its place"
_THREADS = "threads that its cells or functions started still run, and could answer in its place"


class Looks:
    """The looks at the workers of one session, which has one worker at a time.

    `trusted`: they run nothing but the course's own code, and what differs in them is usual.
    """

    def __init__(self, control: ZygoteClient, report: LoadReport, trusted: bool) -> None:
        self._control = control
        self._report = report
        self._trusted = trusted
        self._begun = 0

    def before_cells(self, worker: int) -> None:
        """Waits until a new worker waits for its first request; if that cannot be seen, it is not expected later."""
        if FROM_OUTSIDE in self._report.layers and self._waits(worker, _BEGUN_S).waits:
            self._begun = worker

    def compare(self, worker: int) -> None:
        """Compares a worker that has answered its last request; the report keeps what differs."""
        if FROM_OUTSIDE not in self._report.layers:
            return
        waits = self._waits(worker, _WAITING_S if self._begun == worker else 0.0)
        found = self._control.look(worker, trusted=self._trusted)
        changes, threads = set(found.changes), found.threads
        if changes or threads:
            time.sleep(_AGAIN_S)
            again = self._control.look(worker)
            changes, threads = changes & set(again.changes), again.threads
        if threads and not self._trusted:
            self._report.add_findings((_THREADS,))
        if self._begun == worker and not (waits.waits or found.problem):
            self._report.add_findings((_NOT_WAITING,))
        if found.problem:
            self._report.add_findings((f"its process could not be compared from outside: {found.problem}",))
        self._report.add_replaced(tuple(name for name in found.changes if name in changes))

    def _waits(self, worker: int, seconds: float) -> Looked:
        """The first look that finds the worker waiting, or the last one."""
        ends, pause = time.monotonic() + seconds, _PAUSE_S
        while not (found := self._control.look(worker, compare=False)).waits and time.monotonic() < ends:
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)
            if found.problem:
                break
        return found
