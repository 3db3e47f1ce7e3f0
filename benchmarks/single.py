"""The cost of a worker, of its sandbox, and of its memory."""

from __future__ import annotations

import os
import statistics
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from benchmarks.measure import ROOT, Row, Setting, descendants, run_program, seconds, spread, unique_mb_now
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine, EngineOptions, judge, open_engine
from gradetape.grading.rubric import Rubric
from gradetape.records import Cell, Limits
from gradetape.remote.budget import CheckBudget
from gradetape.remote.roles import CLEAN, STUDENT
from gradetape.remote.session import RemoteSession
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime.launch import LocalZygote


def start_up(setting: Setting) -> list[Row]:
    """The help of the command line."""
    command = [Path(sys.executable).parent / "gradetape", "--help"]
    times = [seconds(lambda: run_program(command, ROOT)) for _ in range(2 * setting.repeats)]
    return [("gradetape --help", spread(times, "s"), "0.3 s")]


def workers(setting: Setting) -> list[Row]:
    """The first reply of a new worker with and without a sandbox, alternating, and a call to a worker."""
    with (
        LocalZygote(Limits(), secret=()) as sandboxed,
        LocalZygote(Limits(), secret=(), isolation="none") as bare,
        ExitStack() as stack,
    ):
        controls = []
        for zygote in (sandboxed, bare):
            zygote.wait_ready()
            controls.append(stack.enter_context(closing(ZygoteClient(zygote.path))))
        budget = CheckBudget()
        budget.begin(600)
        replies = [[_first_reply(control, budget) for control in controls] for _ in range(6 * setting.repeats)]
        calls = _calls(controls[0], budget)
    cost = [sandboxed - bare for sandboxed, bare in replies]
    return [
        ("first reply of a new worker, namespaces", spread([each[0] for each in replies], "ms", 1e3), "60 ms"),
        ("first reply of a new worker, none", spread([each[1] for each in replies], "ms", 1e3), ""),
        ("cost of the sandbox in it", spread(cost, "ms", 1e3), "60 ms"),
        ("a call to a worker", spread(calls, "µs", 1e6), "100 µs"),
    ]


def _engine(gradable: GradableAssignment, isolation: str = "namespaces") -> Engine:
    return open_engine(gradable, EngineOptions(workers=1, isolation=isolation, device="cpu"))


def batch(setting: Setting) -> list[Row]:
    """Submissions with the checks of one question, one after the other, with and without a sandbox, alternating."""
    gradable = setting.gradable
    with (
        _engine(gradable) as sandboxed,
        _engine(gradable, "none") as bare,
    ):
        only = Rubric.of(gradable, sandboxed.collected).sound_in([setting.one])
        job = gradable.job(gradable.reference, gradable.course.config.limits.record(), only=only)
        for engine in (sandboxed, bare):
            judge(engine, job)
        taken = [
            [judge(engine, job).seconds for engine in (sandboxed, bare)] for _ in setting.rounds(2 * setting.repeats)
        ]
    ratio = statistics.median(first / second for first, second in taken)
    return [
        ("a submission in a batch, namespaces", spread([each[0] for each in taken], "s"), ""),
        ("a submission in a batch, none", spread([each[1] for each in taken], "s"), ""),
        ("ratio", f"{ratio:.3f}", "1.05"),
    ]


def _first_reply(control: ZygoteClient, budget: CheckBudget) -> float:
    session = RemoteSession(control, CLEAN, (), Limits(), budget)
    taken = seconds(session.ready)
    session.close()
    return taken


def _calls(control: ZygoteClient, budget: CheckBudget) -> list[float]:
    session = RemoteSession(control, STUDENT, (Cell(source="def double(x):\n    return 2 * x"),), Limits(), budget)
    double = session.names().double
    times = [seconds(lambda: [double(1.5) for _ in range(1000)]) / 1000 for _ in range(5)]
    session.close()
    return times


def memory(setting: Setting) -> list[Row]:
    """The peak memory of a submission."""
    gradable = setting.gradable
    with _engine(gradable) as engine:
        only = Rubric.of(gradable, engine.collected).sound
        job = gradable.job(gradable.reference, gradable.course.config.limits.record(), only=only)
        peak = _peak(lambda: judge(engine, job))
    return [("peak memory of a submission", f"{peak:.0f} MiB", "500 MiB")]


def _peak(work: Callable[[], object]) -> float:
    """The peak unique memory of processes that this process starts during the work, in MiB."""
    known, peak, ended = set(descendants(os.getpid())), 0.0, threading.Event()
    thread = threading.Thread(target=lambda: (work(), ended.set()))
    thread.start()
    while not ended.wait(0.05):
        peak = max(peak, sum(unique_mb_now(pid) for pid in descendants(os.getpid()) if pid not in known))
    thread.join()
    return peak
