"""The contract between whoever has jobs and whatever judges them.

An engine judges and does nothing else: it keeps no order, retries nothing and knows no gradebook. A job ends as an
`Outcome`, which is a verdict about the submission, or as `Lost`, which is the machinery's failure and never charged to
a student. Everything that crosses the contract is a record that msgspec can encode: an engine may judge in another
process or on another machine, where no path and no descriptor of the caller's exists.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self

import msgspec

from gradetape.course.gradable import GradableAssignment
from gradetape.errors import InfrastructureError
from gradetape.records import CollectedChecks, Environment, Job, Lost, Outcome

Finished = tuple[int, Outcome | Lost]
_WAIT_S = 60.0


class Engine(Protocol):
    """Judges jobs of one assignment, several side by side. A context manager.

    Making one starts nothing: what is needed starts with the first job, or when the checks are asked for. Every method
    but `close` may raise InfrastructureError.
    """

    @property
    def environment(self) -> Environment:
        """What it judges with; known before anything is started."""

    @property
    def collected(self) -> CollectedChecks:
        """The assignment's checks, and the files that cannot be read; starts what collects them."""

    def capacity(self) -> int:
        """How many jobs may be under way at a time."""

    def expect(self, jobs: int) -> None:
        """At most so many jobs will be under way at a time: nothing has to be started for more."""

    def submit(self, job: Job) -> int:
        """Begins a job and returns its number; never blocks for long. The caller keeps to the capacity."""

    def wait(self, timeout_s: float) -> list[Finished]:
        """The jobs that have ended since, each once; waits for the first no longer than `timeout_s` seconds."""

    def forget(self, number: int) -> None:
        """Cancels a job; it is not reported any more."""

    def renew(self) -> None:
        """Starts everything anew for the next job; called when nothing is under way."""

    def close(self) -> None:
        """Ends everything that is under way, and whatever was started."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class EngineOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a command asks of an engine in place of the configuration's own values; None keeps those.

    `hidden` are files and folders besides the course's that no student's code may see: results and submissions.
    """

    workers: int | None = None
    isolation: str | None = None
    device: str | None = None
    hidden: tuple[Path, ...] = ()


OpenEngine = Callable[[GradableAssignment, EngineOptions], Engine]


def judge(engine: Engine, job: Job) -> Outcome:
    """Judges one job by itself; raises InfrastructureError where it is lost."""
    number = engine.submit(job)
    while True:
        for ended, outcome in engine.wait(_WAIT_S):
            if ended != number:
                continue
            if isinstance(outcome, Lost):
                raise InfrastructureError(f"the job was lost: {outcome.reason}")
            return outcome
