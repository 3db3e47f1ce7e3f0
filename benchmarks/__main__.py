"""Measures, and prints a table. Ratios are of runs that alternate in one go, since machines are noisy."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import with_otter
from benchmarks.measure import descendants, seconds, spread, unique_mb
from benchmarks.pages import pages
from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine, EngineOptions, judge, open_engine
from gradetape.grading.rubric import Rubric
from gradetape.records import Cell, Limits
from gradetape.remote.session import CheckBudget, RemoteSession
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime.launch import LocalZygote

ROOT = Path(__file__).parents[1]
ASSIGNMENT = "custom-training"
REPEATS = 5
Row = tuple[str, str, str]


def workers() -> list[Row]:
    """The first reply of a new worker with walls and without, turn by turn, and a call over the wire."""
    with LocalZygote(Limits()) as walled, LocalZygote(Limits(), isolation="none") as bare, ExitStack() as stack:
        controls = []
        for zygote in (walled, bare):
            zygote.wait_ready()
            controls.append(stack.enter_context(closing(ZygoteClient(zygote.path))))
        watch = CheckBudget()
        watch.begin(600)
        replies = [[_first_reply(control, watch) for control in controls] for _ in range(30)]
        calls = _calls(controls[0], watch)
    cost = [with_walls - without for with_walls, without in replies]
    return [
        ("first reply of a new worker, namespaces", spread([each[0] for each in replies], "ms", 1e3), "60 ms"),
        ("first reply of a new worker, none", spread([each[1] for each in replies], "ms", 1e3), ""),
        ("what the walls add to it", spread(cost, "ms", 1e3), "60 ms"),
        ("a call over the wire", spread(calls, "µs", 1e6), "100 µs"),
    ]


def _engine(gradable: GradableAssignment, isolation: str = "namespaces") -> Engine:
    return open_engine(gradable, EngineOptions(workers=1, isolation=isolation, device="cpu"))


def batch(gradable: GradableAssignment) -> list[Row]:
    """Submissions, one after the other, with walls and without, turn by turn."""
    with (
        _engine(gradable) as walled,
        _engine(gradable, "none") as bare,
    ):
        only = Rubric.of(gradable, walled.collected).sound
        case = gradable.job(gradable.reference, gradable.course.config.limits.record(), only=only)
        for engine in (walled, bare):
            judge(engine, case)
        taken = [[judge(engine, case).seconds for engine in (walled, bare)] for _ in range(2 * REPEATS)]
    ratio = statistics.median(first / second for first, second in taken)
    return [
        ("a submission in a batch, namespaces", spread([each[0] for each in taken], "s"), ""),
        ("a submission in a batch, none", spread([each[1] for each in taken], "s"), ""),
        ("ratio", f"{ratio:.3f}", "1.05"),
    ]


def _first_reply(control: ZygoteClient, watch: CheckBudget) -> float:
    session = RemoteSession(control, "clean", (), Limits(), watch)
    taken = seconds(session.ready)
    session.close()
    return taken


def _calls(control: ZygoteClient, watch: CheckBudget) -> list[float]:
    session = RemoteSession(control, "student", (Cell(source="def double(x):\n    return 2 * x"),), Limits(), watch)
    double = session.names().double
    times = [seconds(lambda: [double(1.5) for _ in range(1000)]) / 1000 for _ in range(5)]
    session.close()
    return times


def against_no_wall(gradable: GradableAssignment) -> list[Row]:
    """The whole reference solution, in a session and in one warm process without any wall, turn by turn."""
    walled, bare = [], []
    with _engine(gradable) as engine:
        only = Rubric.of(gradable, engine.collected).sound
        case = gradable.job(gradable.reference, gradable.course.config.limits.record(), only=only)
        judge(engine, case)
        for _ in range(REPEATS):
            walled.append(judge(engine, case).seconds)
            bare += _in_process(1)
    ratio = statistics.median(walled) / statistics.median(bare)
    return [
        ("the assignment in a session", spread(walled, "s"), ""),
        ("the same calls in a warm process, no wall", spread(bare, "s"), ""),
        ("ratio", f"{ratio:.2f}", "1.4"),
    ]


def _in_process(repeats: int) -> list[float]:
    command = [sys.executable, "-m", "benchmarks.in_process", str(ROOT), ASSIGNMENT, str(repeats)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


def per_question(gradable: GradableAssignment) -> list[Row]:
    """The reference, question by question: the sum of its checks, and the longest of them."""
    times: dict[str, dict[str, list[float]]] = {}
    with _engine(gradable) as engine:
        only = Rubric.of(gradable, engine.collected).sound
        case = gradable.job(gradable.reference, gradable.course.config.limits.record(), only=only)
        for _ in range(1 + REPEATS):
            for result in judge(engine, case).results:
                times.setdefault(result.check.question, {}).setdefault(result.check.name, []).append(result.seconds)
    rows = []
    for question_id, checks in times.items():
        medians = {name: statistics.median(found[1:]) for name, found in checks.items()}
        slowest = max(medians, key=medians.__getitem__)
        rows.append((question_id, f"{sum(medians.values()):.2f} s", f"{slowest}: {medians[slowest]:.2f} s"))
    return rows


def memory(gradable: GradableAssignment) -> list[Row]:
    """What a session holds for itself at its peak, and what the supervisor gains over many submissions."""
    with _engine(gradable) as engine:
        only = Rubric.of(gradable, engine.collected).sound
        case = gradable.job(gradable.reference, gradable.course.config.limits.record(), only=only)
        peak = _peak(lambda: judge(engine, case))
        small = gradable.job((Cell(source="x = 1"),), gradable.course.config.limits.record(), only=only[:1])
        judge(engine, small)
        before = unique_mb("self")
        for _ in range(50):
            judge(engine, small)
        gained = unique_mb("self") - before
    return [
        ("a session's own memory at its peak", f"{peak:.0f} MiB", "500 MiB"),
        ("what the supervisor gains in 50 submissions", f"{gained:.1f} MiB", "0"),
    ]


def _peak(work: Callable[[], object]) -> float:
    """The most unique memory of what this process started since, in MiB."""
    known, most, ended = set(descendants(os.getpid())), 0.0, threading.Event()
    thread = threading.Thread(target=lambda: (work(), ended.set()))
    thread.start()
    while not ended.wait(0.05):
        most = max(most, sum(_unique(pid) for pid in descendants(os.getpid()) if pid not in known))
    thread.join()
    return most


def _unique(pid: int) -> float:
    try:
        return unique_mb(pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def against_otter(gradable: GradableAssignment) -> list[Row]:
    """`otter run` on the reference as a notebook, and gradetape with the same checks in a warm session."""
    otter, ids = with_otter.run(gradable, REPEATS)
    with _engine(gradable) as engine:
        judge(engine, gradable.job(gradable.reference, gradable.course.config.limits.record(), only=tuple(ids)))
        case = gradable.job(gradable.reference, gradable.course.config.limits.record(), only=tuple(ids))
        ours = [judge(engine, case).seconds for _ in range(REPEATS)]
    ratio = statistics.median(otter) / statistics.median(ours)
    return [
        (f"otter run, {len(ids)} checks, no wall", spread(otter, "s"), ""),
        ("gradetape, the same checks, a warm session", spread(ours, "s"), ""),
        ("otter run takes so many times as long", f"{ratio:.1f}", ""),
    ]


def start_up() -> list[Row]:
    """The command line's help."""
    times = [seconds(lambda: subprocess.run([Path(sys.executable).parent / "gradetape", "--help"], check=True,
                                            capture_output=True)) for _ in range(10)]  # fmt: skip
    return [("gradetape --help", spread(times, "s"), "0.3 s")]


def main() -> None:
    """Everything, in about seven minutes."""
    gradable = GradableAssignment.open(courses.find(ROOT), ASSIGNMENT)
    questions = Table("Question", "Its checks", "The longest of them")
    for row in per_question(gradable):
        questions.add_row(*row)
    table = Table(
        "What", "Median (least to most)", "Aim", title=f"gradetape on {os.cpu_count()} cores, {time.strftime('%F')}"
    )
    with_exam = (
        lambda: batch(gradable), lambda: against_no_wall(gradable), lambda: memory(gradable),
        lambda: against_otter(gradable),
    )  # fmt: skip
    for part in (start_up, pages, workers, *with_exam):
        for row in part():
            table.add_row(*row)
    Console(width=110).print(table, questions)


if __name__ == "__main__":
    main()
