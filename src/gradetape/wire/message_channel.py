"""Messages over a stream socket, between processes that trust each other."""

from __future__ import annotations

import socket
from collections import deque
from contextlib import suppress
from typing import Any

import msgspec
import numpy as np

from gradetape.errors import WireRefused
from gradetape.wire.channel import Channel
from gradetape.wire.codec import Array, Decoder, Encoder


class MessageChannel:
    """Messages between the supervisor, the judge and its children, over a stream socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._channel = trusted_channel(sock)

    def fileno(self) -> int:
        """For selectors."""
        return self._channel.fileno()

    def close(self) -> None:
        """Closes the socket."""
        self._channel.close()

    def send(self, message: object) -> None:
        """Sends one record."""
        self._channel.send(_encoded(message))

    def receive(self, kind: Any) -> Any:
        """The next message; raises EOFError if the other end is closed."""
        return msgspec.json.decode(self._channel.receive().tobytes(), type=kind)


class QueueingChannel(MessageChannel):
    """A channel whose `send` never waits, so that two ends that both send first do not wait for each other for ever.

    What the other end does not take at once is sent by `flush`, when the socket can be written.
    """

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._queue: deque[bytes | memoryview] = deque()

    @property
    def queued(self) -> bool:
        """Whether there is something to flush."""
        return bool(self._queue)

    def send(self, message: object) -> None:
        """Sends one record, or queues what is left of it."""
        self._queue.extend(self._channel.frame(_encoded(message)))
        self.flush()

    def flush(self) -> None:
        """Sends as much as the other end takes at once; raises OSError if it is closed."""
        with suppress(BlockingIOError):
            while self._queue:
                data = self._queue[0]
                if (sent := self._channel.send_some(data)) < len(data):
                    self._queue[0] = memoryview(data)[sent:]
                else:
                    self._queue.popleft()


def trusted_channel(sock: socket.socket) -> Channel:
    """A channel to another process of the grader, for plain data; it skips the survey."""
    return Channel(sock, Encoder(_refuse), Decoder(lambda value: value, trusting=True))


def as_array(data: memoryview) -> Array:
    """Bytes as an array, which is sent without being copied into the body."""
    return np.frombuffer(data, np.uint8)


def _encoded(message: object) -> Array:
    return np.frombuffer(msgspec.json.encode(message), np.uint8)


def _refuse(value: object) -> Any:
    raise WireRefused(f"a {type(value).__name__} is not a message")
