"""What Ray costs: whole submissions through an embedded Ray and through the LocalEngine, with one slot each.

The two alternate in one run, and neither computes while the other is measured. CPU seconds are those of all processes:
of Ray's daemons for Ray alone, of this process for both. They say more than the clock on a machine that is busy.
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
            job = gradable.job(gradable.reference, gradable.course.config.limits.record())
            pairs = [
                (_cost(here, job, mark, with_ray=False), _cost(there, job, mark, with_ray=True))
                for _ in range(setting.repeats + 1)
            ][1:]
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
    """CPU seconds of this process and all that belong to it, also of those that have ended; with Ray's or without."""
    ours = psutil.Process()
    rays = {each for root in psutil.process_iter() if _has(root, mark) for each in _family(root)} - {ours}
    others = set(_family(ours)) - rays
    return sum(map(_seconds, others | rays if with_ray else others))


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
