"""The judge's side of a control connection: asks the zygote for workers, ends them, and hears what became of them.

Every judge's child has a connection of its own. The zygote kills a connection's workers when the connection ends, so a
judge that dies leaves nothing behind. Nothing that a worker writes arrives here: the zygote does not read it.
"""

from __future__ import annotations

import array
import signal
import socket
import time
from pathlib import Path

import msgspec

from gradetape.errors import WallsError, ZygoteError
from gradetape.records import Slot

_PACKET = 1 << 16
_BUFFER = 1 << 20
_END_S = 15.0


class Spawn(msgspec.Struct, frozen=True, tag_field="do", tag="spawn"):
    """Asks for a worker in a role (`student`, `reference` or `clean`); its data socket comes along."""

    worker: int
    role: str
    slot: Slot = Slot()


class Kill(msgspec.Struct, frozen=True, tag_field="do", tag="kill"):
    """Asks for the end of a worker and of everything that it started."""

    worker: int


class Allow(msgspec.Struct, frozen=True, tag_field="do", tag="allow"):
    """Lets a worker use so many CPU seconds from now on, and no more than `total_s` in its life; then it is ended."""

    worker: int
    cpu_s: float
    total_s: float | None = None


class Ready(msgspec.Struct, frozen=True, tag_field="is", tag="ready"):
    """A worker stands behind its walls; `layers` names those in force."""

    worker: int
    layers: tuple[str, ...]


class Broken(msgspec.Struct, frozen=True, tag_field="is", tag="broken"):
    """A worker could not be walled in."""

    worker: int
    reason: str


class Exit(msgspec.Struct, frozen=True, tag_field="is", tag="exit"):
    """A worker and everything that it started are gone. `status` is as `os.wait` gives it, `peak_mb` in MiB.

    `overspent` tells that the zygote ended it, since it had used up its CPU seconds; `lost` that somebody outside has
    ended its walls, so that nobody knows how the worker itself would have ended.
    """

    worker: int
    status: int
    oom_kills: int = 0
    cpu_s: float = 0.0
    peak_mb: int = 0
    overspent: bool = False
    lost: bool = False

    @property
    def cause(self) -> str:
        """`memory`, `timeout` or `crashed`, as far as the kernel and the zygote know."""
        if self.oom_kills:
            return "memory"
        return "timeout" if self.overspent else "crashed"

    @property
    def description(self) -> str:
        """How it ended, in words."""
        number = self.status & 0x7F
        if self.oom_kills:
            return f"the process used more memory than it may ({self.peak_mb} MiB)"
        if self.overspent:
            return f"the process used more CPU seconds than it may ({self.cpu_s:.1f} in its whole life)"
        if number:
            return f"the process was ended by {_signal(number)}"
        return f"the process ended itself with exit status {self.status >> 8}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most of the real-time signals have no name
        return f"signal {number}"


Order = Spawn | Kill | Allow
News = Ready | Broken | Exit


class Control:
    """A connection to the zygote that listens at `path`; raises ZygoteError whenever that one is gone.

    `slot` is where its workers compute.
    """

    def __init__(self, path: Path, slot: Slot = Slot()) -> None:  # noqa: B008 - it is frozen
        self.slot = slot
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        self._decoder: msgspec.json.Decoder[News] = msgspec.json.Decoder(News)
        self._exits: dict[int, Exit] = {}
        self._count = 0
        try:
            self._socket.connect(str(path))
        except OSError as error:
            raise ZygoteError(f"the zygote does not answer at {path}: {error.strerror}") from error

    def spawn(self, role: str, timeout_s: float) -> tuple[int, socket.socket, tuple[str, ...]]:
        """A new worker's number, its data socket and its layers; raises WallsError where a wall could not be built."""
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
        """Begins a new count of the CPU seconds that a worker may use; see `Allow`."""
        self._send(Allow(worker, cpu_s, total_s), [])

    def end(self, worker: int) -> Exit:
        """Kills a worker's whole tree and waits until it is gone."""
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
            news = self._receive(deadline)
            if isinstance(news, Exit):
                self._exits[news.worker] = news
        return self._exits.pop(worker)

    def close(self) -> None:
        """Hangs up, which ends every worker of this connection."""
        self._socket.close()

    def _await_ready(self, worker: int, timeout_s: float) -> tuple[str, ...]:
        deadline, reason = time.monotonic() + timeout_s, ""
        while True:
            try:
                news = self._receive(deadline)
            except TimeoutError:
                raise WallsError(
                    f"a worker did not stand behind its walls within {timeout_s:g} s. Where the machine is busy, use "
                    "fewer --workers or a greater limits.load_s."
                ) from None
            if isinstance(news, Exit):
                self._exits[news.worker] = news
            if news.worker != worker:
                continue
            if isinstance(news, Ready):
                return news.layers
            if isinstance(news, Exit):
                raise WallsError(f"a worker could not be walled in: {reason or news.description}")
            reason = news.reason

    def _send(self, order: Order, descriptors: list[int]) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        try:
            self._socket.settimeout(_END_S)
            self._socket.sendmsg([msgspec.json.encode(order)], rights)
        except OSError as error:
            raise ZygoteError("the zygote is gone") from error

    def _receive(self, deadline: float) -> News:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            self._socket.settimeout(left)
            packet = self._socket.recv(_PACKET)
        except TimeoutError:
            raise
        except OSError as error:
            raise ZygoteError("the zygote is gone") from error
        if not packet:
            raise ZygoteError("the zygote is gone")
        try:
            return self._decoder.decode(packet)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise ZygoteError(f"the zygote said what is no news: {error}") from error
