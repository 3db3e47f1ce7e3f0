"""The reports of a worker's outer processes to the zygote, on a channel that the student's code never holds.

It is a socket, so that the worker can hand over a descriptor of its memory; the kernel names the process that did.
"""

from __future__ import annotations

import array
import os
import signal
import socket
import struct

import msgspec

_PACKET = 1 << 16
_CREDENTIALS = struct.Struct("3i")
_MEMORY, _FRAMES = "/proc/self/mem", "/proc/self/pagemap"
_MOST_DESCRIPTORS = 2


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


class MemoryOpened(msgspec.Struct, frozen=True, tag="memory"):
    """The worker's memory is attached, as a descriptor, and another one that shows the frames it lies in."""


class WorkerMemory(msgspec.Struct, frozen=True):
    """A process's memory: a descriptor that reads it, and the process's number as the kernel gave it.

    `frames` is a descriptor of its page map, where the kernel offers that.
    """

    descriptor: int
    pid: int
    frames: int | None = None


Report = Init | Ended | SandboxReady | Failed | MemoryOpened


def open_memory() -> int | None:
    """A descriptor that reads this process's memory; None where the kernel does not offer it."""
    return _opened(_MEMORY)


def open_frames() -> int | None:
    """A descriptor that shows the frames of this process's memory; None where the kernel does not offer it."""
    return _opened(_FRAMES)


def _opened(path: str) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def report_channel() -> tuple[Reader, int]:
    """A new channel: the zygote's end, and the descriptor that a worker's outer processes write to."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    return Reader(ours), theirs.detach()


class Pipe:
    """The writing end; implements `sandbox.base.Reports`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def memory(self) -> None:
        """Hands over this process's memory, if the kernel offers it."""
        opened = open_memory()
        if opened is None:
            return
        frames = open_frames()
        descriptors = [opened] if frames is None else [opened, frames]
        channel = socket.socket(fileno=os.dup(self._descriptor))
        with channel:
            socket.send_fds(channel, [msgspec.json.encode(MemoryOpened()) + b"\n"], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)

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
    """The zygote's end; `memory` is the worker's, once it has been handed over."""

    def __init__(self, channel: socket.socket) -> None:
        self.memory: WorkerMemory | None = None
        self._channel = channel
        self._pending = b""

    def fileno(self) -> int:
        """The descriptor, for selectors."""
        return self._channel.fileno()

    def read(self) -> list[Report] | None:
        """The reports that have arrived, or None when all outer processes have ended."""
        space = socket.CMSG_SPACE(_CREDENTIALS.size) + socket.CMSG_SPACE(_MOST_DESCRIPTORS * array.array("i").itemsize)
        data, attached, _, _ = self._channel.recvmsg(_PACKET, space)
        if not data:
            return None
        self._keep(attached)
        *lines, self._pending = (self._pending + data).split(b"\n")
        return [msgspec.json.decode(line, type=Report) for line in lines]

    def close(self) -> None:
        """Closes the channel and the worker's memory."""
        self._channel.close()
        if self.memory is not None:
            os.close(self.memory.descriptor)
            if self.memory.frames is not None:
                os.close(self.memory.frames)

    def _keep(self, attached: list[tuple[int, int, bytes]]) -> None:
        kinds = {kind: data for level, kind, data in attached if level == socket.SOL_SOCKET}
        if socket.SCM_RIGHTS in kinds and socket.SCM_CREDENTIALS in kinds and self.memory is None:
            descriptor, *frames = array.array("i", kinds[socket.SCM_RIGHTS])
            [pid, *_] = _CREDENTIALS.unpack(kinds[socket.SCM_CREDENTIALS])
            self.memory = WorkerMemory(descriptor, pid, frames[0] if frames else None)
