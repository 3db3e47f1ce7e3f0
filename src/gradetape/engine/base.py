"""The contract between code that has jobs and an engine that judges them.

An engine only judges: it does not order jobs, retry them or use a gradebook. A job ends as an `Outcome`, which is a
verdict about the submission, or as `Lost`, which is a failure of the machinery and never charged to a student.
Everything that crosses the contract is a record that msgspec can encode: an engine may judge in another process or on
another machine, without access to the caller's files and descriptors.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self

import msgspec

from gradetape.course.gradable import GradableAssignment
from gradetape.errors import InfrastructureError
from gradetape.records import AssignmentBundle, CollectedChecks, Environment, Job, Lost, Outcome

Finished = tuple[int, Outcome | Lost]
_WAIT_S = 60.0


class Engine(Protocol):
    """Judges jobs of one assignment, several side by side. A context manager.

    Creating it starts nothing: processes start with the first job, or when the checks are requested. Every method but
    `close` may raise InfrastructureError. Large because it is the whole contract between the driver and what judges.
    """

    @property
    def environment(self) -> Environment:
        """The environment that it judges in; known before anything is started."""

    @property
    def collected(self) -> CollectedChecks:
        """The assignment's checks, and the files that cannot be read; starts the processes that collect them."""

    def capacity(self) -> int:
        """How many jobs may run at the same time."""

    @property
    def parts(self) -> int:
        """How many of them may be parts of one submission; 1 where not one judge server judges all of them."""

    def expect(self, jobs: int) -> None:
        """Announces the largest number of jobs at the same time: the engine needs to start nothing for more."""

    def submit(self, job: Job) -> int:
        """Starts a job and returns its number; never blocks for long. The caller must not exceed the capacity."""

    def wait(self, timeout_s: float) -> list[Finished]:
        """The jobs that have ended since the last call; waits at most `timeout_s` seconds for the first."""

    def forget(self, number: int) -> None:
        """Cancels a job; it is no longer reported."""

    def renew(self) -> None:
        """Restarts everything for the next job; called only while no job runs."""

    def recollect(self, bundle: AssignmentBundle) -> None:
        """Collects the checks of a bundle whose files have changed; called only while no job runs.

        Workers stay warm where they can: the bundle's limits and Keras are those from before.
        """

    def close(self) -> None:
        """Ends all running jobs and all processes that were started."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class EngineOptions(msgspec.Struct, frozen=True, kw_only=True):
    """A command's options for an engine, which override the configuration; None does not override.

    `hidden` lists files and folders outside the course that students' code must not see: results and submissions.
    `address` is that of a Ray cluster.
    """

    engine: str | None = None
    address: str | None = None
    workers: int | None = None
    isolation: str | None = None
    device: str | None = None
    hidden: tuple[Path, ...] = ()


OpenEngine = Callable[[GradableAssignment, EngineOptions], Engine]


def judge(engine: Engine, job: Job) -> Outcome:
    """Judges a single job; raises InfrastructureError if it is lost."""
    number = engine.submit(job)
    try:
        outcome = _awaited(engine, number)
    except BaseException:
        engine.forget(number)
        raise
    if isinstance(outcome, Lost):
        raise InfrastructureError(f"the job was lost: {outcome.reason}")
    return outcome


def _awaited(engine: Engine, number: int) -> Outcome | Lost:
    while True:
        for ended, outcome in engine.wait(_WAIT_S):
            if ended == number:
                return outcome
