"""A worker's replies, recorded so that they can be played back without it."""

from __future__ import annotations

import socket
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from gradetape.wire.message_channel import as_array, trusted_channel


@dataclass
class Recording:
    """A worker's replies, in order, so that they can be played again without it."""

    frames: deque[Any] = field(default_factory=deque)
    playing: bool = False


def send_recording(sock: socket.socket, recording: Recording) -> None:
    """Sends the replies of a recording."""
    trusted_channel(sock).send(
        [[as_array(body), [as_array(part) for part in parts]] for body, parts in recording.frames]
    )


def receive_recording(sock: socket.socket) -> Recording:
    """The replies that `send_recording` sent; none where the sender died."""
    try:
        frames = trusted_channel(sock).receive()
    except EOFError:
        frames = []
    return Recording(deque((memoryview(body), [memoryview(part) for part in parts]) for body, parts in frames))
