"""A session connects one submission's checks to the workers of one role. A session has at most one worker, created when
it is first needed, with the submission's cells run in it. When a worker is lost (timeout, memory, crash), the current
check ends with that event, and the next check gets a fresh worker.
"""

from __future__ import annotations

import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

from gradetape.errors import Gone, StudentError, WorkerEvent, ZygoteError
from gradetape.records import Cell, Limits
from gradetape.remote.budget import CELL_BYTES, CheckBudget
from gradetape.remote.connection import Transport, WorkerConnection
from gradetape.remote.handles import Names
from gradetape.remote.loader import NO_FILES, CellLoader, Listener, LoadReport
from gradetape.remote.looks import Looks
from gradetape.remote.roles import Role
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.wire.channel import Channel
from gradetape.wire.codec import Decoder, Encoder
from gradetape.wire.messages import Exit
from gradetape.wire.operations import Operation

OpenTransport = Callable[[socket.socket, Encoder, Decoder], Transport]
_DYING_S = 1.0
_REST_S = 5.0
_MOST_FOR_MEMORY = 3


class Session(ABC):
    """One role's worker, as checks see it; `report` describes what happened to its cells."""

    def __init__(self, role: Role, limits: Limits, budget: CheckBudget, report: LoadReport) -> None:
        self.role = role
        self.budget = budget
        self.report = report
        self.worker: WorkerConnection | None = None
        self._limits = limits
        self._run_out = 0

    @abstractmethod
    def ready(self) -> WorkerConnection:
        """The worker, with the cells run in it; raises InfrastructureError if none can be started."""

    @abstractmethod
    def lose(self, cause: str, detail: str, event: Gone | None = None) -> WorkerEvent:
        """Ends a worker without a valid reply; returns the event to raise, which is `event` if it is given."""

    @abstractmethod
    def review(self) -> None:
        """Looks at the worker once more, after the last check; its findings are in the report."""

    @property
    @abstractmethod
    def cpu_left_s(self) -> float:
        """The submission's remaining CPU seconds, without those of the current worker."""

    @abstractmethod
    def allow(self, cpu_s: float) -> None:
        """Grants the CPU seconds for the current cell or check."""

    @abstractmethod
    def close(self) -> None:
        """Ends the worker, if there is one."""

    def names(self) -> Names:
        """The names that the submission defines."""
        return Names(lambda name: self.ready().ask(Operation.NAME, name))

    def module(self, name: str) -> Names:
        """The names of the module `tf` or `keras`, in the worker."""
        return Names(lambda attribute: getattr(self.ready().module(name), attribute))

    def run_out(self, event: Gone) -> WorkerEvent:
        """Code in the worker ran out of memory; returns the event to raise.

        What it keeps would leave the next check without memory: that one gets another worker. Only a few times, since
        the cells run again in each, and what a check after them has no time for is no fault of that check.
        """
        self._run_out += 1
        return self.lose("memory", "", event) if self._run_out <= _MOST_FOR_MEMORY else self.note(event)

    def note(self, event: WorkerEvent) -> WorkerEvent:
        """Keeps the first event of a check, and returns the event to raise; the reference's events are faults."""
        if self.role.trusted:
            event = Gone("fault", f"the reference solution: {event}")
        return self.budget.note(event)

    def reply_due(self) -> float:
        """The deadline for a reply; time that the student used does not count against the reference."""
        if not self.role.trusted:
            return self.budget.deadline
        return max(self.budget.deadline, time.monotonic() + self._limits.check_s)


class RemoteSession(Session):
    """A session whose workers are processes, forked by a zygote.

    `open_transport` opens the transport on a worker's socket; `listener` receives the events of the cells when all of
    them have run in a worker. `trusted`: the cells are the course's own, so that what they change is usual. `beside`:
    the files that lie in the folder of each worker, by name.
    """

    def __init__(
        self, control: ZygoteClient, role: Role, cells: tuple[Cell, ...], limits: Limits, budget: CheckBudget,
        open_transport: OpenTransport = Channel, listener: Listener | None = None, trusted: bool = False,
        beside: Mapping[str, bytes] = NO_FILES,
    ) -> None:  # fmt: skip
        self._loader = CellLoader(role, cells, limits, control.slot.device, listener, beside)
        super().__init__(role, limits, budget, self._loader.report)
        self._control = control
        self._looks = Looks(control, self._loader.report, trusted)
        self._open_transport = open_transport
        self._cpu_s = 0.0

    def ready(self) -> WorkerConnection:
        """The worker, with the cells run in it; raises InfrastructureError if none can be started."""
        if self.budget.event is not None:
            raise self.budget.event
        with self.budget.machinery():
            while self.worker is None:
                self._start()
        return self.worker

    def lose(self, cause: str, detail: str, event: Gone | None = None) -> WorkerEvent:
        """Ends a worker without a valid reply; returns the event to raise, which is `event` if that is known."""
        worker, self.worker = self.worker, None
        if worker is None:
            return self.budget.note(Gone(cause, detail))
        worker.transport.close()
        self.note(Gone(cause, detail))  # kept if the check's time ends before the worker's whole process tree
        with self.budget.machinery():
            end = self._ended(worker, patience_s=_DYING_S if cause == "crashed" and not detail else 0.0)
        self.budget.clear_event()
        if event is not None:
            return self.note(event)
        # "memory" also if it only hung because the kernel had killed one of its children
        if end.cause in ("memory", "timeout"):
            cause, detail = end.cause, end.description
        elif cause != "timeout":
            cause, detail = end.cause, detail or end.description
        return self.note(Gone(cause, detail))

    def review(self) -> None:
        """Looks at the worker once more, after the last check; its findings are in the report."""
        if not self.role.charged:
            return
        if self.worker is not None:
            self._rest(self.worker)
        if self.worker is not None:  # it is still there
            self._looks.compare(self.worker.number)
        else:
            self.report.note_uncompared()

    def close(self) -> None:
        """Ends the worker, if there is one."""
        worker, self.worker = self.worker, None
        if worker is not None:
            worker.transport.close()
            self._count(self._control.end(worker.number))

    @property
    def cpu_left_s(self) -> float:
        """The submission's remaining CPU seconds, without those of the current worker."""
        return max(self._limits.submission_cpu_s - self._cpu_s, 0.0)

    def allow(self, cpu_s: float) -> None:
        """Grants the CPU seconds for the current cell or check; the reference's are not counted."""
        if self.worker is None or self.role.trusted:
            return
        with self.budget.machinery():
            self._control.allow(self.worker.number, cpu_s, self.cpu_left_s if self.role.charged else None)

    def _start(self) -> None:
        """Starts a new worker; events of its cells do not affect the current check."""
        outer = self.budget
        self.budget = CheckBudget(deadline=time.monotonic() + self._limits.load_s, max_bytes=CELL_BYTES)
        try:
            number, sock, layers = self._control.spawn(self.role.name, self._limits.load_s)
            self.report.set_layers(layers)
            self.worker = worker = WorkerConnection(self, number, partial(self._open_transport, sock))
            if self.role.charged:
                self._looks.before_cells(number)
            self._loader.load(self, worker)
            if self.role.charged:
                self._looks.compare(number)
        except Gone as event:
            if event.cause == "fault":
                raise
        finally:
            self.budget = outer

    def _rest(self, worker: WorkerConnection) -> None:
        """Asks a worker to undo the settings of its cells, some of which TensorFlow keeps in functions."""
        if self.budget.event is not None:
            return
        with self.budget.aside(_REST_S), suppress(StudentError, WorkerEvent):
            worker.ask(Operation.REST)

    def _ended(self, worker: WorkerConnection, patience_s: float) -> Exit:
        """How the worker ended; kills it if it does not end by itself."""
        try:
            end = self._control.exit_of(worker.number, patience_s)
        except TimeoutError:
            end = self._control.end(worker.number)
        self._count(end)
        return end

    def _count(self, end: Exit) -> None:
        """Counts a worker's CPU seconds; raises ZygoteError if something outside of it decided how it ended."""
        self._cpu_s += end.cpu_s
        if end.lost:
            raise ZygoteError("a worker's sandbox was ended from outside")
        if end.outside:
            raise ZygoteError(
                f"a worker was killed for memory before it had used its own {self._limits.memory_mb} MiB: the machine, "
                "or the group or container around all workers, had no more. Use fewer workers, or a smaller "
                "limits.memory_mb; gradetape doctor compares them with the memory"
            )
