"""The reports of a worker's outer processes to the zygote, on a pipe that the student's code never holds."""

from __future__ import annotations

import os
import signal

import msgspec

_PACKET = 1 << 16


class Init(msgspec.Struct, frozen=True, tag="init"):
    """The process to signal to end the whole tree, and the signal."""

    pid: int
    signal: int = signal.SIGKILL


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """How the worker's own process ended; `filled`: it was ended since it had written too much."""

    status: int
    cpu_s: float
    peak_mb: int
    filled: bool = False


class SandboxReady(msgspec.Struct, frozen=True, tag="ready"):
    """The sandbox is set up, and its self-test passed."""

    layers: tuple[str, ...]


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """A layer could not be set up; `elsewhere` is set if another backend may work."""

    reason: str
    elsewhere: bool = False


Report = Init | Ended | SandboxReady | Failed


class Pipe:
    """The writing end; implements `sandbox.base.Reports`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def ready(self, layers: tuple[str, ...]) -> None:
        """Reports that the sandbox is ready, then closes this process's end."""
        self._write(SandboxReady(layers))
        os.close(self._descriptor)

    def init(self, pid: int, number: int = signal.SIGKILL) -> None:
        """Reports which process to signal to end the whole tree, and the signal."""
        self._write(Init(pid, number))

    def ended(self, status: int, cpu_s: float, peak_mb: int, *, filled: bool = False) -> None:
        """Reports how the worker ended."""
        self._write(Ended(status, cpu_s, peak_mb, filled))

    def failed(self, reason: str, elsewhere: bool) -> None:
        """Reports that a layer could not be set up."""
        self._write(Failed(reason, elsewhere))

    def _write(self, report: Report) -> None:
        os.write(self._descriptor, msgspec.json.encode(report) + b"\n")


class Reader:
    """The zygote's end of the pipe."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pending = b""

    def fileno(self) -> int:
        """The descriptor, for selectors."""
        return self._descriptor

    def read(self) -> list[Report] | None:
        """The reports that have arrived, or None when all outer processes have ended."""
        data = os.read(self._descriptor, _PACKET)
        if not data:
            return None
        *lines, self._pending = (self._pending + data).split(b"\n")
        return [msgspec.json.decode(line, type=Report) for line in lines]

    def close(self) -> None:
        """Closes the pipe."""
        os.close(self._descriptor)
