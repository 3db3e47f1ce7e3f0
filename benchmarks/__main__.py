"""Runs all benchmarks and prints a table. Ratios compare runs that alternate, since machines are noisy.

    python -m benchmarks [PART...] [--quick]

A part that cannot run says why, and the rest is printed.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import click
from rich.console import Console
from rich.table import Table

from benchmarks import batches, pages, with_otter
from benchmarks.measure import BenchmarkError, descendants, run_program, seconds, spread, unique_mb
from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine, EngineOptions, judge, open_engine
from gradetape.errors import GradetapeError
from gradetape.grading.rubric import Rubric
from gradetape.records import Cell, Limits
from gradetape.remote.budget import CheckBudget
from gradetape.remote.roles import CLEAN, STUDENT
from gradetape.remote.session import RemoteSession
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime.launch import LocalZygote

ROOT = Path(__file__).parents[1]
ASSIGNMENT = "custom-training"
Row = tuple[str, str, str]


@dataclass(frozen=True)
class Setting:
    """What is measured, and how often: `students` are those of a page, `batch` those of a batch."""

    gradable: GradableAssignment
    repeats: int = 5
    students: int = 1000
    batch: int = 8

    @classmethod
    def quick(cls, gradable: GradableAssignment) -> Setting:
        """Everything once and small: it shows that each part runs, and measures nothing."""
        return cls(gradable, repeats=1, students=20, batch=2)


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
    """Submissions, one after the other, with and without a sandbox, alternating."""
    gradable = setting.gradable
    with (
        _engine(gradable) as sandboxed,
        _engine(gradable, "none") as bare,
    ):
        only = Rubric.of(gradable, sandboxed.collected).sound
        job = gradable.job(gradable.reference, gradable.course.config.limits.record(), only=only)
        for engine in (sandboxed, bare):
            judge(engine, job)
        taken = [[judge(engine, job).seconds for engine in (sandboxed, bare)] for _ in range(2 * setting.repeats)]
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


def against_one_process(setting: Setting) -> list[Row]:
    """The whole reference solution, in a worker and in one warm process without isolation, alternating."""
    gradable = setting.gradable
    sandboxed, bare = [], []
    with _engine(gradable) as engine:
        only = Rubric.of(gradable, engine.collected).sound
        job = gradable.job(gradable.reference, gradable.course.config.limits.record(), only=only)
        judge(engine, job)
        for _ in range(setting.repeats):
            sandboxed.append(judge(engine, job).seconds)
            bare += _in_process(gradable)
    ratio = statistics.median(sandboxed) / statistics.median(bare)
    return [
        ("the assignment in a worker", spread(sandboxed, "s"), ""),
        ("the same calls in a warm process, no isolation", spread(bare, "s"), ""),
        ("ratio", f"{ratio:.2f}", "1.4"),
    ]


def _in_process(gradable: GradableAssignment) -> list[float]:
    course, name = gradable.course.root, gradable.assignment.name
    command = [sys.executable, "-m", "benchmarks.in_process", course, name, "1"]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "-1"}
    found: list[float] = json.loads(run_program(command, ROOT, environment).splitlines()[-1])
    return found


def per_question(setting: Setting) -> list[Row]:
    """The reference by question: the total time of its checks, and the slowest of them."""
    gradable = setting.gradable
    times: dict[str, dict[str, list[float]]] = {}
    with _engine(gradable) as engine:
        only = Rubric.of(gradable, engine.collected).sound
        job = gradable.job(gradable.reference, gradable.course.config.limits.record(), only=only)
        for _ in range(1 + setting.repeats):
            for result in judge(engine, job).results:
                times.setdefault(result.check.question, {}).setdefault(result.check.name, []).append(result.seconds)
    rows = []
    for question_id, checks in times.items():
        medians = {name: statistics.median(found[1:]) for name, found in checks.items()}
        slowest = max(medians, key=medians.__getitem__)
        rows.append((question_id, f"{sum(medians.values()):.2f} s", f"{slowest}: {medians[slowest]:.2f} s"))
    return rows


def memory(setting: Setting) -> list[Row]:
    """The peak memory of a submission, and the growth of the supervisor over many submissions."""
    gradable = setting.gradable
    with _engine(gradable) as engine:
        only = Rubric.of(gradable, engine.collected).sound
        job = gradable.job(gradable.reference, gradable.course.config.limits.record(), only=only)
        peak = _peak(lambda: judge(engine, job))
        small = gradable.job((Cell(source="x = 1"),), gradable.course.config.limits.record(), only=only[:1])
        judge(engine, small)
        before = unique_mb("self")
        for _ in range(50):
            judge(engine, small)
        growth = unique_mb("self") - before
    return [
        ("peak memory of a submission", f"{peak:.0f} MiB", "500 MiB"),
        ("growth of the supervisor in 50 submissions", f"{growth:.1f} MiB", "0"),
    ]


def _peak(work: Callable[[], object]) -> float:
    """The peak unique memory of processes that this process starts during the work, in MiB."""
    known, peak, ended = set(descendants(os.getpid())), 0.0, threading.Event()
    thread = threading.Thread(target=lambda: (work(), ended.set()))
    thread.start()
    while not ended.wait(0.05):
        peak = max(peak, sum(_unique(pid) for pid in descendants(os.getpid()) if pid not in known))
    thread.join()
    return peak


def _unique(pid: int) -> float:
    try:
        return unique_mb(pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def against_otter(setting: Setting) -> list[Row]:
    """`otter run` on the reference as a notebook, and gradetape with the same checks in a warm worker."""
    gradable = setting.gradable
    otter, ported = with_otter.run(gradable, setting.repeats)
    ids = ported.ids
    with _engine(gradable) as engine:
        judge(engine, gradable.job(gradable.reference, gradable.course.config.limits.record(), only=tuple(ids)))
        job = gradable.job(gradable.reference, gradable.course.config.limits.record(), only=tuple(ids))
        ours = [judge(engine, job).seconds for _ in range(setting.repeats)]
    ratio = statistics.median(otter) / statistics.median(ours)
    left_out = [(f"not in otter: {check}", reason, "") for check, reason in ported.left_out.items()]
    return [
        (f"otter run, {len(ids)} checks, no isolation", spread(otter, "s"), ""),
        ("gradetape, the same checks, a warm worker", spread(ours, "s"), ""),
        ("ratio", f"{ratio:.1f}", ""),
        *left_out,
    ]


def start_up(setting: Setting) -> list[Row]:
    """The help of the command line."""
    command = [Path(sys.executable).parent / "gradetape", "--help"]
    times = [seconds(lambda: run_program(command, ROOT)) for _ in range(2 * setting.repeats)]
    return [("gradetape --help", spread(times, "s"), "0.3 s")]


PARTS: Mapping[str, Callable[[Setting], list[Row]]] = MappingProxyType(
    {
        "start-up": start_up,
        "pages": lambda setting: pages.writing(setting.students, min(setting.repeats, 3)),
        "dashboard": lambda setting: pages.dashboard(setting.students, setting.repeats),
        "workers": workers,
        "batch": batch,
        "one-process": against_one_process,
        "memory": memory,
        "otter": against_otter,
        "changes": lambda setting: batches.changes(setting.gradable, setting.batch),
        "questions": per_question,
    }
)


def rows_of(name: str, setting: Setting) -> list[Row]:
    """The rows of a part; if it cannot run, one row that says why."""
    try:
        return PARTS[name](setting)
    except (BenchmarkError, GradetapeError, OSError) as error:
        return [(name, f"not measured: {error}", "")]


@click.command(help=__doc__)
@click.argument("names", metavar="[PART]...", nargs=-1, type=click.Choice([*PARTS]))
@click.option("--quick", is_flag=True, help="Run everything once and small, to see that it runs.")
def main(names: tuple[str, ...], quick: bool) -> None:
    """Prints one table."""
    gradable = GradableAssignment.open(courses.find(ROOT), ASSIGNMENT)
    setting = Setting.quick(gradable) if quick else Setting(gradable)
    title = f"gradetape on {os.cpu_count()} cores, {time.strftime('%F')}"
    table = Table("Measurement", "Median (min to max)", "Target", title=title)
    for name in names or PARTS:
        for row in rows_of(name, setting):
            table.add_row(*row)
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
