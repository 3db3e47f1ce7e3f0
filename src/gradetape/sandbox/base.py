"""What every kind of walls has in common."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn, Protocol

import msgspec

from gradetape.errors import SandboxError
from gradetape.records import Limits

ROLES = ("student", "reference", "clean")
STUDENT_UIDS = range(64001, 65401)
ELSEWHERE = "Nothing is graded behind such walls: use another machine, or --isolation container."


class SandboxUnavailable(SandboxError):
    """These walls cannot be had here; others may do."""


@contextmanager
def wall(what: str, advice: str, kind: type[SandboxError] = SandboxError) -> Iterator[None]:
    """A wall that is required: raises `kind`, which names it and says how to get it, where the kernel refuses."""
    try:
        yield
    except OSError as error:
        raise kind(f"no {what}: {error}. {advice}") from error


class Uids:
    """Deals out uids, so that no two workers that live have the same one; another grader here begins elsewhere."""

    def __init__(self) -> None:
        self._count = secrets.randbelow(len(STUDENT_UIDS))

    def take(self, used: Iterable[int]) -> int:
        """The next uid that nobody uses; raises WallsError where there is none."""
        taken = set(used)
        for _ in STUDENT_UIDS:
            uid = STUDENT_UIDS[self._count % len(STUDENT_UIDS)]
            self._count += 1
            if uid not in taken:
                return uid
        raise SandboxError(f"no uid is left: {len(taken)} workers live. Use fewer: --workers N")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a zygote needs to know: where to listen, which walls, which limits, what may never be visible inside.

    `secret` lists folders; a walled worker whose view would include one of them is refused. `filter` is the compiled
    filter of system calls. With `gpu` workers reach the driver's devices.
    """

    socket: str
    isolation: str
    limits: Limits
    secret: tuple[str, ...] = ()
    filter: bytes = b""
    gpu: bool = False


class Reports(Protocol):
    """The pipe on which a worker's outer processes tell the zygote what happens."""

    def ready(self, layers: tuple[str, ...]) -> None:
        """The walls stand; closes the pipe in this process, before any of the student's code runs."""

    def init(self, pid: int, number: int = 9) -> None:
        """The process to send this signal, so that the whole tree ends."""

    def ended(self, status: int, cpu_s: float, peak_mb: int) -> None:
        """How the worker's own process ended."""


class Sandbox(Protocol):
    """A backend."""

    def check(self) -> None:
        """Raises WallsError where something would be visible inside that may not be; before any worker is made."""

    def enter(self, uid: int, work: Callable[[], None], reports: Reports, keep: int) -> NoReturn:
        """Walls this process in, runs `work`, and ends.

        `uid` is the worker's where the grader is root, `keep` the descriptor that `work` needs. Raises WallsError,
        which says what is missing and how to get it; NotHere where other walls may do.
        """
