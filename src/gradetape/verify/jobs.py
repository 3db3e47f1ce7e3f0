"""Runs the jobs of a verification on an engine, several at the same time."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence

from gradetape.engine import Engine
from gradetape.errors import InfrastructureError
from gradetape.records import Job, Outcome

MakeJob = Callable[[], Job]
Ended = Callable[[int, Outcome], None]


def run_all(
    engine: Engine, jobs: Sequence[MakeJob], ended: Ended, *, name: Callable[[int], str], attempts: int = 1
) -> None:
    """Runs jobs, each made when its turn comes; `ended` is called with its index and its outcome.

    Raises InfrastructureError, with what `name` gives for the index, for a job that is lost in every attempt.
    """
    waiting, running = deque(range(len(jobs))), dict[int, int]()
    starts: Counter[int] = Counter()
    while waiting or running:
        while waiting and len(running) < engine.capacity():
            index = waiting.popleft()
            starts[index] += 1
            running[engine.submit(jobs[index]())] = index
        for number, outcome in engine.wait(60.0):
            index = running.pop(number)
            if isinstance(outcome, Outcome):
                ended(index, outcome)
            elif starts[index] < attempts:
                waiting.appendleft(index)
            else:
                times = f" {attempts} times" if attempts > 1 else ""
                raise InfrastructureError(f"{name(index)} was lost{times}: {outcome.reason}")
