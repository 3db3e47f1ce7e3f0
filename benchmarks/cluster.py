"""What Ray costs: whole submissions through an embedded Ray and through the LocalEngine, with one slot each.

The two alternate in one run, and neither computes while the other is measured. CPU seconds are those of the machine:
workers do not descend from this process. Those of Ray's daemons, which are never quite idle, are Ray's alone. They say
what Ray costs where every processor has a slot, on a machine on which nothing else runs.
"""

from __future__ import annotations

import os
import secrets
import statistics
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import psutil

from benchmarks.measure import Row, Setting, seconds, spread
from gradetape.engine import Engine, EngineOptions, judge, open_engine
from gradetape.engine.ray import opening
from gradetape.records import Job

_MARK = "GRADETAPE_BENCHMARK"
_ONE = EngineOptions(workers=1, device="cpu")


class Cost(NamedTuple):
    """Wall clock and CPU seconds of one submission."""

    clock: float
    cpu: float


def ray(setting: Setting) -> list[Row]:
    """Pairs of submissions, and the time until each engine has its environment and is ready."""
    gradable, mark = setting.gradable, secrets.token_hex(8)
    with open_engine(gradable, _ONE) as here:
        ready_here = _ready(here)
        with _marked(mark), opening.open_engine(gradable, _ONE) as there:
            start = seconds(lambda: there.environment)
            ready = _ready(there)
            limits = gradable.course.config.limits.record()
            first = tuple(check.id for check in here.collected.checks if check.question == setting.one)
            for engine in (here, there):
                judge(engine, gradable.job(gradable.reference, limits, only=first))
            job = gradable.job(gradable.reference, limits)
            pairs = [
                (_cost(here, job, mark, with_ray=False), _cost(there, job, mark, with_ray=True))
                for _ in setting.rounds(setting.repeats)
            ]
    return [
        ("start of an embedded Ray, to the node's report", f"{start:.1f} s", "6 s"),
        ("from there to ready; LocalEngine", f"{ready:.1f} s; {ready_here:.1f} s", ""),
        ("a whole submission, LocalEngine", spread([local.clock for local, _ in pairs], "s"), ""),
        ("a whole submission, Ray", spread([there.clock for _, there in pairs], "s"), ""),
        ("ratio by the clock", f"{_ratio([(here.clock, there.clock) for here, there in pairs]):.3f}", "1.03"),
        ("ratio of CPU seconds", f"{_ratio([(here.cpu, there.cpu) for here, there in pairs]):.3f}", "1.03"),
    ]


def _ready(engine: Engine) -> float:
    engine.expect(1)
    return seconds(lambda: engine.collected)


def _ratio(pairs: list[tuple[float, float]]) -> float:
    return statistics.median(there / here for here, there in pairs)


def _cost(engine: Engine, job: Job, mark: str, *, with_ray: bool) -> Cost:
    before = _cpu(mark, with_ray=with_ray)
    clock = seconds(lambda: judge(engine, job))
    return Cost(clock, _cpu(mark, with_ray=with_ray) - before)


@contextmanager
def _marked(mark: str) -> Iterator[None]:
    """Marks the processes that are started meanwhile; those of a node are no descendants of this one."""
    os.environ[_MARK] = mark
    try:
        yield
    finally:
        del os.environ[_MARK]


def _cpu(mark: str, *, with_ray: bool) -> float:
    """CPU seconds of this machine since it started; without those of Ray, whose daemons are never quite idle."""
    busy = psutil.cpu_times()
    machine = float(busy.user + busy.nice + busy.system + busy.irq + busy.softirq)
    if with_ray:
        return machine
    rays = {each for root in psutil.process_iter() if _has(root, mark) for each in _family(root)}
    return machine - sum(map(_seconds, rays - {psutil.Process()}))


def _has(process: psutil.Process, mark: str) -> bool:
    with suppress(psutil.Error):
        return process.environ().get(_MARK) == mark
    return False


def _family(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return [process, *process.children(recursive=True)]
    return []


def _seconds(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0
