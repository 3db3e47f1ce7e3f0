"""A lane: the way from one check to one far side.

A lane holds at most one worker, made when it is first needed, with the submission's cells run in it. When a worker is
lost (timeout, memory, crash) the check in hand ends with that event, and the next one gets a fresh worker. A cell that
ends or hangs its worker is quarantined: the next worker runs only its definitions, and if these fail too, none of it.

Whatever a worker sends is either a well-formed reply to the request in hand, or the end of that worker.
"""

from __future__ import annotations

import math
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gradetape.errors import (
    DeviceError,
    Gone,
    InfrastructureError,
    Missing,
    SandboxError,
    StudentError,
    WireError,
    WireRefused,
    WorkerEvent,
    ZygoteError,
)
from gradetape.records import Cell, CellEvent, Limits
from gradetape.remote.handles import Handle, Names, TensorHandle, student_error
from gradetape.remote.replay import Recording
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.text import printable, strip_ansi
from gradetape.wire.channel import Channel
from gradetape.wire.codec import Decoder, Encoder
from gradetape.wire.messages import Exit
from gradetape.wire.values import FunctionSource, Ref

CHECK_BYTES = 512 << 20
_RELEASES = 1000
_NO_GPU = "Look at what gradetape doctor says, or grade on the CPU: --device cpu."
_DYING_S = 1.0
_LOOK_S = 10.0
_LOOKED_AT = 20
_NO_ANSWER = "its process did not say what its cells replaced of NumPy, TensorFlow and Keras"
_ROOM = 1 << 19
_TOO_MUCH = "… (all that the cells before this one said is too much: from here on nothing is kept)"
_OUT_OF_MEMORY = frozenset({"MemoryError", "ResourceExhaustedError"})


@dataclass
class CheckBudget:
    """What the check in hand may still use, and what has happened to it.

    `deadline` is absolute (`time.monotonic()`), `event` the first that ended something, `received` whether anything
    of the student's has come over, `broken` what failed of the grader's own, whatever the check made of it.
    """

    deadline: float = math.inf
    event: WorkerEvent | None = None
    received: bool = False
    broken: InfrastructureError | None = None

    def begin(self, seconds: float, event: WorkerEvent | None = None) -> None:
        """A new check, which may take so long; `event` is what has befallen it already."""
        self.deadline, self.event, self.received = time.monotonic() + seconds, event, False
        self.broken = None

    def note(self, event: WorkerEvent) -> WorkerEvent:
        """Keeps the first event of a check, and returns the one to raise."""
        self.event = self.event or event
        return self.event


class _Tracked(weakref.ref[Handle]):
    """A weak reference that knows which object it stood for, and how often that object came over."""

    __slots__ = ("count", "number")

    def __new__(cls, handle: Handle, dropped: Callable[[Any], None], number: int) -> _Tracked:
        return super().__new__(cls, handle, dropped)

    def __init__(self, handle: Handle, dropped: Callable[[Any], None], number: int) -> None:
        super().__init__(handle, dropped)  # type: ignore[call-arg]
        self.number, self.count = number, 0


class WorkerConnection:
    """The judge's end of one worker: requests, replies, and the handles that are alive."""

    def __init__(self, session: RemoteSession, number: int, channel: Channel) -> None:
        self.number = number
        self.channel = channel
        self._session = session
        self._sequence = 0
        self._handles: dict[int, _Tracked] = {}
        self._dropped: list[tuple[int, int]] = []
        self._modules: dict[str, Handle] = {}

    def ask(self, op: str, *args: object) -> Any:
        """One exchange; raises StudentError, Missing, Gone, or WireRefused for arguments that do not travel."""
        session = self._session
        if session.budget.event is not None:
            raise session.budget.event
        if session.worker is not self:
            raise session.budget.note(Gone("fault", "a check used a handle of a worker that is gone"))
        try:
            reply = self._replayed() if session.recording and session.recording.playing else self._exchange(op, args)
        except WireRefused:
            raise
        except TimeoutError:
            raise session.lose("timeout", "no answer before the time limit") from None
        except (EOFError, OSError):
            raise session.lose("crashed", "") from None
        except WireError as error:
            raise session.lose("crashed", f"the process sent something that is no reply: {error}") from None
        session.budget.received = session.budget.received or session.role == "student"
        return self._result(reply, op, args)

    def module(self, name: str) -> Handle:
        """A handle of a module, imported once a worker."""
        if name not in self._modules:
            self._modules[name] = self.ask("module", name)
        return self._modules[name]

    def revive(self, value: Any) -> Any:
        """A reference as its handle, one per object; a function's source never comes from over there."""
        if type(value) is FunctionSource:
            raise WireError("a function's source from the far side")
        if type(value) is not Ref:
            return value
        tracked = self._handles.get(value.id)
        handle = tracked() if tracked is not None else None
        if handle is None or tracked is None:
            handle = (Handle if value.kind == "object" else TensorHandle)(self, value)
            tracked = self._handles[value.id] = _Tracked(handle, self._drop, value.id)
        tracked.count += 1
        return handle

    def refer(self, value: object) -> Ref | FunctionSource:
        """What travels in place of a value of the judge's; raises WireRefused with advice."""
        if isinstance(value, Handle):
            if value._gradetape_owner is not self:
                raise WireRefused("handles of two far sides do not mix: bring the numbers over with np.asarray first")
            return value._gradetape_ref
        source = getattr(type(value), "gradetape_source", None)
        if source is not None:
            return source(value)  # type: ignore[no-any-return]
        raise WireRefused(
            f"a {type(value).__name__} does not cross the wall: send plain data, arrays or handles; "
            "a function must be marked @in_worker"
        )

    def _drop(self, tracked: Any) -> None:
        number: int = tracked.number
        if self._handles.get(number) is tracked:
            del self._handles[number]
        self._dropped.append((number, tracked.count))

    def _exchange(self, op: str, args: tuple[object, ...]) -> list[Any]:
        deadline, recording = self._session.reply_due(), self._session.recording
        dropped = [list(pair) for pair in self._dropped[:_RELEASES]]
        self._sequence += 1
        self.channel.send([self._sequence, op, list(args), dropped], deadline)
        del self._dropped[: len(dropped)]
        frame = self.channel.receive_frame(deadline)
        if recording is not None:
            recording.frames.append(frame)
        return _checked_reply(self.channel.decode(frame), self._sequence)

    def _replayed(self) -> list[Any]:
        recording = self._session.recording
        if recording is None or not recording.frames:
            raise EOFError
        return _checked_reply(self.channel.decode(recording.frames.popleft()), None)

    def _result(self, reply: list[Any], op: str, args: tuple[object, ...]) -> Any:
        if reply[1] == "ok":
            return reply[2]
        if reply[1] == "missing":  # told in the judge's words: what the far side writes there may be anything
            what = f"{args[0]} is not defined" if op == "name" else "a name is not defined"
            raise self._session.note(Missing(what))
        chain, kind, text, traceback = reply[2:]
        if _OUT_OF_MEMORY & set(chain):
            raise self._session.note(Gone("memory", f"{kind}: {text}"))
        error = student_error(chain, kind, text, traceback)
        error.role = self._session.role
        raise error


def _checked_reply(reply: Any, sequence: int | None) -> list[Any]:
    """`reply` if it has the form of an answer to this request; raises WireError."""
    if type(reply) is not list or len(reply) < 3 or type(reply[0]) is not int or type(reply[1]) is not str:
        raise WireError("a malformed answer")
    if sequence is not None and reply[0] != sequence:
        raise WireError("an answer that nobody asked for")
    status, *rest = reply[1:]
    if status == "ok" and len(rest) == 1:
        return reply
    if status == "missing" and len(rest) == 1 and type(rest[0]) is str:
        return reply
    if (
        status == "raised"
        and len(rest) == 4
        and type(rest[0]) is list
        and all(type(part) is str for part in (*rest[0], *rest[1:]))
    ):
        return reply
    raise WireError("a malformed answer")


class RemoteSession:
    """A far side of one role (`student`, `reference` or `clean`) for one submission's checks.

    `events` tells what happened to the cells when they were first run, `layers` which walls stood. `devices` and
    `versions` are what TensorFlow computes on and what it is: the worker says so before any cell is run. `review` is
    what the cells replaced of the libraries: that is the far side's testimony, and decides nothing.
    """

    def __init__(
        self,
        control: ZygoteClient,
        role: str,
        cells: tuple[Cell, ...],
        limits: Limits,
        budget: CheckBudget,
        recording: Recording | None = None,
    ) -> None:
        self.role = role
        self.budget = budget
        self.recording = recording
        self.worker: WorkerConnection | None = None
        self.events: list[CellEvent] = []
        self.layers: tuple[str, ...] = ()
        self.devices: tuple[str, ...] = ()
        self.versions: dict[str, str] = {}
        self.review: tuple[str, ...] = ()
        self._looked = False
        self._control = control
        self._cells = cells
        self._limits = limits
        self._quarantine: dict[int, int] = {}
        self._told: set[tuple[int, str]] = set()
        self._room = _ROOM
        self._loaded_once = False
        self._cpu_s = 0.0
        # The submission's time is the student's to lose: the reference may be loaded after it.
        self._deadline = time.monotonic() + limits.submission_s if role == "student" else math.inf

    def ready(self) -> WorkerConnection:
        """The worker, with the cells run in it; raises InfrastructureError where there can be none."""
        if self.budget.event is not None:
            raise self.budget.event
        with self._machinery():
            while self.worker is None:
                self._start()
        return self.worker

    def names(self) -> Names:
        """The submission's names."""
        return Names(lambda name: self.ready().ask("name", name))

    def module(self, name: str) -> Names:
        """A module's names, on this far side."""
        return Names(lambda attribute: getattr(self.ready().module(name), attribute))

    def lose(self, cause: str, detail: str) -> WorkerEvent:
        """Ends the worker that gave no proper answer; returns the event to raise."""
        worker, self.worker = self.worker, None
        if worker is None or (self.recording and self.recording.playing):
            return self.budget.note(Gone(cause, detail))
        worker.channel.close()
        self.note(Gone(cause, detail))  # what stands if the check's time is over before all of the worker has ended
        with self._machinery():
            end = self._ended(worker, patience_s=_DYING_S if cause == "crashed" and not detail else 0.0)
        self.budget.event = None
        # "memory" also where it only hung, because the kernel had ended a child of its own
        if end.cause in ("memory", "timeout"):
            cause, detail = end.cause, end.description
        elif cause != "timeout":
            cause, detail = end.cause, detail or end.description
        return self.note(Gone(cause, detail))

    def note(self, event: WorkerEvent) -> WorkerEvent:
        """Keeps the first event of a check, and returns the one to raise; what befalls the reference is a fault."""
        if self.role == "reference":
            event = Gone("fault", f"the reference solution: {event}")
        return self.budget.note(event)

    def reply_due(self) -> float:
        """Until when a reply may take; the reference is not short of time because the student has used it up."""
        if self.role != "reference":
            return self.budget.deadline
        return max(self.budget.deadline, time.monotonic() + self._limits.check_s)

    def play(self) -> None:
        """Plays the replies on the tape in a worker's place; there is no worker."""
        assert self.recording is not None
        self.recording.playing = True
        self.worker = self._connected(0, None)

    def close(self) -> None:
        """Ends the worker, if there is one."""
        worker, self.worker = self.worker, None
        if worker is not None and not (self.recording and self.recording.playing):
            worker.channel.close()
            self._cpu_s += self._control.end(worker.number).cpu_s

    def allow(self, cpu_s: float) -> None:
        """The CPU seconds for the cell or the check in hand; the reference's are not counted."""
        if self.worker is None or self.role == "reference" or (self.recording and self.recording.playing):
            return
        with self._machinery():
            self._control.allow(self.worker.number, cpu_s, self.cpu_left_s if self.role == "student" else None)

    @property
    def cpu_left_s(self) -> float:
        """What is left of the submission's CPU seconds, but for what the worker of now has used."""
        return max(self._limits.submission_cpu_s - self._cpu_s, 0.0)

    @contextmanager
    def _machinery(self) -> Iterator[None]:
        """Remembers what fails of the grader's own: no `except Exception` in a check can hide it."""
        budget = self.budget
        try:
            yield
        except InfrastructureError as error:
            budget.broken = budget.broken or error
            raise

    def _ended(self, worker: WorkerConnection, patience_s: float) -> Exit:
        """How the worker ended: it may be dying by itself, and is killed if it is not."""
        try:
            end = self._control.exit_of(worker.number, patience_s)
        except TimeoutError:
            end = self._control.end(worker.number)
        self._cpu_s += end.cpu_s
        if end.lost:
            raise ZygoteError("a worker's walls were ended from outside")
        return end

    def _start(self) -> None:
        """A new worker; with what happens to its cells kept apart from the check in hand."""
        outer = self.budget
        self.budget = CheckBudget(deadline=time.monotonic() + self._limits.load_s)
        try:
            number, sock, self.layers = self._control.spawn(self.role, self._limits.load_s)
            self.worker = self._connected(number, sock)
            self._load()
        except Gone as event:
            if event.cause == "fault":
                raise
        finally:
            self.budget = outer

    def _connected(self, number: int, sock: Any) -> WorkerConnection:
        worker = WorkerConnection(self, number, None)  # type: ignore[arg-type]
        worker.channel = Channel(sock, Encoder(worker.refer), Decoder(worker.revive))
        return worker

    def _load(self) -> None:
        worker = self.worker
        assert worker is not None
        try:
            told = worker.ask("hello")
        except (Gone, Missing, StudentError) as event:
            raise SandboxError(f"a worker ended before any cell was run: {event}") from None
        self.devices, self.versions = tuple(told["devices"]), told["versions"]
        if self._control.slot.device and not self.devices:
            raise DeviceError(f"TensorFlow sees no GPU where {self._control.slot.device} should be. {_NO_GPU}")
        if self.role == "clean":
            self.allow(self._limits.check_cpu_s)
        for index, cell in enumerate(self._cells):
            level = self._quarantine.get(index, 0)
            if level > 1:
                continue
            if time.monotonic() > self._deadline or self.cpu_left_s <= 0:
                self._quarantine[index] = 2
                self._tell(index, "quarantined", "the time for the whole submission was over; none of it was used")
                continue
            self.budget.deadline = min(time.monotonic() + self._limits.cell_s, self._deadline)
            self.allow(self._limits.cell_cpu_s)
            try:
                told = self._run(worker, index, cell, level)
            except Gone as event:
                self.close()
                self._quarantine[index] = level + 1
                self._tell(index, "quarantined", _quarantined(event, level))
                raise
            if not self._loaded_once:
                self._tell_all(index, told)
        self._loaded_once = True
        if self.role == "student" and not self._looked:
            self._look(worker)

    def _look(self, worker: WorkerConnection) -> None:
        """What the cells changed of the libraries that checks rely on, asked once; no answer is told as well."""
        self._looked, self.review = True, (_NO_ANSWER,)
        self.budget.deadline = time.monotonic() + _LOOK_S
        try:
            told = worker.ask("changed")
        except (StudentError, Missing):
            self.budget.event = None
            return
        if type(told) is list and all(type(place) is str for place in told):
            self.review = tuple(f"its cells replaced {printable(place, 100)}" for place in told[:_LOOKED_AT])

    def _run(self, worker: WorkerConnection, index: int, cell: Cell, level: int) -> Any:
        """One cell. Its own errors are part of the answer: any other answer is the work of a worker gone bad."""
        try:
            return worker.ask("cell", index, cell.source, level == 1)
        except (StudentError, Missing):
            self.budget.event = None
            raise self.lose("crashed", "the process sent something that is no reply") from None

    def _tell_all(self, index: int, told: Any) -> None:
        if type(told) is not dict:
            return
        for kind in ("error", "copied", "output"):
            if type(text := told.get(kind)) is str and text:
                self._tell(index, kind, text)

    def _tell(self, index: int, kind: str, text: str) -> None:
        """Keeps what befell a cell, once; of what cells say no more than there is room for."""
        if kind != "quarantined" and ((index, kind) in self._told or not self._room):
            return
        self._told.add((index, kind))
        shown = printable(strip_ansi(text))
        if len(shown) > self._room and kind != "quarantined":
            shown, self._room = _TOO_MUCH, 0
        self._room = max(self._room - len(shown), 0)
        self.events.append(CellEvent(cell=index, kind=kind, text=shown, question=self._cells[index].question))


def _quarantined(event: Gone, level: int) -> str:
    rest = "only its imports, functions, classes and constants were used" if level == 0 else "none of it was used"
    return f"{event.cause}: {event.detail}; {rest}" if event.detail else f"{event.cause}; {rest}"
