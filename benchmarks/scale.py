"""How far one driver carries: a batch on 1 to 1,000 nodes, with the real driver and gradebook. Engines only wait.

    python -m benchmarks.scale [--submissions 100000] [--nodes 1,10,100,1000] [--gradebook URL] [--times GRADEBOOK]

No job runs. An engine with as many slots as the nodes have answers each job when its time is over; the times are drawn
from those of a real batch. Waiting takes no time: when the driver waits, the simulated clock goes on to the end of the
next job. All else is real and takes the time that it takes: the keys, the claims, the transactions, the grades. So the
simulated duration of a batch is that of the work where there are few nodes, and the driver's where there are many.

The model is that a batch takes the longer one of both: `submissions * seconds / slots` and `submissions / rate`, where
`rate` is how many submissions the driver finishes in a second of its own. The last column is the model's duration
divided by the simulated one. The driver saturates at `rate * seconds / slots_per_node` nodes.

With `--cpu` the driver's time is its CPU time, for a machine on which other programs run. Waits for the disk are then
left out.
"""

from __future__ import annotations

import heapq
import json
import random
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from gradetape.course import assignments as courses
from gradetape.course.digests import digest_of
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import EngineOptions, Finished, MockEngine, open_engine
from gradetape.gradebook import Gradebook
from gradetape.grading.batch import BatchGrader
from gradetape.records import (
    Cell,
    CellEvent,
    CheckResult,
    CollectedChecks,
    Environment,
    Job,
    Outcome,
    Submission,
    Verdict,
)

# Seconds of the twelve example submissions (133 checks of eleven questions) on 2 cores: a stuck cell takes longest.
SECONDS = (2.0, 3.3, 15.2, 17.3, 17.8, 17.9, 17.9, 18.1, 18.3, 19.4, 39.4, 78.5)
_SAID = "loss: 0.4325 - mae: 0.5421\n" * 4
_MB = 1024


class Clock:
    """Seconds since its creation: those of the driver by its timer, and those that were skipped instead of waiting."""

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._start = timer()
        self.skipped = 0.0

    @property
    def own(self) -> float:
        """The driver's own time."""
        return self._timer() - self._start

    def now(self) -> float:
        """The simulated time."""
        return self.own + self.skipped


class WaitingEngine(MockEngine):
    """Answers each job when its time is over, by a clock that it sets forward while it waits."""

    def __init__(self, collected: CollectedChecks, capacity: int, seconds: Sequence[float], clock: Clock) -> None:
        environment = Environment(isolation="namespaces", identity="simulated", versions={"gradetape": "0"})
        super().__init__(lambda _: Outcome(results=()), environment=environment, capacity=capacity)
        self.collected = collected
        self.clock = clock
        self.worked = 0.0
        self._seconds = seconds
        self._random = random.Random(capacity)
        self._ends: list[tuple[float, int]] = []
        self._jobs: dict[int, Job] = {}
        self._numbers = count(1)

    def submit(self, job: Job) -> int:
        """Draws how long the job takes."""
        number, seconds = next(self._numbers), 0.0 if job.trusted else self._random.choice(self._seconds)
        self._jobs[number] = job
        self.worked += seconds
        heapq.heappush(self._ends, (self.clock.now() + seconds, number))
        return number

    @property
    def parts(self) -> int:
        """1, as on a Ray cluster."""
        return 1

    def wait(self, timeout_s: float) -> list[Finished]:
        """The jobs that have ended; if there is none, sets the clock forward to the next end."""
        if not self._ends:
            return []
        self.clock.skipped += max(0.0, self._ends[0][0] - self.clock.now())
        now, ended = self.clock.now(), list[Finished]()
        while self._ends and self._ends[0][0] <= now:
            number = heapq.heappop(self._ends)[1]
            if job := self._jobs.pop(number, None):
                ended.append((number, self._outcome(job)))
        return ended

    def forget(self, number: int) -> None:
        """Drops a job."""
        self._jobs.pop(number, None)

    def _outcome(self, job: Job) -> Outcome:
        """As large as a real one: each check with a verdict, and what some cells printed."""
        luck = random.Random(digest_of(cell.source for cell in job.cells[-1:]))
        results, only = [], None if job.only is None else frozenset(job.only)
        for check in self.collected.checks:
            if only is None or check.id in only:
                passed = job.trusted or luck.random() < 0.8
                verdict, message = (Verdict.PASSED, "") if passed else (Verdict.FAILED, "The result differs.")
                points = check.points if passed else 0.0
                results.append(CheckResult(check=check, verdict=verdict, points=points, seconds=0.1, message=message))
        events = tuple(CellEvent(cell=number, kind="output", text=_SAID) for number in range(len(job.cells)))
        return Outcome(results=tuple(results), events=events, layers=("namespaces",), seconds=1.0)


@dataclass(frozen=True)
class Simulated:
    """A simulated batch: seconds of simulated time, of the driver's own, and of all jobs; MiB that memory grew by."""

    nodes: int
    slots: int
    submissions: int
    duration: float
    driver: float
    worked: float
    grown_mb: float

    @property
    def rate(self) -> float:
        """The submissions that the driver finishes in a second of its own."""
        return self.submissions / self.driver

    @property
    def model(self) -> float:
        """The duration by the model, in seconds."""
        return max(self.worked / self.slots, self.driver)

    @property
    def row(self) -> tuple[str, ...]:
        """The batch as a row of the table."""
        busy = self.worked / (self.slots * self.duration)
        return (
            f"{self.nodes:,}", f"{self.slots:,}", f"{self.duration:,.0f} s", f"{self.submissions / self.duration:,.1f}",
            f"{busy:.0%}", f"{self.driver / self.duration:.0%}", f"{self.rate:,.0f}", f"{self.grown_mb:,.0f} MiB",
            f"{self.model / self.duration:.2f}",
        )  # fmt: skip


COLUMNS = (
    "nodes", "slots", "duration", "finished/s", "slots busy", "driver busy", "driver's own rate", "memory grew",
    "model",
)  # fmt: skip


def collected(gradable: GradableAssignment) -> CollectedChecks:
    """The assignment's checks, without any worker."""
    with open_engine(gradable, EngineOptions(workers=1, isolation="none", device="cpu")) as engine:
        engine.expect(0)
        return engine.collected


def simulate(
    gradable: GradableAssignment, checks: CollectedChecks, nodes: int, slots: int, submissions: int,
    seconds: Sequence[float], place: str | Path, timer: Callable[[], float] = time.perf_counter, first: int = 0,
) -> Simulated:  # fmt: skip
    """Grades a class into a gradebook; the stream is open, so that no list of all submissions is needed.

    `first` is the number of the first student: a gradebook that has classes already needs another one.
    """
    clock = Clock(timer)
    engine = WaitingEngine(checks, nodes * slots, seconds, clock)
    with Gradebook.open(place) as book:
        grader = BatchGrader(gradable, engine, book, lambda _: None)
        before = _peak_mb()
        grader.run(_class_of(gradable, first, submissions))
        driver, duration = clock.own, clock.now()
    return Simulated(
        nodes=nodes, slots=nodes * slots, submissions=submissions, duration=duration, driver=driver,
        worked=engine.worked, grown_mb=_peak_mb() - before,
    )  # fmt: skip


def _class_of(gradable: GradableAssignment, first: int, submissions: int) -> Iterator[Submission]:
    """As many different submissions as are asked for, each as large as the reference solution."""
    for number in range(first, first + submissions):
        cells = (*gradable.reference, Cell(source=f"answer = {number}"))
        yield Submission(
            student=f"student {number}", file=f"submissions/student-{number}.ipynb", sha256=digest_of([str(number)]),
            assignment=gradable.assignment.name, cells=cells,
        )  # fmt: skip


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MB


def seconds_of(gradebook: Path) -> list[float]:
    """The seconds of the graded submissions in a SQLite gradebook."""
    with closing(sqlite3.connect(f"file:{gradebook}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT seconds FROM attempts WHERE status = 'graded' AND seconds > 0").fetchall()
    if not rows:
        raise click.ClickException(f"{gradebook} has no graded submission")
    return [seconds for (seconds,) in rows]


def conclusion(batches: Sequence[Simulated], seconds: Sequence[float]) -> str:
    """Where the driver saturates, and what is next."""
    rate, mean = statistics.median(each.rate for each in batches), statistics.fmean(seconds)
    slots = batches[0].slots // batches[0].nodes
    most = rate * mean / slots
    return (
        f"The driver finishes {rate:,.0f} submissions a second. With jobs of {mean:.1f} s (mean) and {slots} slots a "
        f"node it saturates at {most:,.0f} nodes ({rate * mean:,.0f} slots); more nodes need several drivers (--shard)."
    )


@click.command()
@click.option("--submissions", default=100_000, show_default=True, type=click.IntRange(1))
@click.option("--nodes", default="1,10,100,1000", show_default=True, help="Numbers of nodes, separated by commas.")
@click.option("--slots", default=8, show_default=True, type=click.IntRange(1), help="Slots of a node.")
@click.option(
    "--gradebook", metavar="URL", help="An empty database on a server, for all batches. [default: a SQLite file each]"
)
@click.option(
    "--times", metavar="FILE", type=click.Path(exists=True, path_type=Path), help="Gradebook of a real batch."
)
@click.option("--assignment", default="custom-training", show_default=True)
@click.option("--cpu", is_flag=True, help="Count the driver's CPU time instead of wall clock time.")
@click.option("--json", "as_json", is_flag=True)
def main(
    submissions: int,
    nodes: str,
    slots: int,
    gradebook: str | None,
    times: Path | None,
    assignment: str,
    cpu: bool,
    as_json: bool,
) -> None:
    """Simulate a batch on clusters of several sizes."""
    timer = time.process_time if cpu else time.perf_counter
    gradable = GradableAssignment.open(courses.find(Path.cwd()), assignment)
    seconds, checks, batches = seconds_of(times) if times else SECONDS, collected(gradable), list[Simulated]()
    for batch, number in enumerate(map(int, nodes.split(","))):
        with tempfile.TemporaryDirectory() as folder:
            place = gradebook or Path(folder, "gradebook.sqlite")
            first = batch * submissions
            batches.append(simulate(gradable, checks, number, slots, submissions, seconds, place, timer, first))
    if as_json:
        json.dump([vars(each) | {"rate": each.rate} for each in batches], sys.stdout, indent=2)
        return
    table = Table(*COLUMNS, title=f"{submissions:,} submissions, {len(checks.checks)} checks each")
    for each in batches:
        table.add_row(*each.row)
    Console().print(table)
    click.echo(conclusion(batches, seconds))


if __name__ == "__main__":
    main()
