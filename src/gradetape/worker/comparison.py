"""Compares a worker's memory with the zygote's, from outside.

A worker is a fork: what the imports made lies at the same addresses in it as in the zygote, and so do the worker's own
objects, which are made before the fork. The addresses of everything that is code (`inventory`) are collected once, with
the words that the zygote itself has there. A look reads these words of a worker and compares them. Only where some
differ are single names looked at, and named with the zygote's own text: nothing that the worker holds is ever shown,
called or followed further than from a dict to its entries.

This finds what a submission replaced, even if it lies about it. It cannot find code that replaces nothing Python knows
about (native code), or that puts everything back before a look. Points never depend on it.
"""

from __future__ import annotations

import math
import os
from array import array
from collections.abc import Iterator
from functools import partial
from itertools import islice
from types import CodeType, FrameType

import numpy as np

from gradetape.sandbox.reports import WorkerMemory, open_memory
from gradetape.wire.messages import Look, Looked
from gradetape.worker import layout
from gradetape.worker.forker import DATA
from gradetape.worker.inventory import PartRecord, SlotsRecord, records
from gradetape.worker.memory import WORD, MemoryReader, MemoryUnreadable, WordReader

_MOST, _MANY = 20, 1000
_STACK_BYTES = 8192


class WaitingPlace:
    """Whether a worker waits for a request: then its loop has called what receives one, and nothing else.

    The frames of Python lie one behind the other, from `frame` on, which is running when a worker is forked. `loop` is
    the code of the worker's loop, `waiting` what it calls to wait, `others` what else it calls.
    """

    def __init__(self, frame: FrameType, loop: CodeType, waiting: CodeType, others: tuple[CodeType, ...]) -> None:
        self._address = layout.frame_address(frame)
        self._loop, self._waiting = id(loop), id(waiting)
        self._called = np.array([id(code) for code in (waiting, *others)], np.uint64)

    def holds(self, memory: MemoryReader) -> bool:
        """Whether the worker waits now; raises MemoryUnreadable."""
        data = memory.read(self._address, _STACK_BYTES)
        words = np.frombuffer(data[: len(data) // WORD * WORD], np.uint64)
        [*loops] = np.flatnonzero(words == self._loop)
        if not loops:
            return False
        called = words[loops[0] :]
        found = called[np.isin(called, self._called)]
        return bool(len(found)) and int(found[0]) == self._waiting


class OtherThreads:
    """Whether other threads run code than the one that waits, `idle`, which empties the pipe of the output."""

    def __init__(self, idle: CodeType, memory: MemoryReader) -> None:
        self._idle = id(idle)
        self._layout = layout.threads(partial(_word_of, memory))

    def run(self, memory: MemoryReader) -> bool:
        """Whether some run now; raises MemoryUnreadable."""
        read, where = partial(_word_of, memory), self._layout
        state = where.main
        for _ in range(_MOST):
            state = read(state + where.newer)
            if not state:
                return False
            frame = read(state + where.frame)
            frame = frame if where.through is None else read(frame + where.through)
            if read(frame + where.code) != self._idle:
                return True
        return True


def _word_of(memory: MemoryReader, address: int) -> int:
    """A word; 0 where nothing is mapped."""
    return int.from_bytes(memory.read(address, WORD), "little")


def _has_socket(pid: int, inode: int) -> bool:
    """Whether the worker's data socket is still where its loop waits for it; true where that cannot be seen."""
    folder = f"/proc/{pid}/fd"
    try:
        return os.stat(f"{folder}/{DATA}").st_ino == inode
    except FileNotFoundError:
        return not os.path.isdir(folder)
    except OSError:
        return True


class Comparison:
    """What a worker should be like, and what may differ.

    `worker` is the worker that every fork continues, `waiting` where it waits, `idle` what its own thread does; raises
    UnknownLayout or MemoryUnreadable where nothing can be compared.
    """

    def __init__(self, worker: object, waiting: WaitingPlace, idle: CodeType) -> None:
        layout.verify()
        self._waiting = waiting
        self._records = [*records(worker), PartRecord("sys.settrace or sys.setprofile", layout.trace_addresses())]
        addresses, ends = array("Q"), [0]
        for record in self._records:
            addresses.extend(record.addresses())
            ends.append(len(addresses))
        self._owner = np.repeat(np.arange(len(self._records)), np.diff(ends))
        self._reader = WordReader(np.array(addresses, np.uint64))
        self._usual: set[str] = set()
        opened = open_memory()
        if opened is None:
            raise MemoryUnreadable("this process's own memory cannot be opened")
        try:
            own = MemoryReader(WorkerMemory(opened, os.getpid()))
            self._expected = self._reader.read(own, patience_s=math.inf)  # nobody makes it wait
            self._threads = OtherThreads(idle, own)
        finally:
            os.close(opened)

    def look(self, memory: WorkerMemory, data_inode: int, request: Look) -> Looked:
        """Looks once at a worker that was given this data socket."""
        reader = MemoryReader(memory)
        try:
            waits = self._waiting.holds(reader) and _has_socket(memory.pid, data_inode)
            threads = request.compare and self._threads.run(reader)
            changes = self._changes(reader, request.trusted) if request.compare else ()
        except MemoryUnreadable as error:
            return Looked(request.worker, problem=str(error))
        return Looked(request.worker, waits=waits, threads=threads, changes=changes)

    def _changes(self, memory: MemoryReader, trusted: bool) -> tuple[str, ...]:
        """The names of what differs, a few at most; what differs in a `trusted` worker is usual from then on."""
        names = [name for name in self._differences(memory) if name not in self._usual]
        if trusted:
            self._usual.update(names)
            return ()
        return tuple(dict.fromkeys(names))[:_MOST]

    def _differences(self, memory: MemoryReader) -> Iterator[str]:
        """The names of what differs; the slots of classes only if nothing else does: they follow from names."""
        differ = self._reader.differing(memory, self._expected)
        owners = [self._records[number] for number in np.unique(self._owner[differ])]
        follow = [owner for owner in owners if isinstance(owner, SlotsRecord) and owner.follows]
        first = [owner for owner in owners if not (isinstance(owner, SlotsRecord) and owner.follows)]
        some = list(islice((name for owner in first for name in owner.changes(memory.read)), _MANY))
        yield from some or (name for owner in follow for name in owner.changes(memory.read))
