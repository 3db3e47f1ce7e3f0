"""The messages between the judge and the zygote on a control connection: one JSON object in each packet."""

from __future__ import annotations

import signal

import msgspec

from gradetape.records import Slot


class Spawn(msgspec.Struct, frozen=True, tag_field="do", tag="spawn"):
    """Asks for a worker in a role (`student`, `reference` or `clean`); its data socket is attached."""

    worker: int
    role: str
    slot: Slot = Slot()


class Kill(msgspec.Struct, frozen=True, tag_field="do", tag="kill"):
    """Asks to end a worker and everything that it started."""

    worker: int


class Allow(msgspec.Struct, frozen=True, tag_field="do", tag="allow"):
    """Lets a worker use `cpu_s` CPU seconds from now on, and `total_s` in its whole life; then it is ended."""

    worker: int
    cpu_s: float
    total_s: float | None = None


class Look(msgspec.Struct, frozen=True, tag_field="do", tag="look"):
    """Asks whether a worker waits for a request and, with `compare`, what differs in its memory from the zygote's.

    A `trusted` worker has run nothing but the course's own code: what differs in it is usual from then on.
    """

    worker: int
    compare: bool = True
    trusted: bool = False


class Ready(msgspec.Struct, frozen=True, tag_field="is", tag="ready"):
    """A worker is sandboxed; `layers` names the isolation layers in force."""

    worker: int
    layers: tuple[str, ...]


class Broken(msgspec.Struct, frozen=True, tag_field="is", tag="broken"):
    """A worker could not be sandboxed."""

    worker: int
    reason: str


class Looked(msgspec.Struct, frozen=True, tag_field="is", tag="looked"):
    """What a look at a worker found: whether it `waits`, and the names of what differs, in the zygote's own words.

    `threads`: other threads run code of Python beside the one that waits. `problem`: why its memory could not be read.
    """

    worker: int
    waits: bool = False
    threads: bool = False
    changes: tuple[str, ...] = ()
    problem: str = ""


class Exit(msgspec.Struct, frozen=True, tag_field="is", tag="exit"):
    """A worker and everything that it started have ended. `status` is as `os.wait` gives it, `peak_mb` in MiB.

    `overspent`: the zygote ended it, since it had used up its CPU seconds. `lost`: its sandbox was ended from outside,
    so that it is unknown how the worker itself would have ended. `outside`: processes were killed for memory although
    the worker's own limit was not reached, or although others may have used up what they share. `filled`: it was ended
    since it had written more to its private folder than it may.
    """

    worker: int
    status: int
    oom_kills: int = 0
    cpu_s: float = 0.0
    peak_mb: int = 0
    overspent: bool = False
    lost: bool = False
    outside: bool = False
    filled: bool = False

    @property
    def cause(self) -> str:
        """`memory`, `timeout` or `crashed`, as far as the kernel and the zygote know."""
        if self.oom_kills:
            return "memory"
        return "timeout" if self.overspent else "crashed"

    @property
    def description(self) -> str:
        """How it ended, in words."""
        number = self.status & 0x7F
        if self.oom_kills:
            return f"the process ran out of memory ({self.peak_mb} MiB)"
        if self.overspent:
            return f"the process used up its CPU seconds ({self.cpu_s:.1f} in its whole life)"
        if self.filled:
            return "the process was ended: it had written more files or more data than it may (limits.disk_mb)"
        if number:
            return f"the process was ended by {_signal(number)}"
        return f"the process ended itself with exit status {self.status >> 8}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most of the real-time signals have no name
        return f"signal {number}"


ZygoteRequest = Spawn | Kill | Allow | Look
ZygoteEvent = Ready | Broken | Exit | Looked

# Among a worker's layers: who finds out what its cells replaced.
FROM_OUTSIDE, BY_ITSELF = "compared from outside", "compared by itself"
