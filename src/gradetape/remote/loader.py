"""Runs a submission's cells in a worker, and records what happened.

A cell that ends or hangs its worker is quarantined: the next worker runs only its definitions, or nothing of it if
these fail too. What a cell says is recorded until all cells have run in one worker for the first time: until then the
submission has seen no input of a check. A quarantine is described in the grader's words alone.
"""

from __future__ import annotations

import html
import math
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from gradetape.errors import DeviceError, Gone, Missing, SandboxError, StudentError, WorkerEvent
from gradetape.records import Cell, CellEvent, Limits
from gradetape.remote.budget import CELL_BYTES, CheckBudget
from gradetape.remote.connection import WorkerConnection
from gradetape.remote.roles import Role
from gradetape.text import one_line, printable, strip_ansi
from gradetape.wire.messages import FROM_OUTSIDE
from gradetape.wire.operations import Operation

_NO_GPU = "Run `gradetape doctor`, or grade on the CPU: --device cpu."
_REVIEW_S = 10.0
_MAX_REVIEWED = 20
_NO_REVIEW = "its process did not report what its cells replaced in NumPy, TensorFlow and Keras"
_MAX_CHARACTERS = 1 << 19
_MAX_QUARANTINE = 1 << 16  # of these, for the quarantined cells
UNCOMPARED = "not compared after the last check, since its process had ended"
_TOO_MUCH = "… (the output of the cells up to here is too long: nothing more is kept)"
_TOO_MANY = "too many cells were quarantined: no more of them are listed"
_NO_TIME = "the time limit of the whole submission was reached; none of it was used"
AGAIN = "it ended its process or gave no answer in time when it was run again for a later check"
_DEFINITIONS, _NOTHING = 1, 2
NO_FILES: Mapping[str, bytes] = MappingProxyType({})

Listener = Callable[[tuple[CellEvent, ...]], None]


class LoadingSession(Protocol):
    """The part of a session that the loader needs."""

    budget: CheckBudget

    @property
    def cpu_left_s(self) -> float:
        """The submission's remaining CPU seconds."""

    def allow(self, cpu_s: float) -> None:
        """Grants the CPU seconds for the current cell."""

    def lose(self, cause: str, detail: str, event: Gone | None = None) -> WorkerEvent:
        """Ends the worker; returns the event to raise."""

    def close(self) -> None:
        """Ends the worker, if there is one."""


class LoadReport:
    """Reports of a session's workers and their cells.

    Only its methods set its attributes. `events` lists the events of the cells' first run, and later quarantines;
    `layers` the isolation layers in force, `devices` and `versions` those of TensorFlow (received before any cell is
    run). `review` lists what the cells replaced: that is the worker's own testimony, and what was found from outside.
    It decides nothing. `loaded`: all cells have run in one worker. Then `listener` receives the events, before any
    check asks that worker for anything.

    Large because each kind of finding has a method.
    """

    def __init__(self, cells: tuple[Cell, ...] = (), listener: Listener | None = None) -> None:
        self.loaded = False
        self.events: list[CellEvent] = []
        self.layers: tuple[str, ...] = ()
        self.devices: tuple[str, ...] = ()
        self.versions: dict[str, str] = {}
        self.review: tuple[str, ...] = ()
        self._cells = cells
        self._listener = listener
        self._reported: set[tuple[int, str]] = set()
        self._left = {"words": _MAX_CHARACTERS - _MAX_QUARANTINE, "quarantined": _MAX_QUARANTINE}

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
        self.add_findings(tuple(f"its cells replaced {one_line(place, 100)}" for place in places))

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

    def finish_load(self) -> None:
        """All cells have run: from now on a cell's own words are no longer recorded."""
        self.loaded = True
        if self._listener is not None:
            self._listener(tuple(self.events))

    def add_answer(self, index: int, answer: Any) -> None:
        """Records a worker's answer for a cell: its error, the names that it defined again, its output, and so on."""
        if type(answer) is not dict or self.loaded:
            return
        for kind in ("error", "salvaged", "copied", "note", "output"):
            if type(text := answer.get(kind)) is str and text:
                self._add_words(index, kind, text)

    def add_quarantine(self, index: int, text: str) -> None:
        """Records the quarantine of a cell; `text` is in the grader's words, and after the first load always the
        same."""
        shown = AGAIN if self.loaded else text
        if (index, shown) not in self._reported:
            self._reported.add((index, shown))
            self._add(index, "quarantined", shown, "quarantined", _TOO_MANY)

    def _add_words(self, index: int, kind: str, text: str) -> None:
        """Keeps each kind of text once per cell."""
        if (index, kind) not in self._reported and self._left["words"]:
            self._reported.add((index, kind))
            self._add(index, kind, printable(strip_ansi(text)), "words", _TOO_MUCH)

    def _add(self, index: int, kind: str, shown: str, account: str, too_much: str) -> None:
        """Keeps a text if it fits into what its account has left on a page; the first one that does not is replaced."""
        left = self._left[account]
        if not left:
            return
        size = len(html.escape(shown))
        self._left[account] = left - size if size <= left else 0
        text = shown if size <= left else too_much
        self.events.append(CellEvent(cell=index, kind=kind, text=text, question=self._cells[index].question))


class CellLoader:
    """Loads one worker after another with the same files and cells; cells that ended a worker are quarantined."""

    def __init__(
        self, role: Role, cells: tuple[Cell, ...], limits: Limits, device: str, listener: Listener | None = None,
        beside: Mapping[str, bytes] = NO_FILES,
    ) -> None:  # fmt: skip
        self.report = LoadReport(cells, listener)
        self._role = role
        self._cells = cells
        self._limits = limits
        self._device = device
        self._beside = {name: np.frombuffer(data, np.uint8) for name, data in beside.items()}
        self._quarantine: dict[int, int] = {}
        self._reviewed = False
        self._rests = True
        # Only the student's cells count against the submission's time: the reference may be loaded after its end.
        self._deadline = time.monotonic() + limits.submission_s if role.charged else math.inf

    def load(self, session: LoadingSession, worker: WorkerConnection) -> None:
        """Prepares a new worker and runs the cells in it; raises Gone if a cell ended it, or InfrastructureError."""
        self._greet(worker)
        if self._role.allowed_at_load:
            session.allow(self._limits.check_cpu_s)
        for index, cell in enumerate(self._cells):
            self._load_cell(session, worker, index, cell)
        self.report.finish_load()
        if self._role.charged:
            self._review(session, worker)

    def _greet(self, worker: WorkerConnection) -> None:
        try:
            hello = worker.ask(Operation.HELLO, self._beside)
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
            self.report.add_quarantine(index, _NO_TIME)
            return
        session.budget.set_deadline(min(time.monotonic() + self._limits.cell_s, self._deadline))
        session.budget.allow_bytes(CELL_BYTES)
        session.allow(self._limits.cell_cpu_s)
        try:
            answer = self._run(session, worker, index, cell, level == _DEFINITIONS)
        except Gone as event:
            session.close()
            self._quarantine[index] = level + 1
            self.report.add_quarantine(index, _quarantined(event, level))
            raise
        self.report.add_answer(index, answer)

    def _run(
        self, session: LoadingSession, worker: WorkerConnection, index: int, cell: Cell, only_definitions: bool
    ) -> Any:
        """Runs one cell. Its errors are part of the answer: any other reply means that the worker is corrupt."""
        try:
            how = (only_definitions, cell.question or "", cell.script)
            return worker.ask(Operation.CELL, index, cell.source, *how)
        except (StudentError, Missing):
            session.budget.clear_event()
            raise session.lose("crashed", "the process sent an invalid reply") from None

    def _review(self, session: LoadingSession, worker: WorkerConnection) -> None:
        """Asks once what the cells changed in the libraries that checks use; a missing answer is reported as well.

        Of later workers it is only asked to undo the settings of the cells, before they are looked at; not again of
        those after one that ended at this.
        """
        again, self._reviewed = self._reviewed, True
        if not again:
            self.report.expect_review()
        session.budget.set_deadline(time.monotonic() + _REVIEW_S)
        try:
            if not again:
                self.report.set_review(worker.ask(Operation.CHANGED))
            elif self._rests:
                worker.ask(Operation.REST)
        except (StudentError, Missing):
            session.budget.clear_event()
        except Gone:
            self._rests = not again
            raise


def _quarantined(event: Gone, level: int) -> str:
    """Why a cell is quarantined, without anything that its code said."""
    rest = (
        "only its imports, functions, classes and cheap assignments were used" if level == 0 else "none of it was used"
    )
    return f"{event.cause}: {event.detail}; {rest}" if event.detail else f"{event.cause}; {rest}"
