"""What every kind of walls has in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, Protocol

import msgspec

from gradetape.records import Limits

STUDENT_UIDS = {"student": 64001, "reference": 64002, "clean": 64003}


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a zygote needs to know: where to listen, which walls, which limits, what may never be visible inside.

    `secret` lists folders; a walled worker whose view would include one of them is refused. `filter` is the compiled
    filter of system calls.
    """

    socket: str
    isolation: str
    limits: Limits
    secret: tuple[str, ...] = ()
    filter: bytes = b""


class Reports(Protocol):
    """The pipe on which a worker's outer processes tell the zygote what happens."""

    def ready(self, layers: tuple[str, ...]) -> None:
        """The walls stand; closes the pipe in this process, before any of the student's code runs."""

    def init(self, pid: int) -> None:
        """The process whose death is the death of all."""

    def ended(self, status: int, cpu_s: float, peak_mb: int) -> None:
        """How the worker's own process ended."""


class Walls(Protocol):
    """A backend."""

    def check(self) -> None:
        """Raises WallsError, saying what is missing and how to get it, where these walls cannot be built."""

    def enter(self, role: str, work: Callable[[], None], reports: Reports, keep: int) -> NoReturn:
        """Walls this process in, runs `work`, and ends. `keep` is the descriptor that `work` needs."""
