"""Messages over a stream socket, between processes that trust each other."""

from __future__ import annotations

import socket
from collections import deque
from typing import Any

import msgspec
import numpy as np

from gradetape.errors import WireRefused
from gradetape.wire.channel import Channel
from gradetape.wire.codec import Array, Decoder, Encoder
from gradetape.wire.lane import Tape


class Line:
    """Messages between the supervisor, the judge and its children, over a stream socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._channel = _channel(sock)

    def fileno(self) -> int:
        """For selectors."""
        return self._channel.fileno()

    def close(self) -> None:
        """Hangs up."""
        self._channel.close()

    def send(self, message: object) -> None:
        """Sends a message of `judge.messages`."""
        self._channel.send(np.frombuffer(msgspec.json.encode(message), np.uint8))

    def receive(self, kind: Any) -> Any:
        """The next message; raises EOFError when the other end is gone."""
        return msgspec.json.decode(self._channel.receive().tobytes(), type=kind)


def send_tape(sock: socket.socket, tape: Tape) -> None:
    """Sends the replies on a tape."""
    _channel(sock).send([[_array(body), [_array(part) for part in parts]] for body, parts in tape.frames])


def receive_tape(sock: socket.socket) -> Tape:
    """The replies that `send_tape` sent; none where the sender died."""
    try:
        frames = _channel(sock).receive()
    except EOFError:
        frames = []
    return Tape(deque((memoryview(body), [memoryview(part) for part in parts]) for body, parts in frames))


def _channel(sock: socket.socket) -> Channel:
    return Channel(sock, Encoder(_refuse), Decoder(lambda value: value, trusting=True))


def _array(data: memoryview) -> Array:
    return np.frombuffer(data, np.uint8)


def _refuse(value: object) -> Any:
    raise WireRefused(f"{type(value).__name__} is no message")
