"""The interface of a sandbox, and what its backends share."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn, Protocol

import msgspec

from gradetape.errors import SandboxError
from gradetape.records import Limits
from gradetape.sandbox.driver import DriverAccess

ROLES = ("student", "reference", "clean")
STUDENT_UIDS = range(64001, 65401)
ELSEWHERE = "Grading in such a sandbox is refused: use another machine, or --isolation container."


class SandboxUnavailable(SandboxError):
    """This backend is not available here; another one may be."""


@contextmanager
def required(layer: str, advice: str, kind: type[SandboxError] = SandboxError) -> Iterator[None]:
    """Sets up a required isolation layer; where the kernel refuses, raises `kind` with its name and the advice."""
    try:
        yield
    except OSError as error:
        raise kind(f"no {layer}: {error}. {advice}") from error


class Uids:
    """Assigns uids so that no two running workers share one; each grader on a machine starts at a random uid."""

    def __init__(self) -> None:
        self._count = secrets.randbelow(len(STUDENT_UIDS))

    def take(self, used: Iterable[int]) -> int:
        """The next unused uid; raises SandboxError if all are in use."""
        taken = set(used)
        for _ in STUDENT_UIDS:
            uid = STUDENT_UIDS[self._count % len(STUDENT_UIDS)]
            self._count += 1
            if uid not in taken:
                return uid
        raise SandboxError(f"no uid is left: {len(taken)} workers are running. Use fewer: --workers N")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a zygote: its socket, the isolation and limits of its workers, and the folders hidden from them.

    `secret` lists the hidden folders; a sandbox that would show one of them is refused. It is set only in the process
    that rehearses, since workers inherit the memory of the zygote. `filter` is the compiled system call filter, `fixed`
    another one that refuses to change the modes and times of files. With `gpu`, a worker can use its slot's device.
    """

    socket: str
    isolation: str
    limits: Limits
    secret: tuple[str, ...] = ()
    filter: bytes = b""
    fixed: bytes = b""
    gpu: bool = False


class Reports(Protocol):
    """The pipe on which a worker's outer processes report to the zygote."""

    def ready(self, layers: tuple[str, ...]) -> None:
        """Reports that the sandbox is ready, then closes the pipe in this process; no student code has run yet."""

    def memory(self) -> None:
        """Hands over this process's memory, to be read; called in the worker before any student code runs."""

    def init(self, pid: int, number: int = 9) -> None:
        """Reports which process to signal, and with which signal, to end the whole tree."""

    def ended(self, status: int, cpu_s: float, peak_mb: int, *, filled: bool = False) -> None:
        """Reports how the worker's own process ended; `filled`: it was ended since it had written too much."""


class Sandbox(Protocol):
    """A sandbox backend."""

    def check(self) -> None:
        """Raises SandboxError if a hidden folder would be visible inside; called before any worker starts."""

    def enter(
        self, uid: int, gpu: DriverAccess, work: Callable[[], None], reports: Reports, keep: int
    ) -> NoReturn:  # fmt: skip
        """Sandboxes this process, runs `work`, and ends.

        `uid` is the worker's uid if the grader is root; `gpu` is what it can reach of a GPU's driver; `keep` is the
        descriptor that `work` needs. Raises SandboxError, which names the missing layer and how to get it, or
        SandboxUnavailable where another backend may work.
        """
