"""The judge's end of a control connection: it asks the zygote for workers, ends them, and receives how they ended.

Every judge's child has a connection of its own. The zygote kills a connection's workers when the connection ends, so a
judge that dies leaves nothing behind. Nothing that a worker writes arrives here: the zygote does not read it.
"""

from __future__ import annotations

import array
import socket
import time
from pathlib import Path

import msgspec

from gradetape.errors import SandboxError, ZygoteError
from gradetape.records import Slot
from gradetape.wire.messages import Allow, Broken, Exit, Kill, Look, Looked, Ready, Spawn, ZygoteEvent, ZygoteRequest

_PACKET = 1 << 16
_BUFFER = 1 << 20
_END_S = 15.0


class ZygoteClient:
    """A connection to the zygote that listens at `path`; every method raises ZygoteError once the zygote has ended.

    `slot` is where its workers compute.
    """

    def __init__(self, path: Path, slot: Slot = Slot()) -> None:  # noqa: B008 - it is frozen
        self.slot = slot
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        self._decoder: msgspec.json.Decoder[ZygoteEvent] = msgspec.json.Decoder(ZygoteEvent)
        self._exits: dict[int, Exit] = {}
        self._count = 0
        try:
            self._socket.connect(str(path))
        except OSError as error:
            raise ZygoteError(f"the zygote does not answer at {path}: {error.strerror}") from error

    def spawn(self, role: str, timeout_s: float) -> tuple[int, socket.socket, tuple[str, ...]]:
        """A new worker's number, data socket and isolation layers; raises SandboxError if a layer is missing."""
        ours, theirs = socket.socketpair()
        with theirs:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            self._count += 1
            self._send(Spawn(self._count, role, self.slot), [theirs.fileno()])
        try:
            return self._count, ours, self._await_ready(self._count, timeout_s)
        except BaseException:
            ours.close()
            raise

    def allow(self, worker: int, cpu_s: float, total_s: float | None = None) -> None:
        """Starts a new count of the CPU seconds that a worker may use; see `Allow`."""
        self._send(Allow(worker, cpu_s, total_s), [])

    def look(self, worker: int, *, compare: bool = True, trusted: bool = False) -> Looked:
        """Looks at a worker from outside; see `Look`."""
        self._send(Look(worker, compare, trusted), [])
        deadline = time.monotonic() + _END_S
        while True:
            try:
                event = self._receive(deadline)
            except TimeoutError:
                raise ZygoteError(f"the zygote did not look at a worker within {_END_S:g} s") from None
            if isinstance(event, Looked):
                return event

    def end(self, worker: int) -> Exit:
        """Kills a worker's whole process tree and waits for its end."""
        if worker not in self._exits:
            self._send(Kill(worker), [])
        try:
            return self.exit_of(worker, _END_S)
        except TimeoutError:
            raise ZygoteError(f"the zygote did not end a worker within {_END_S:g} s") from None

    def exit_of(self, worker: int, timeout_s: float) -> Exit:
        """How a worker ended; raises TimeoutError while it has not."""
        deadline = time.monotonic() + timeout_s
        while worker not in self._exits:
            self._receive(deadline)
        return self._exits.pop(worker)

    def close(self) -> None:
        """Closes the connection, which ends all its workers."""
        self._socket.close()

    def _await_ready(self, worker: int, timeout_s: float) -> tuple[str, ...]:
        deadline, reason = time.monotonic() + timeout_s, ""
        while True:
            try:
                event = self._receive(deadline)
            except TimeoutError:
                raise SandboxError(
                    f"a worker was not sandboxed within {timeout_s:g} s. If the machine is busy, use fewer --workers "
                    "or a greater limits.load_s."
                ) from None
            if event.worker != worker:
                continue
            if isinstance(event, Ready):
                return event.layers
            if isinstance(event, Exit):
                raise SandboxError(f"a worker could not be sandboxed: {reason or event.description}")
            if isinstance(event, Broken):
                reason = event.reason

    def _send(self, request: ZygoteRequest, descriptors: list[int]) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        try:
            self._socket.settimeout(_END_S)
            self._socket.sendmsg([msgspec.json.encode(request)], rights)
        except OSError as error:
            raise ZygoteError("the zygote has ended") from error

    def _receive(self, deadline: float) -> ZygoteEvent:
        """The next event; how a worker has ended is kept. Raises TimeoutError after the deadline."""
        event = self._decoded(self._packet(deadline))
        if isinstance(event, Exit):
            self._exits[event.worker] = event
        return event

    def _packet(self, deadline: float) -> bytes:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            self._socket.settimeout(left)
            packet = self._socket.recv(_PACKET)
        except TimeoutError:
            raise
        except OSError as error:
            raise ZygoteError("the zygote has ended") from error
        if not packet:
            raise ZygoteError("the zygote has ended")
        return packet

    def _decoded(self, packet: bytes) -> ZygoteEvent:
        try:
            return self._decoder.decode(packet)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise ZygoteError(f"the zygote sent a malformed message: {error}") from error
