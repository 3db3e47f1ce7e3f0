"""Reads words of a worker's memory through a descriptor of `/proc/self/mem` that the worker opened before any of the
student's code ran.

Such a descriptor needs no right to trace, names one memory for ever, whatever process has its number later, and can be
read while the worker runs, hangs or is stopped. Nothing is written. Memory that the worker has unmapped reads as zeros.
`process_vm_readv` would read many regions in one call, but pins what it reads: for that the kernel first gives the
worker a copy of every page that it still shares with the zygote, 32 MiB for one look.
"""

from __future__ import annotations

import mmap
import os
import time

import numpy as np
import numpy.typing as npt

from gradetape.sandbox.reports import WorkerMemory

Words = npt.NDArray[np.uint64]
WORD = 8
_GAP = 4096  # a page: reading what lies between costs less than another system call
_PATIENCE_S = 1.0  # a worker that keeps changing its own maps makes each read wait
_WIPE_ON_FORK = 18
_QUEUED = "/proc/thread-self/schedstat"


class MemoryUnreadable(Exception):
    """The memory cannot be read: its process has ended, or reading it takes too long."""


class MemoryReader:
    """Reads bytes of a worker's memory, even at addresses that the worker chose."""

    def __init__(self, memory: WorkerMemory) -> None:
        self._descriptor = memory.descriptor

    def read(self, address: int, size: int) -> bytes:
        """A few bytes; shorter where they are not mapped. Raises MemoryUnreadable if the process has ended."""
        data = bytearray(size)
        if not 0 < address < 1 << 63:
            return b""
        return bytes(data[: self.read_into(address, [memoryview(data)])])

    def read_into(self, address: int, views: list[memoryview]) -> int:
        """The number of bytes read until the first that is not mapped; raises MemoryUnreadable."""
        try:
            got = os.preadv(self._descriptor, views, address)
        except (OSError, OverflowError):
            return 0
        if not got:
            raise MemoryUnreadable("its process has ended")
        return got


class WordReader:
    """Reads the words at fixed addresses, in as few system calls as pays off."""

    def __init__(self, addresses: Words) -> None:
        firsts, lasts = _regions(np.sort(addresses))
        sizes = lasts - firsts + np.uint64(WORD)
        starts = np.cumsum(sizes) - sizes
        self._buffer = mmap.mmap(-1, int(sizes.sum()), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._buffer.madvise(_WIPE_ON_FORK)  # a fork neither copies nor pays for it
        self._words: Words = np.frombuffer(self._buffer, np.uint64)
        whole, places = memoryview(self._buffer), zip(starts.tolist(), sizes.tolist(), strict=True)
        views = ([whole[start : start + size]] for start, size in places)
        self._regions = list(zip(firsts.tolist(), sizes.tolist(), views, strict=True))
        region = np.searchsorted(firsts, addresses, side="right") - 1
        self._places = ((starts[region] + addresses - firsts[region]) // np.uint64(WORD)).astype(np.int64)

    def read(self, memory: MemoryReader, patience_s: float = _PATIENCE_S) -> Words:
        """The words, in the order of their addresses as given; raises MemoryUnreadable."""
        patience = _Patience(patience_s)
        for address, size, views in self._regions:
            got = memory.read_into(address, views)
            if got < size:
                views[0][got:] = bytes(size - got)
            if patience.has_ended():
                raise MemoryUnreadable(f"reading it takes longer than {patience_s:g} s")
        words: Words = self._words[self._places]
        return words


class _Patience:
    """A time limit that does not count how long this thread waits for a processor, as on a busy machine."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._queued_s = _queued_s()

    def has_ended(self) -> bool:
        """Whether more time than that has passed."""
        if time.monotonic() <= self._until:
            return False
        queued_s = _queued_s()
        self._until += queued_s - self._queued_s
        self._queued_s = queued_s
        return time.monotonic() > self._until


def _queued_s() -> float:
    """How long this thread has waited for a processor so far; always 0 where the kernel does not count it."""
    try:
        with open(_QUEUED) as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _regions(addresses: Words) -> tuple[Words, Words]:
    """The first and the last word of each region; the addresses are sorted.

    A region on several pages begins with a page: the kernel reads a page's worth at a time, and looks up each page.
    """
    breaks = np.flatnonzero(np.diff(addresses) > _GAP)
    firsts = addresses[np.concatenate(([0], breaks + 1))]
    lasts = addresses[np.concatenate((breaks, [len(addresses) - 1]))]
    pages = firsts & ~np.uint64(_GAP - 1)
    return np.where(lasts - pages < _GAP, firsts, pages), lasts
