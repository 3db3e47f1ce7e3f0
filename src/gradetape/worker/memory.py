"""Reads words of a worker's memory through a descriptor of `/proc/self/mem` that the worker opened before any of the
student's code ran.

Such a descriptor needs no right to trace, names one memory for ever, whatever process has its number later, and can be
read while the worker runs, hangs or is stopped. Nothing is written. Memory that the worker has unmapped reads as zeros.
`process_vm_readv` would read many regions in one call, but pins what it reads: for that the kernel first gives the
worker a copy of every page that it still shares with the zygote, 32 MiB for one look.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gradetape.sandbox.reports import WorkerMemory
from gradetape.worker.frames import SharedPages, scratch

Words = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]
WORD = 8
_PAGE = 4096
_AT_ONCE = 256  # pages: what they hold stays in the processor's cache
_PATIENCE_S = 1.0  # a worker that keeps changing its own maps makes each read wait
_QUEUED = "/proc/thread-self/schedstat"


class MemoryUnreadable(Exception):
    """The memory cannot be read: its process has ended, or reading it takes too long."""


class MemoryReader:
    """Reads bytes of a worker's memory, even at addresses that the worker chose; `frames` shows where it lies."""

    def __init__(self, memory: WorkerMemory) -> None:
        self._descriptor = memory.descriptor
        self.frames = memory.frames

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
    """Reads the words at fixed addresses, page by page, in as few system calls as pays off."""

    def __init__(self, addresses: Words) -> None:
        self._order = np.argsort(addresses, kind="stable")
        ordered = addresses[self._order]
        self._pages, firsts = np.unique(ordered // _PAGE, return_index=True)
        self._firsts = firsts.astype(np.int64)
        self._counts = np.diff(np.append(self._firsts, len(ordered)))
        self._places = (ordered % _PAGE // WORD).astype(np.int64)
        self._shared = SharedPages(self._pages)
        self._buffer = scratch(_AT_ONCE * _PAGE)
        self._words: Words = np.frombuffer(self._buffer, np.uint64)

    def read(self, memory: MemoryReader, patience_s: float = _PATIENCE_S) -> Words:
        """The words, in the order of their addresses as given; raises MemoryUnreadable."""
        words: Words = np.empty(len(self._order), np.uint64)
        for numbers, found in self._read(memory, np.arange(len(self._pages)), patience_s):
            words[numbers] = found
        return words

    def differing(self, memory: MemoryReader, expected: Words, patience_s: float = _PATIENCE_S) -> Numbers:
        """The ascending numbers of the words that are not as expected of this process; raises MemoryUnreadable.

        What lies in pages that the two share is not read.
        """
        pages = self._shared.may_differ(memory.frames)
        parts = self._read(memory, pages, patience_s)
        differing = [numbers[found != expected[numbers]] for numbers, found in parts]
        return np.sort(np.concatenate([np.empty(0, np.int64), *differing]))

    def _read(self, memory: MemoryReader, pages: Numbers, patience_s: float) -> Iterator[tuple[Numbers, Words]]:
        """The numbers of words and the words, of these pages; some of them at a time."""
        patience = _Patience(patience_s)
        for begin in range(0, len(pages), _AT_ONCE):
            some = pages[begin : begin + _AT_ONCE]
            self._read_pages(memory, self._pages[some])
            if patience.has_ended():
                raise MemoryUnreadable(f"reading it takes longer than {patience_s:g} s")
            counts = self._counts[some]
            before = np.cumsum(counts) - counts
            chosen = np.repeat(self._firsts[some] - before, counts) + np.arange(int(counts.sum()))
            slots = np.repeat(np.arange(len(some)) * (_PAGE // WORD), counts)
            yield self._order[chosen], self._words[slots + self._places[chosen]]

    def _read_pages(self, memory: MemoryReader, pages: Words) -> None:
        """Reads pages into the buffer, one behind the other; neighbours in one call."""
        breaks = [0, *(np.flatnonzero(np.diff(pages) > 1) + 1).tolist(), len(pages)]
        for begin, end in pairwise(breaks):
            view = self._buffer[begin * _PAGE : end * _PAGE]
            got = memory.read_into(int(pages[begin]) * _PAGE, [view])
            view[got:] = bytes(len(view) - got)


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
