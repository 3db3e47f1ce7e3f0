"""What a worker's outer processes tell the zygote, on a pipe that the student's code never holds."""

from __future__ import annotations

import os
import signal

import msgspec

_PACKET = 1 << 16


class Init(msgspec.Struct, frozen=True, tag="init"):
    """Whom to signal so that the whole tree ends, and how."""

    pid: int
    signal: int = signal.SIGKILL


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """How the worker's own process ended."""

    status: int
    cpu_s: float
    peak_mb: int


class Stands(msgspec.Struct, frozen=True, tag="stands"):
    """The walls stand, and were tried."""

    layers: tuple[str, ...]


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """A wall could not be built; `elsewhere` where another kind of walls may do."""

    reason: str
    elsewhere: bool = False


Report = Init | Ended | Stands | Failed


class Pipe:
    """The writing end: `sandbox.base.Reports`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def ready(self, layers: tuple[str, ...]) -> None:
        """Tells that the walls stand, and closes this process's end for good."""
        self._write(Stands(layers))
        os.close(self._descriptor)

    def init(self, pid: int, number: int = signal.SIGKILL) -> None:
        """Tells whom to signal so that all end, and how."""
        self._write(Init(pid, number))

    def ended(self, status: int, cpu_s: float, peak_mb: int) -> None:
        """Tells how the worker ended."""
        self._write(Ended(status, cpu_s, peak_mb))

    def failed(self, reason: str, elsewhere: bool) -> None:
        """Tells that a wall could not be built."""
        self._write(Failed(reason, elsewhere))

    def _write(self, report: Report) -> None:
        os.write(self._descriptor, msgspec.json.encode(report) + b"\n")


class Reader:
    """The zygote's end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pending = b""

    def fileno(self) -> int:
        """The descriptor, for selectors."""
        return self._descriptor

    def read(self) -> list[Report] | None:
        """What the outer processes said, or None when all of them are gone."""
        data = os.read(self._descriptor, _PACKET)
        if not data:
            return None
        *lines, self._pending = (self._pending + data).split(b"\n")
        return [msgspec.json.decode(line, type=Report) for line in lines]

    def close(self) -> None:
        """Nobody listens any more."""
        os.close(self._descriptor)
