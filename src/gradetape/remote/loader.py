"""Runs a submission's cells in a worker, and records what happened.

A cell that ends or hangs its worker is quarantined: the next worker runs only its definitions, or nothing of it if
these fail too.
"""

from __future__ import annotations

import math
import time
from typing import Any, Protocol

from gradetape.errors import DeviceError, Gone, Missing, SandboxError, StudentError, WorkerEvent
from gradetape.records import Cell, CellEvent, Limits
from gradetape.remote.budget import CheckBudget
from gradetape.remote.connection import WorkerConnection
from gradetape.remote.roles import Role
from gradetape.text import printable, strip_ansi
from gradetape.wire.messages import FROM_OUTSIDE
from gradetape.wire.operations import Operation

_NO_GPU = "Run `gradetape doctor`, or grade on the CPU: --device cpu."
_REVIEW_S = 10.0
_MAX_REVIEWED = 20
_NO_REVIEW = "its process did not report what its cells replaced in NumPy, TensorFlow and Keras"
_MAX_CHARACTERS = 1 << 19
UNCOMPARED = "not compared after the last check, since its process had ended"
_TOO_MUCH = "… (the output of the cells up to here is too long: nothing more is kept)"
_DEFINITIONS, _NOTHING = 1, 2


class LoadingSession(Protocol):
    """The part of a session that the loader needs."""

    budget: CheckBudget

    @property
    def cpu_left_s(self) -> float:
        """The submission's remaining CPU seconds."""

    def allow(self, cpu_s: float) -> None:
        """Grants the CPU seconds for the current cell."""

    def lose(self, cause: str, detail: str) -> WorkerEvent:
        """Ends the worker; returns the event to raise."""

    def close(self) -> None:
        """Ends the worker, if there is one."""


class LoadReport:
    """Reports of a session's workers and their cells.

    Only its methods set its attributes. `events` lists the events of the cells' first run, `layers` the isolation
    layers in force, `devices` and `versions` those of TensorFlow (received before any cell is run). `review` lists what
    the cells replaced: that is the worker's own testimony, and what was found from outside. It decides nothing.
    """

    def __init__(self, cells: tuple[Cell, ...] = ()) -> None:
        self.events: list[CellEvent] = []
        self.layers: tuple[str, ...] = ()
        self.devices: tuple[str, ...] = ()
        self.versions: dict[str, str] = {}
        self.review: tuple[str, ...] = ()
        self._cells = cells
        self._reported: set[tuple[int, str]] = set()
        self._characters_left = _MAX_CHARACTERS

    def set_layers(self, layers: tuple[str, ...]) -> None:
        """Sets the isolation layers of the current worker."""
        self.layers = layers

    def set_environment(self, hello: dict[str, Any]) -> None:
        """Sets the devices and versions of the current worker."""
        self.devices, self.versions = tuple(hello["devices"]), hello["versions"]

    def set_review(self, places: Any) -> None:
        """Sets what the cells replaced in the libraries, if the worker sent a list of names."""
        if type(places) is list and all(type(place) is str for place in places):
            self.review = ()
            self.add_replaced(tuple(places))

    def add_replaced(self, places: tuple[str, ...]) -> None:
        """Adds names that the cells replaced, a few at most; those that are known already are left out."""
        self.add_findings(tuple(f"its cells replaced {printable(place, 100)}" for place in places))

    def add_findings(self, findings: tuple[str, ...]) -> None:
        """Adds what staff should see, a few at most."""
        self.review = tuple(dict.fromkeys((*self.review, *findings)))[:_MAX_REVIEWED]

    def note_uncompared(self) -> None:
        """Notes that no worker was left to be compared after the last check."""
        if FROM_OUTSIDE in self.layers:
            self.layers = (*self.layers, UNCOMPARED)

    def expect_review(self) -> None:
        """Begins the review: a worker that does not answer is reported as well."""
        self.review = (_NO_REVIEW,)

    def add_answer(self, index: int, answer: Any) -> None:
        """Records a worker's answer for a cell: its error, the names that it defined again, its output."""
        if type(answer) is not dict:
            return
        for kind in ("error", "copied", "output"):
            if type(text := answer.get(kind)) is str and text:
                self._add_text(index, kind, text)

    def add_quarantine(self, index: int, text: str) -> None:
        """Records the quarantine of a cell and the reason, always in full."""
        shown = printable(strip_ansi(text))
        self._characters_left = max(self._characters_left - len(shown), 0)
        self._append(index, "quarantined", shown)

    def _add_text(self, index: int, kind: str, text: str) -> None:
        """Keeps each kind of text once per cell, up to a total limit."""
        if (index, kind) in self._reported or not self._characters_left:
            return
        self._reported.add((index, kind))
        shown = printable(strip_ansi(text))
        if len(shown) > self._characters_left:
            shown, self._characters_left = _TOO_MUCH, 0
        self._characters_left = max(self._characters_left - len(shown), 0)
        self._append(index, kind, shown)

    def _append(self, index: int, kind: str, text: str) -> None:
        self.events.append(CellEvent(cell=index, kind=kind, text=text, question=self._cells[index].question))


class CellLoader:
    """Loads one worker after another with the same cells; cells that ended a worker are quarantined."""

    def __init__(self, role: Role, cells: tuple[Cell, ...], limits: Limits, device: str) -> None:
        self.report = LoadReport(cells)
        self._role = role
        self._cells = cells
        self._limits = limits
        self._device = device
        self._quarantine: dict[int, int] = {}
        self._loaded_once = self._reviewed = False
        # Only the student's cells count against the submission's time: the reference may be loaded after its end.
        self._deadline = time.monotonic() + limits.submission_s if role.charged else math.inf

    def load(self, session: LoadingSession, worker: WorkerConnection) -> None:
        """Prepares a new worker and runs the cells in it; raises Gone if a cell ended it, or InfrastructureError."""
        self._greet(worker)
        if self._role.allowed_at_load:
            session.allow(self._limits.check_cpu_s)
        for index, cell in enumerate(self._cells):
            self._load_cell(session, worker, index, cell)
        self._loaded_once = True
        if self._role.charged and not self._reviewed:
            self._review(session, worker)

    def _greet(self, worker: WorkerConnection) -> None:
        try:
            hello = worker.ask(Operation.HELLO)
        except (Gone, Missing, StudentError) as event:
            raise SandboxError(f"a worker ended before any cell was run: {event}") from None
        self.report.set_environment(hello)
        if self._device and not self.report.devices:
            raise DeviceError(f"TensorFlow does not see the GPU {self._device}. {_NO_GPU}")

    def _load_cell(self, session: LoadingSession, worker: WorkerConnection, index: int, cell: Cell) -> None:
        level = self._quarantine.get(index, 0)
        if level == _NOTHING:
            return
        if time.monotonic() > self._deadline or session.cpu_left_s <= 0:
            self._quarantine[index] = _NOTHING
            self.report.add_quarantine(index, "the time limit of the whole submission was reached; none of it was used")
            return
        session.budget.set_deadline(min(time.monotonic() + self._limits.cell_s, self._deadline))
        session.allow(self._limits.cell_cpu_s)
        try:
            answer = self._run(session, worker, index, cell, level == _DEFINITIONS)
        except Gone as event:
            session.close()
            self._quarantine[index] = level + 1
            self.report.add_quarantine(index, _quarantined(event, level))
            raise
        if not self._loaded_once:
            self.report.add_answer(index, answer)

    def _run(
        self, session: LoadingSession, worker: WorkerConnection, index: int, cell: Cell, only_definitions: bool
    ) -> Any:
        """Runs one cell. Its errors are part of the answer: any other reply means that the worker is corrupt."""
        try:
            return worker.ask(Operation.CELL, index, cell.source, only_definitions, cell.question or "")
        except (StudentError, Missing):
            session.budget.clear_event()
            raise session.lose("crashed", "the process sent an invalid reply") from None

    def _review(self, session: LoadingSession, worker: WorkerConnection) -> None:
        """Asks once what the cells changed in the libraries that checks use; a missing answer is reported as well."""
        self._reviewed = True
        self.report.expect_review()
        session.budget.set_deadline(time.monotonic() + _REVIEW_S)
        try:
            self.report.set_review(worker.ask(Operation.CHANGED))
        except (StudentError, Missing):
            session.budget.clear_event()


def _quarantined(event: Gone, level: int) -> str:
    rest = "only its imports, functions, classes and constants were used" if level == 0 else "none of it was used"
    return f"{event.cause}: {event.detail}; {rest}" if event.detail else f"{event.cause}; {rest}"
