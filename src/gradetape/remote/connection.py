"""One worker's requests and replies, and the live handles of its objects. A worker that sends anything but a
well-formed reply to the current request is ended.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Protocol

from gradetape.errors import (
    Flooded,
    Gone,
    Missing,
    Overdue,
    StudentError,
    TooMuchData,
    WireError,
    WireRefused,
    WorkerEvent,
)
from gradetape.remote.budget import CHECK_BYTES, CheckBudget
from gradetape.remote.handles import Handle, TensorHandle, student_error
from gradetape.remote.roles import Role
from gradetape.wire.channel import Frame
from gradetape.wire.codec import Decoder, Encoder
from gradetape.wire.operations import Operation, ReplyKind
from gradetape.wire.values import FunctionSource, Ref

_RELEASES = 1000
# As plain text: members of an enum are slower to look up and compare, and this is done for every reply.
_OK, _MISSING, _RAISED = ReplyKind.OK.value, ReplyKind.MISSING.value, ReplyKind.RAISED.value
_OUT_OF_MEMORY = frozenset({"MemoryError", "ResourceExhaustedError"})


class Transport(Protocol):
    """Carries requests and replies: a live channel, a channel that is recorded, or the playback of a recording.

    `budget` is the number of bytes that may still be received.
    """

    budget: float

    def begin_check(self) -> None:
        """Begins a new check."""

    def send(self, value: object, deadline: float | None = None) -> None:
        """Sends one request."""

    def receive_frame(self, deadline: float | None = None) -> Frame:
        """The next reply, not decoded."""

    def decode(self, frame: Frame) -> Any:
        """The value of a frame."""

    def close(self) -> None:
        """Closes the channel."""


class ConnectionOwner(Protocol):
    """The part of a session that a connection needs."""

    role: Role
    budget: CheckBudget
    worker: WorkerConnection | None

    def reply_due(self) -> float:
        """The deadline for a reply."""

    def lose(self, cause: str, detail: str, event: Gone | None = None) -> WorkerEvent:
        """Ends a worker without a valid reply; returns the event to raise."""

    def run_out(self, event: Gone) -> WorkerEvent:
        """Code in the worker ran out of memory; returns the event to raise."""

    def note(self, event: WorkerEvent) -> WorkerEvent:
        """Keeps the first event of a check, and returns the event to raise."""

    def close(self) -> None:
        """Ends the worker, if there is one."""


class _TrackedHandle(weakref.ref[Handle]):
    """A weak reference with its object's number, and how often the object has been received."""

    __slots__ = ("count", "number")

    def __new__(cls, handle: Handle, dropped: Callable[[Any], None], number: int) -> _TrackedHandle:
        return super().__new__(cls, handle, dropped)

    def __init__(self, handle: Handle, dropped: Callable[[Any], None], number: int) -> None:
        super().__init__(handle, dropped)  # type: ignore[call-arg]
        self.number, self.count = number, 0


class WorkerConnection:
    """The judge's connection to one worker: requests, replies, and live handles.

    `connect` makes the transport from the encoder and the decoder of handles.
    """

    def __init__(self, session: ConnectionOwner, number: int, connect: Callable[[Encoder, Decoder], Transport]) -> None:
        self.number = number
        self.transport = connect(Encoder(self.refer), Decoder(self.revive))
        self._session = session
        self._sequence = 0
        self._handles: dict[int, _TrackedHandle] = {}
        self._dropped: list[tuple[int, int]] = []
        self._modules: dict[str, Handle] = {}

    def ask(self, operation: Operation, *args: object) -> Any:
        """One exchange; raises StudentError, Missing, Gone, or WireRefused for arguments that cannot be sent."""
        session = self._session
        budget = session.budget
        if budget.event is not None:
            raise budget.event
        if session.worker is not self:
            raise budget.note(Gone("fault", "a check used a handle of a worker that has ended"))
        try:
            reply = self._exchange(operation, args)
        except WireRefused:
            raise
        except TimeoutError:
            raise session.lose("timeout", "") from None
        except (EOFError, OSError):
            raise session.lose("crashed", "") from None
        except TooMuchData:
            raise session.lose("memory", "", Flooded(budget.max_bytes)) from None
        except WireError as error:
            raise session.lose("crashed", f"the process sent an invalid reply: {error}") from None
        except Overdue:  # the alarm may have come in the middle of a reply: the next check gets another worker
            session.close()
            raise
        if session.role.charged:
            budget.mark_received()
        return self._result(reply, operation, args)

    def module(self, name: str) -> Handle:
        """A handle of a module, looked up once per worker."""
        if name not in self._modules:
            self._modules[name] = self.ask(Operation.MODULE, name)
        return self._modules[name]

    def revive(self, value: Any) -> Any:
        """The handle of a reference, one per object; raises WireError for a function's source, which workers never
        send."""
        if type(value) is FunctionSource:
            raise WireError("a function's source from the worker")
        if type(value) is not Ref:
            return value
        tracked = self._handles.get(value.id)
        handle = tracked() if tracked is not None else None
        if handle is None or tracked is None:
            handle = (Handle if value.kind == "object" else TensorHandle)(self, value)
            tracked = self._handles[value.id] = _TrackedHandle(handle, self._drop, value.id)
        tracked.count += 1
        return handle

    def refer(self, value: object) -> Ref | FunctionSource:
        """What is sent instead of one of the judge's values; raises WireRefused with advice."""
        if isinstance(value, Handle):
            if value._gradetape_owner is not self:
                raise WireRefused("handles of two workers cannot be combined: convert one to an array with np.asarray")
            return value._gradetape_ref
        source = getattr(type(value), "gradetape_source", None)
        if source is not None:
            return source(value)  # type: ignore[no-any-return]
        raise WireRefused(
            f"a {type(value).__name__} cannot be sent to the worker: send plain data, arrays or handles, "
            "and mark a function with @in_worker"
        )

    def _drop(self, tracked: Any) -> None:
        number: int = tracked.number
        if self._handles.get(number) is tracked:
            del self._handles[number]
        self._dropped.append((number, tracked.count))

    def _exchange(self, operation: Operation, args: tuple[object, ...]) -> list[Any]:
        deadline = self._session.reply_due()
        dropped = [list(pair) for pair in self._dropped[:_RELEASES]]
        self._sequence += 1
        self.transport.send([self._sequence, operation, list(args), dropped], deadline)
        del self._dropped[: len(dropped)]
        return _checked_reply(self.transport.decode(self._receive(deadline)), self._sequence)

    def _receive(self, deadline: float) -> Frame:
        """The next frame. Of the reference, which is trusted, the bytes are not counted."""
        budget, counted = self._session.budget, not self._session.role.trusted
        before = self.transport.budget = budget.bytes_left if counted else CHECK_BYTES
        frame = self.transport.receive_frame(deadline)
        if counted:
            budget.count_bytes(int(before - self.transport.budget))
        return frame

    def _result(self, reply: list[Any], operation: Operation, args: tuple[object, ...]) -> Any:
        if reply[1] == _OK:
            return reply[2]
        if reply[1] == _MISSING:  # the judge's own words: the worker's text is untrusted
            what = f"{args[0]} is not defined" if operation is Operation.NAME else "a name is not defined"
            raise self._session.note(Missing(what))
        chain, kind, text, traceback = reply[2:]
        if _OUT_OF_MEMORY & set(chain):
            raise self._session.run_out(Gone("memory", said=f"{kind}: {text}"))
        raise self._error(chain, kind, text, traceback)

    def _error(self, chain: list[str], kind: str, text: str, traceback: str) -> StudentError:
        error = student_error(chain, kind, text, traceback)
        error.role = self._session.role.name
        return error


def _checked_reply(reply: Any, sequence: int) -> list[Any]:
    """`reply`, if it is a well-formed reply to this request; raises WireError."""
    if type(reply) is not list or len(reply) < 3 or type(reply[0]) is not int or type(reply[1]) is not str:
        raise WireError("a malformed reply")
    if reply[0] != sequence:
        raise WireError("a reply without a request")
    kind, *rest = reply[1:]
    if kind == _OK and len(rest) == 1:
        return reply
    if kind == _MISSING and len(rest) == 1 and type(rest[0]) is str:
        return reply
    if (
        kind == _RAISED
        and len(rest) == 4
        and type(rest[0]) is list
        and all(type(part) is str for part in (*rest[0], *rest[1:]))
    ):
        return reply
    raise WireError("a malformed reply")
