"""Reads words of a worker's memory through a descriptor of `/proc/self/mem` that the worker opened before any of the
student's code ran.

Such a descriptor needs no right to trace, names one memory for ever, whatever process has its number later, and can be
read while the worker runs, hangs or is stopped. Where the kernel lets the zygote trace its workers, one call reads a
thousand regions, which takes half the time; then the descriptor says whether that was still the same process. Nothing
is written. Memory that the worker has unmapped reads as zeros.
"""

from __future__ import annotations

import mmap
import os
import time

import numpy as np
import numpy.typing as npt

from gradetape.sandbox.reports import WorkerMemory
from gradetape.sandbox.syscalls import Gather

Words = npt.NDArray[np.uint64]
WORD = 8
_GAP = 4096  # reading what lies between costs less than another system call
_PATIENCE_S = 1.0  # a worker that keeps changing its own maps makes each read wait
_WIPE_ON_FORK = 18


class MemoryUnreadable(Exception):
    """The memory cannot be read: its process has ended, or reading it takes too long."""


class MemoryReader:
    """Reads bytes of a worker's memory, even at addresses that the worker chose."""

    def __init__(self, memory: WorkerMemory) -> None:
        self.pid = memory.pid
        self._descriptor = memory.descriptor

    def read(self, address: int, size: int) -> bytes:
        """A few bytes; shorter where they are not mapped. Raises MemoryUnreadable if the process has ended."""
        data = bytearray(size)
        if not 0 < address < 1 << 63:
            return b""
        return bytes(data[: self.read_into(address, memoryview(data))])

    def read_into(self, address: int, view: memoryview) -> int:
        """The number of bytes read until the first that is not mapped; raises MemoryUnreadable."""
        try:
            got = os.preadv(self._descriptor, [view], address)
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
        self._regions = list(zip(firsts.tolist(), sizes.tolist(), strict=True))
        self._gather = Gather(self._regions, self._words.ctypes.data)
        region = np.searchsorted(firsts, addresses, side="right") - 1
        self._places = ((starts[region] + addresses - firsts[region]) // np.uint64(WORD)).astype(np.int64)

    def read(self, memory: MemoryReader) -> Words:
        """The words, in the order of their addresses as given; raises MemoryUnreadable."""
        until = time.monotonic() + _PATIENCE_S
        try:
            if self._gather.read(memory.pid, until):
                memory.read(self._regions[0][0], 1)
            else:
                self._read_slowly(memory, until)
        except TimeoutError:
            raise MemoryUnreadable(f"reading it takes longer than {_PATIENCE_S:g} s") from None
        words: Words = self._words[self._places]
        return words

    def _read_slowly(self, memory: MemoryReader, until: float) -> None:
        view, start = memoryview(self._buffer), 0
        for address, size in self._regions:
            got = memory.read_into(address, view[start : start + size])
            view[start + got : start + size] = bytes(size - got)
            start += size
            if time.monotonic() > until:
                raise TimeoutError


def _regions(addresses: Words) -> tuple[Words, Words]:
    """The first and the last word of each region; the addresses are sorted."""
    breaks = np.flatnonzero(np.diff(addresses) > _GAP)
    ends = len(addresses) - 1
    return addresses[np.concatenate(([0], breaks + 1))], addresses[np.concatenate((breaks, [ends]))]
