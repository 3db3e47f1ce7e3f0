"""What the judge and the zygote say to each other on a control connection: one JSON object in each packet."""

from __future__ import annotations

import signal

import msgspec

from gradetape.records import Slot


class Spawn(msgspec.Struct, frozen=True, tag_field="do", tag="spawn"):
    """Asks for a worker in a role (`student`, `reference` or `clean`); its data socket comes along."""

    worker: int
    role: str
    slot: Slot = Slot()


class Kill(msgspec.Struct, frozen=True, tag_field="do", tag="kill"):
    """Asks for the end of a worker and of everything that it started."""

    worker: int


class Allow(msgspec.Struct, frozen=True, tag_field="do", tag="allow"):
    """Lets a worker use so many CPU seconds from now on, and no more than `total_s` in its life; then it is ended."""

    worker: int
    cpu_s: float
    total_s: float | None = None


class Ready(msgspec.Struct, frozen=True, tag_field="is", tag="ready"):
    """A worker stands behind its walls; `layers` names those in force."""

    worker: int
    layers: tuple[str, ...]


class Broken(msgspec.Struct, frozen=True, tag_field="is", tag="broken"):
    """A worker could not be walled in."""

    worker: int
    reason: str


class Exit(msgspec.Struct, frozen=True, tag_field="is", tag="exit"):
    """A worker and everything that it started are gone. `status` is as `os.wait` gives it, `peak_mb` in MiB.

    `overspent` tells that the zygote ended it, since it had used up its CPU seconds; `lost` that somebody outside has
    ended its walls, so that nobody knows how the worker itself would have ended.
    """

    worker: int
    status: int
    oom_kills: int = 0
    cpu_s: float = 0.0
    peak_mb: int = 0
    overspent: bool = False
    lost: bool = False

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
            return f"the process used more memory than it may ({self.peak_mb} MiB)"
        if self.overspent:
            return f"the process used more CPU seconds than it may ({self.cpu_s:.1f} in its whole life)"
        if number:
            return f"the process was ended by {_signal(number)}"
        return f"the process ended itself with exit status {self.status >> 8}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most of the real-time signals have no name
        return f"signal {number}"


ZygoteRequest = Spawn | Kill | Allow
ZygoteEvent = Ready | Broken | Exit
