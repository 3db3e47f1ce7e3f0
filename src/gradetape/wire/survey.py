"""Checks a msgpack body without building it: its elements, its depth, and that map keys are text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gradetape.errors import WireError

MAX_DEPTH = 64


class Quota:
    """The numbers of elements and levels that a frame may still have."""

    __slots__ = ("elements", "level")

    def __init__(self, elements: int) -> None:
        self.elements = elements
        self.level = 0

    def take(self, count: int) -> None:
        """Uses up `count` elements; raises WireError if there are not enough."""
        self.elements -= count
        if self.elements < 0:
            raise WireError("too many elements in the frame")

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One extension inside another; raises WireError beyond `MAX_DEPTH`."""
        self.level += 1
        if self.level > MAX_DEPTH:
            raise WireError("the frame is nested too deeply")
        yield
        self.level -= 1


def _table() -> list[tuple[str, int, int]]:
    """For each head byte: the kind of value, the size that it states, and the width of a size that follows."""
    table = [("plain", 0, 0)] * 256
    for low in range(16):
        table[0x80 + low], table[0x90 + low] = ("map", low, 0), ("array", low, 0)
    for low in range(32):
        table[0xA0 + low] = ("text", low, 0)
    table[0xC1] = ("bad", 0, 0)
    for power, width in enumerate((1, 2, 4)):
        table[0xC4 + power], table[0xD9 + power] = ("plain", 0, width), ("text", 0, width)
        table[0xC7 + power] = ("ext", 1, width)
    for power, width in enumerate((2, 4)):
        table[0xDC + power], table[0xDE + power] = ("array", 0, width), ("map", 0, width)
    table[0xCA], table[0xCB] = ("plain", 4, 0), ("plain", 8, 0)
    for power in range(4):
        table[0xCC + power] = table[0xD0 + power] = ("plain", 1 << power, 0)
    for power in range(5):
        table[0xD4 + power] = ("ext", 1 + (1 << power), 0)
    return table


_HEADS = tuple(_table())


def survey(data: bytes | memoryview, quota: Quota) -> None:
    """Checks one msgpack value that fills `data`; raises WireError.

    The payload of an extension is skipped here: it is surveyed when that extension is decoded. Those of a negative
    type are msgpack's own, which a decoder would take for points in time.
    """
    position, end = 0, len(data)
    remaining, keyed = [1], [False]
    while remaining:
        if not remaining[-1]:
            remaining.pop()
            keyed.pop()
            continue
        if position >= end:
            raise WireError("the frame ends too early")
        kind, size, width = _HEADS[data[position]]
        if keyed[-1] and not remaining[-1] & 1 and kind != "text":
            raise WireError("a map key that is not text")
        remaining[-1] -= 1
        quota.take(1)
        position += 1
        if width:
            size += int.from_bytes(data[position : position + width], "big")
            position += width
        if kind in ("array", "map"):
            count = size if kind == "array" else 2 * size
            if count > end - position or len(remaining) > MAX_DEPTH:
                raise WireError("the frame is nested too deeply or ends too early")
            remaining.append(count)
            keyed.append(kind == "map")
        elif kind == "bad" or (kind == "ext" and position < end and data[position] > 0x7F):
            raise WireError("not msgpack, or an extension reserved by it")
        else:
            position += size
    if position != end:
        raise WireError("trailing bytes after the frame")
