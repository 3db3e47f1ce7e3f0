"""Records a worker's replies, and plays them back without the worker."""

from __future__ import annotations

import math
import socket
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from gradetape.errors import Gone, SandboxError, WorkerEvent
from gradetape.records import Limits
from gradetape.remote.budget import CheckBudget
from gradetape.remote.connection import WorkerConnection
from gradetape.remote.loader import LoadReport
from gradetape.remote.roles import STUDENT
from gradetape.remote.session import Session
from gradetape.wire.channel import Channel, Frame
from gradetape.wire.codec import Decoder, Encoder
from gradetape.wire.message_channel import as_array, trusted_channel
from gradetape.wire.operations import Operation, ReplyKind


@dataclass
class Recording:
    """The replies to one check, in order."""

    frames: deque[Frame] = field(default_factory=deque)

    def open_transport(self, sock: socket.socket, encoder: Encoder, decoder: Decoder) -> RecordingChannel:
        """A live channel that is recorded."""
        return RecordingChannel(sock, encoder, decoder, self)


class RecordingChannel(Channel):
    """A live channel that keeps the replies since the start of the current check."""

    def __init__(self, sock: socket.socket, encoder: Encoder, decoder: Decoder, recording: Recording) -> None:
        super().__init__(sock, encoder, decoder)
        self._recording = recording

    def begin_check(self) -> None:
        """A recording starts with the check, not with the cells."""
        self._recording.frames.clear()

    def receive_frame(self, deadline: float | None = None) -> Frame:
        """The next reply, which is recorded."""
        frame = super().receive_frame(deadline)
        self._recording.frames.append(frame)
        return frame


class Playback:
    """The transport of a recording: each request gets the next reply, whatever was asked.

    Without `files`, a request for files gets an exception.
    """

    def __init__(self, recording: Recording, decoder: Decoder, *, files: bool = True) -> None:
        self.budget = math.inf
        self._frames = recording.frames
        self._decoder = decoder
        self._files = files
        self._request: Any = None

    def begin_check(self) -> None:
        """Does nothing: a recording is of one check."""

    def send(self, value: Any, deadline: float | None = None) -> None:
        """Takes only the number and the operation of the request."""
        self._request = value[:2]

    def receive_frame(self, deadline: float | None = None) -> Frame:
        """The next reply; raises EOFError if none is left."""
        if not self._frames:
            raise EOFError
        return self._frames.popleft()

    def decode(self, frame: Frame) -> Any:
        """The reply, with the number of the current request."""
        number, operation = self._request
        if operation == Operation.READ_TREE and not self._files:
            return [number, ReplyKind.RAISED.value, ["OSError"], "OSError", "there are no files", ""]
        reply = self._decoder.decode(*frame)
        if type(reply) is list and reply and type(reply[0]) is int:
            reply[0] = number
        return reply

    def close(self) -> None:
        """Does nothing."""


class PlaybackSession(Session):
    """The student's session with a recording instead of a worker: there is no process, and no time is counted."""

    def __init__(self, recording: Recording, limits: Limits, budget: CheckBudget, *, files: bool = True) -> None:
        super().__init__(STUDENT, limits, budget, LoadReport())
        self.worker = WorkerConnection(self, 0, lambda _, decoder: Playback(recording, decoder, files=files))

    def ready(self) -> WorkerConnection:
        """The recording; raises SandboxError after its end."""
        if self.budget.event is not None:
            raise self.budget.event
        with self.budget.machinery():
            if self.worker is None:
                raise SandboxError("a worker ended before any cell was run: the recording has no reply left")
        return self.worker

    def lose(self, cause: str, detail: str, event: Gone | None = None) -> WorkerEvent:
        """Ends the recording, which is over or cannot be read."""
        self.worker = None
        return self.budget.note(event or Gone(cause, detail))

    @property
    def cpu_left_s(self) -> float:
        """All CPU seconds: nothing computes."""
        return self._limits.submission_cpu_s

    def allow(self, cpu_s: float) -> None:
        """Does nothing: nothing computes."""

    def review(self) -> None:
        """Does nothing: there is no worker."""

    def close(self) -> None:
        """Does nothing: there is no worker."""
        self.worker = None


def send_recording(sock: socket.socket, recording: Recording) -> None:
    """Sends the replies of a recording."""
    trusted_channel(sock).send(
        [[as_array(body), [as_array(part) for part in parts]] for body, parts in recording.frames]
    )


def receive_recording(sock: socket.socket) -> Recording:
    """The replies that `send_recording` sent; none if the sender died."""
    try:
        frames = trusted_channel(sock).receive()
    except EOFError:
        frames = []
    return Recording(deque((memoryview(body), [memoryview(part) for part in parts]) for body, parts in frames))
