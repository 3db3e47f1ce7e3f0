"""A socket that carries frames, with a deadline for every read and write and a budget of bytes.

A frame on the wire: u32 length of the body, u16 count of buffers, u64 length of each; the body; the buffers.
"""

from __future__ import annotations

import math
import socket
import struct
import time
from typing import Any

import numpy as np

from gradetape.errors import TooMuchData, WireError, WireRefused
from gradetape.wire.codec import Array, Decoder, Encoder

MAX_BODY = 16 << 20
MAX_BUFFERS = 4096
MAX_FRAME = 512 << 20
_HEAD = struct.Struct("<IH")
_SMALL = 1 << 16

Frame = tuple[memoryview, list[memoryview]]


class Channel:
    """Frames over a connected stream socket. Deadlines are absolute, in seconds of `time.monotonic()`.

    `budget` is the number of bytes that may still be received; whoever receives sets it.
    """

    __slots__ = ("_decoder", "_encoder", "_sock", "budget")

    def __init__(self, sock: socket.socket, encoder: Encoder, decoder: Decoder) -> None:
        self._sock = sock
        self._encoder = encoder
        self._decoder = decoder
        self.budget: float = math.inf

    def fileno(self) -> int:
        """The socket's descriptor, for selectors."""
        return self._sock.fileno()

    def begin_check(self) -> None:
        """Does nothing: no frame belongs to a check."""

    def close(self) -> None:
        """Closes the socket."""
        self._sock.close()

    def send(self, value: object, deadline: float | None = None) -> None:
        """Sends one frame; raises WireRefused before anything is sent, TimeoutError, or OSError."""
        for part in self.frame(value):
            self._write(part, deadline)

    def frame(self, value: object) -> list[bytes | memoryview]:
        """A frame as what is written, one after another; raises WireRefused."""
        body, buffers = self._encoder.encode(value)
        sizes = [buffer.nbytes for buffer in buffers]
        if len(body) > MAX_BODY or len(buffers) > MAX_BUFFERS or len(body) + sum(sizes) > MAX_FRAME:
            raise WireRefused("too large for one message: reduce it before it is sent")
        head = _HEAD.pack(len(body), len(buffers)) + struct.pack(f"<{len(sizes)}Q", *sizes)
        if sum(sizes) <= _SMALL:
            return [b"".join((head, body, *map(_raw, buffers)))]
        return [head + body, *(_raw(buffer) for buffer in buffers if buffer.nbytes)]

    def send_some(self, data: bytes | memoryview) -> int:
        """Sends as much as the other end takes at once; raises BlockingIOError if that is nothing, or OSError."""
        return self._sock.send(data, socket.MSG_DONTWAIT)

    def receive(self, deadline: float | None = None) -> Any:
        """The next frame's value; raises WireError, EOFError, TimeoutError or OSError."""
        return self.decode(self.receive_frame(deadline))

    def decode(self, frame: Frame) -> Any:
        """The value of a frame; raises WireError."""
        return self._decoder.decode(*frame)

    def receive_frame(self, deadline: float | None = None) -> Frame:
        """The next frame, not decoded: its body and its buffers."""
        size, count = _HEAD.unpack(self._read(_HEAD.size, deadline))
        if not 0 < size <= MAX_BODY or count > MAX_BUFFERS:
            raise WireError("the frame is too large")
        sizes = struct.unpack(f"<{count}Q", self._read(8 * count, deadline)) if count else ()
        total = size + sum(sizes)
        self.budget -= total
        if total > MAX_FRAME:
            raise WireError(f"the frame is too large ({total} bytes)")
        if self.budget < 0:
            raise TooMuchData(f"more data than a check may receive (a frame of {total} bytes)")
        body = self._read(size, deadline)
        return body, [self._read(part, deadline) for part in sizes]

    def _wait(self, deadline: float | None) -> None:
        if deadline is None:
            if self._sock.gettimeout() is not None:
                self._sock.settimeout(None)
            return
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)

    def _write(self, data: bytes | memoryview, deadline: float | None) -> None:
        self._wait(deadline)
        self._sock.sendall(data)

    def _read(self, size: int, deadline: float | None) -> memoryview:
        """Exactly `size` bytes in writable memory, since arrays use it directly."""
        view, got = _buffer(size), 0
        while got < size:
            self._wait(deadline)
            part = self._sock.recv_into(view[got:])
            if not part:
                raise EOFError("the peer closed the connection")
            got += part
        return view


def _buffer(size: int) -> memoryview:
    try:
        # np.empty allocates no pages yet
        return memoryview(bytearray(size)) if size <= _SMALL else _raw(np.empty(size, np.uint8))
    except MemoryError:
        raise WireError(f"more data than there is memory for ({size} bytes)") from None


def _raw(array: Array) -> memoryview:
    return array.reshape(-1).view(np.uint8).data
