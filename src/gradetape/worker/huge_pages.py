"""Makes forks cheaper: a fork copies an entry for each page of memory, and a huge page is one entry for 512.

A worker that writes to a huge page gets its own copy of the small page alone: the kernel splits the huge page for it.
Kernels before Linux 6.1 cannot do this, and a machine may have no huge page left: then forks only cost what they did.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gradetape.sandbox.syscalls import collapse

_HUGE = 2 << 20
_MAPS = Path("/proc/self/maps")


def use_huge_pages() -> None:
    """Puts the memory that this process has written into huge pages, as far as it fills them."""
    for start, end in regions(_MAPS.read_text()):
        with suppress(OSError):
            collapse(start, end - start)


def regions(maps: str) -> Iterator[tuple[int, int]]:
    """The parts of private, writable memory of no file that whole huge pages fit into, in the text of `maps`."""
    for line in maps.splitlines():
        span, mode, *_, name = (*line.split(maxsplit=5), "")[:6]
        if mode == "rw-p" and name.strip() in ("", "[heap]"):
            low, high = (int(number, 16) for number in span.split("-"))
            start, end = -(-low // _HUGE) * _HUGE, high // _HUGE * _HUGE
            if start < end:
                yield start, end
