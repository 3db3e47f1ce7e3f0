"""Which pages of a worker are still the zygote's own: those that both have in the same frame of physical memory.

What lies in such a page is the same in both, so it need not be read. `/proc/self/pagemap` shows the frames, to a grader
that is root alone; the worker opens its own for the zygote beside its memory. A page that is in no frame, or in another
one, may differ.
"""

from __future__ import annotations

import mmap
import os

import numpy as np
import numpy.typing as npt

from gradetape.sandbox.reports import open_frames

Numbers = npt.NDArray[np.uint64]
_ENTRY = 8
_PRESENT, _FRAME = np.uint64(1 << 63), np.uint64((1 << 55) - 1)
_GAP = 64  # pages: looking up what lies between costs less than another system call
_WIPE_ON_FORK = 18


class SharedPages:
    """Compares the frames of some pages, given by their ascending numbers, with those of this process."""

    def __init__(self, pages: Numbers) -> None:
        breaks = np.flatnonzero(np.diff(pages) > _GAP)
        firsts = pages[np.concatenate(([0], breaks + 1))]
        counts = pages[np.concatenate((breaks, [len(pages) - 1]))] - firsts + np.uint64(1)
        starts = np.cumsum(counts) - counts
        span = np.searchsorted(firsts, pages, side="right") - 1
        self._places = (starts[span] + pages - firsts[span]).astype(np.int64)
        self._spans = list(zip(firsts.tolist(), starts.tolist(), counts.tolist(), strict=True))
        self._own, self._theirs = (scratch(int(counts.sum()) * _ENTRY) for _ in range(2))
        self._descriptor = open_frames()

    def may_differ(self, descriptor: int | None) -> npt.NDArray[np.int64]:
        """The indices of the pages that the process of this descriptor may not share; all where frames are hidden.

        Its own frames are looked up first: a page that the kernel moves meanwhile is in another frame in the worker.
        """
        if self._descriptor is None or descriptor is None:
            return np.arange(len(self._places))
        own, theirs = self._frames(self._descriptor, self._own), self._frames(descriptor, self._theirs)
        shared = (own == theirs) & (own & _PRESENT != 0) & (own & _FRAME != 0)
        return np.flatnonzero(~shared)

    def _frames(self, descriptor: int, buffer: memoryview) -> Numbers:
        """The frames of the pages, and whether they are there; 0 where that cannot be read."""
        for first, start, count in self._spans:
            part = buffer[start * _ENTRY : (start + count) * _ENTRY]
            try:
                got = os.preadv(descriptor, [part], first * _ENTRY)
            except OSError:
                got = 0
            part[got:] = bytes(len(part) - got)
        found: Numbers = np.frombuffer(buffer, np.uint64)[self._places] & (_PRESENT | _FRAME)
        return found


def scratch(size: int) -> memoryview:
    """Memory for what is read, which a fork neither copies nor pays for."""
    buffer = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    buffer.madvise(_WIPE_ON_FORK)
    return memoryview(buffer)
