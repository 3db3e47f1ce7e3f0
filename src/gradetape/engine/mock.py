"""An engine for tests: a function answers each job, and nothing is judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import msgspec

from gradetape.records import AssignmentBundle, Check, CollectedChecks, Environment, Job, Lost, Outcome

Answer = Callable[[Job], Outcome | Lost]


class MockEngine:
    """Answers every job at the next `wait`, in the order in which they were submitted.

    Jobs and answers are encoded and decoded by msgspec, as for another machine: `answer` gets a job that equals the
    submitted one, and a value that cannot be encoded raises TypeError. `jobs` lists the submitted jobs, `forgotten` the
    cancelled numbers, `bundles` what `recollect` was given, `renewals` counts calls of `renew`.
    """

    def __init__(
        self, answer: Answer, *, checks: tuple[Check, ...] = (), broken: dict[str, str] | None = None,
        environment: Environment | None = None, capacity: int = 1,
    ) -> None:  # fmt: skip
        environment = environment or Environment(isolation="none", identity="mock", message="Nothing is run.")
        self.environment: Environment = _travelled(environment, Environment)
        self.collected: CollectedChecks = _travelled(
            CollectedChecks(checks=checks, broken=broken or {}), CollectedChecks
        )
        self.jobs: list[Job] = []
        self.forgotten: list[int] = []
        self.renewals = 0
        self.bundles: list[AssignmentBundle] = []
        self._answer = answer
        self._capacity = capacity
        self._waiting: dict[int, Outcome | Lost] = {}

    def capacity(self) -> int:
        """How many jobs may run at the same time."""
        return self._capacity

    @property
    def parts(self) -> int:
        """As many as may run."""
        return self._capacity

    def expect(self, jobs: int) -> None:
        """Nothing has to be started."""

    def submit(self, job: Job) -> int:
        """Asks the function at once; `wait` returns the answer."""
        self.jobs.append(_travelled(job, Job))
        number = len(self.jobs)
        self._waiting[number] = _travelled(self._answer(self.jobs[-1]), Outcome | Lost)
        return number

    def wait(self, timeout_s: float) -> list[tuple[int, Outcome | Lost]]:
        """The answers since the last call."""
        ended = list(self._waiting.items())
        self._waiting.clear()
        return ended

    def forget(self, number: int) -> None:
        """Drops a job's answer."""
        self._waiting.pop(number, None)
        self.forgotten.append(number)

    def renew(self) -> None:
        """Counts."""
        self.renewals += 1

    def recollect(self, bundle: AssignmentBundle) -> None:
        """Keeps the bundle; the checks stay those that it was made with."""
        self.bundles.append(_travelled(bundle, AssignmentBundle))

    def close(self) -> None:
        """Drops all answers."""
        self._waiting.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _travelled(value: object, kind: object) -> Any:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=kind)
