"""Grades the examples on a GPU and writes what it finds to docs/gpu-check.md: `make gpu-check`.

The examples are graded once on the CPU, then on one card with several numbers of workers, and every verdict is
compared; `--baseline` names what `--only-cpu` kept on another machine, where that was done before. Checks
marked `@gpu` are run, and the time to a worker's first reply is measured. With a container engine it all runs in
containers, and the image is built if it is missing; without one, in the sandbox of this machine. Exit status 1: a
verdict differs, a check marked `@gpu` did not pass, or TensorFlow saw no GPU.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import click

from gradetape.cli.status import ATTENTION, OK
from gradetape.course.config import Config
from gradetape.errors import EngineError, GradetapeError
from gradetape.records import Slot
from gradetape.remote.budget import CheckBudget
from gradetape.remote.loader import LoadReport
from gradetape.remote.roles import CLEAN
from gradetape.remote.session import RemoteSession
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime import devices
from gradetape.runtime.container import find, image_id
from gradetape.runtime.launch import ZygoteProcess
from gradetape.runtime.processors import processors
from gradetape.runtime.slots import Slots

ROOT = Path(__file__).parents[1]
IMAGE, ASSIGNMENT = "localhost/gradetape:latest", "custom-training"
EXAMPLES = ROOT / "examples" / "submissions"
TINY = ROOT / "tests" / "tiny_course"
GRADETAPE = Path(sys.executable).with_name("gradetape")
CARD = "0"
STARTS = 5
REPORT = ROOT / "docs" / "gpu-check.md"
# Checks that need a GPU, for the last question of the tiny course.
ON_A_CARD = '''
from gradetape.checks import gpu, in_worker


@in_worker
def product(a, b):
    """A product of two matrices, and the device that computed it."""
    found = tf.constant(a) @ tf.constant(b)
    return found, found.device


@gpu
@points(1)
def test_computed_on_the_card(student, tf):
    """The student's function computes on the GPU."""
    assert student.halve(tf.constant([5.0, 3.0])).device.endswith("GPU:0")


@gpu
@points(1)
def test_a_product_in_float32(clean, rng):
    """A product of float32 matrices has the precision of float32, twice the same."""
    a, b = rng.normal(size=(2, 512, 512)).astype("float32")
    exact = a.astype("float64") @ b
    (one, device), (other, _) = clean.run(product, a, b), clean.run(product, a, b)
    assert device.endswith("GPU:0")
    assert abs(one - exact).max() < 1e-5 * abs(exact).max()
    assert (one == other).all()
'''
SUBMISSION = "def double(x):\n    return x + x\n\n\ndef halve(x):\n    return x * 0.5\n"

Key = tuple[str, str, str]


class How(NamedTuple):
    """How to grade: the isolation, the submissions, and the folder in which to keep what `grade` prints."""

    isolation: str
    submissions: tuple[Path, ...] = ()
    outputs: Path | None = None


class Run(NamedTuple):
    """A batch: its JSON output, its duration, and the memory of the card that it took at most, in MiB.

    The duration is 0 if the batch was graded on another machine.
    """

    output: dict[str, Any]
    seconds: float
    peak_mb: int = 0


class First(NamedTuple):
    """The start of a worker: seconds to its first reply and to its first result, and what it reports."""

    reply_s: float
    computed_s: float
    report: LoadReport


def isolation(requested: str) -> str:
    """The isolation to use: with `auto`, containers if there is an engine."""
    if requested != "auto":
        return requested
    try:
        find("auto")
    except EngineError:
        return "namespaces"
    return "container"


def build_image() -> None:
    """Builds the image if it is missing."""
    try:
        image_id(find("auto"), IMAGE)
    except GradetapeError:
        subprocess.run([GRADETAPE, "image", "build"], cwd=ROOT, check=True)


def checks(run: Run) -> Iterator[tuple[Key, dict[str, Any]]]:
    """Every check of a batch, by student, question and name."""
    for each in run.output["submissions"]:
        for question_id, question in each["questions"].items():
            for check in question["checks"]:
                yield (each["student"], question_id, check["name"]), check


def baseline(file: Path, submissions: Sequence[Path]) -> Run:
    """The batch in a file of `--outputs`, without other submissions; all of these must be in it."""
    output = json.loads(file.read_text())
    names = {path.stem for path in submissions}
    output["submissions"] = [each for each in output["submissions"] if each["student"] in names]
    if missing := names - {each["student"] for each in output["submissions"]}:
        raise click.UsageError(f"{file} has no {', '.join(sorted(missing))}")
    return Run(output, 0.0)


def different(run: Run, cpu: Run) -> Iterator[tuple[Key, str, dict[str, Any]]]:
    """Every check whose verdict differs from the CPU's, with the CPU's verdict."""
    before = {key: check["verdict"] for key, check in checks(cpu)}
    for key, check in checks(run):
        if check["verdict"] != before.get(key):
            yield key, before.get(key, "missing"), check


def grade(how: How, device: str, workers: int, course: Path, assignment: str = ASSIGNMENT) -> Run:
    """Grades submissions of a course, into a temporary folder."""
    settings = f"workers_per_gpu: {workers}\ncontainer: {{image: {IMAGE}}}\nlimits: {{cell_s: 20}}\n"
    (course / "grader_config.yml").write_text(settings)
    with tempfile.TemporaryDirectory() as folder, Meter() as meter:
        began = time.monotonic()
        run = subprocess.run(
            [
                GRADETAPE, "grade", *how.submissions, "--assignment", assignment, "--json", "--isolation",
                how.isolation, "--device", device, "--workers", str(workers), "--out", Path(folder, "results"),
            ],
            cwd=course, stdout=subprocess.PIPE, text=True, env=os.environ | {"CUDA_VISIBLE_DEVICES": CARD},
        )  # fmt: skip
        if run.returncode not in (OK, ATTENTION) or not run.stdout:
            raise SystemExit(f"grading on {device} with {workers} workers ended with {run.returncode}")
        seconds = time.monotonic() - began
        click.echo(f"{assignment} on {device}, {workers} workers: {seconds:.1f} s", err=True)
        if how.outputs:
            (how.outputs / f"{assignment}-{device}-{workers}.json").write_text(run.stdout)
        return Run(json.loads(run.stdout), seconds, meter.peak_mb)


class Meter:
    """Measures the memory of the first card that is taken while its block runs, at most."""

    def __init__(self) -> None:
        self.peak_mb = 0
        self._before = _used_mb()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._measure)

    def _measure(self) -> None:
        while not self._done.wait(0.25):
            self.peak_mb = max(self.peak_mb, _used_mb() - self._before)

    def __enter__(self) -> Meter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def _used_mb() -> int:
    used = query("memory.used")
    return int(used) if used.isdecimal() else 0


def query(field: str) -> str:
    """What nvidia-smi reports of the first card; empty without it."""
    if shutil.which("nvidia-smi") is None:
        return ""
    command = ["nvidia-smi", f"--id={CARD}", f"--query-gpu={field}", "--format=csv,noheader,nounits"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def starts(how: How, device: str) -> list[First]:
    """Starts workers one after the other, and has each compute once."""
    config = Config.model_validate({"container": {"image": IMAGE}})
    slots = Slots.of(config, workers=1, secret=(), isolation=how.isolation, device=device)
    with slots.open() as pool:
        lease = pool.take()
        return [start(lease.zygote, lease.slot, config) for _ in range(STARTS)]


def start(zygote: ZygoteProcess, slot: Slot, config: Config) -> First:
    """Starts one worker, and has it compute once."""
    budget = CheckBudget()
    budget.begin(config.limits.load_s)
    began = time.monotonic()
    with (
        closing(ZygoteClient(zygote.path, slot)) as control,
        closing(RemoteSession(control, CLEAN, (), config.limits.record(), budget)) as session,
    ):
        session.ready()
        replied = time.monotonic()
        tf = session.module("tf")
        tf.reduce_sum(tf.ones((64, 64)) @ tf.ones((64, 64))).numpy()
        return First(replied - began, time.monotonic() - began, session.report)


def examples_course(folder: Path) -> Path:
    """A copy of the course, without its results."""
    for part in ("assignments", "solutions", "autograder"):
        shutil.copytree(ROOT / part, folder / part)
    return folder


def card_course(folder: Path) -> Path:
    """A copy of the tiny course with checks that need a GPU, and a submission to it."""
    shutil.copytree(TINY, folder, ignore=shutil.ignore_patterns("__pycache__"))
    hidden, plan = folder / "autograder/tiny/test_q02_halve.py", folder / "assignments/tiny/assignment.yml"
    hidden.write_text(hidden.read_text() + ON_A_CARD)
    plan.write_text(plan.read_text().replace("q02_halve: 2", "q02_halve: 4"))
    (folder / "on_a_card.py").write_text(SUBMISSION)
    return folder


def command() -> str:
    """The command that writes the page, with its options."""
    return " ".join(("python -m scripts.gpu_check", *sys.argv[1:])) if sys.argv[1:] else "make gpu-check"


def row(*cells: object) -> str:
    """A row of a table."""
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; a dash if it has no rows."""
    if not rows:
        return "None.\n"
    return "\n".join([row(*titles), "|---" * len(titles) + "|", *(row(*each) for each in rows)]) + "\n"


class Report(NamedTuple):
    """Everything that was measured."""

    how: How
    cpu: Run
    runs: dict[int, Run]
    marked: dict[str, Run]
    first: dict[str, list[First]]

    @property
    def differences(self) -> list[tuple[object, ...]]:
        """Every verdict that differs, as rows."""
        return [
            (workers, *key, before, check["verdict"], " ".join(check["message"].split())[:200])
            for workers, run in self.runs.items()
            for key, before, check in different(run, self.cpu)
        ]

    @property
    def on_a_card(self) -> list[tuple[object, ...]]:
        """The checks that need a GPU: their verdicts on the CPU and on the card, as rows."""
        on_cpu = {key: check for key, check in checks(self.marked["cpu"])}
        return [
            (key[2], on_cpu[key]["verdict"], check["verdict"], " ".join(check["message"].split())[:200])
            for key, check in checks(self.marked["gpu"])
            if on_cpu[key]["verdict"] == "skipped"
        ]

    @property
    def passed(self) -> bool:
        """Whether nothing differs, and the checks that need a GPU passed on it."""
        return not self.differences and [each[2] for each in self.on_a_card] == ["passed", "passed"]

    def text(self) -> str:
        """The page."""
        seen = self.first["gpu"][0].report
        return (
            f"# The GPU check\n\nWritten on {datetime.date.today()} by `{command()}`.\n\n"
            f"{table(('', ''), self._machine(seen))}\n"
            f"## The examples with several workers on one card\n\n{self._examples()}\n"
            f"## Verdicts that differ from the CPU's\n\n"
            f"{table(('Workers', 'Submission', 'Question', 'Check', 'CPU', 'GPU', 'Message'), self.differences)}\n"
            f"## Checks that need a GPU\n\n{table(('Check', 'CPU', 'GPU', 'Message'), self.on_a_card)}\n"
            f"## The start of a worker\n\nOf {STARTS} starts, in seconds.\n\n{self._starts()}"
        )

    def _machine(self, seen: LoadReport) -> list[tuple[str, str]]:
        return [
            ("Card", f"{query('name')}, {query('memory.total')} MiB"),
            ("Driver", query("driver_version")),
            ("Processors", str(processors())),
            ("Linux, Python", f"{platform.release().partition('-')[0]}, {platform.python_version()}"),
            ("TensorFlow, Keras", f"{seen.versions['tensorflow']}, {seen.versions['keras']}"),
            ("Devices that a worker sees", ", ".join(seen.devices) or "none"),
            ("Isolation", f"{self.how.isolation}: {', '.join(seen.layers)}"),
        ]

    def _examples(self) -> str:
        count = len(self.cpu.output["submissions"])
        here = f"{min(processors(), count)}, on the CPU" if self.cpu.seconds else "on the CPU of another machine"
        rows: list[tuple[object, ...]] = [
            (where, *_pace(run, count), peak, wrong)
            for where, run, peak, wrong in [
                (here, self.cpu, "", ""),
                *(
                    (workers, run, run.peak_mb // workers, len(list(different(run, self.cpu))))
                    for workers, run in self.runs.items()
                ),
            ]
        ]
        titles = ("Workers", "Seconds in total", "Submissions per minute", "MiB of the card per worker", "Differ")
        total = len(list(checks(self.cpu)))
        return f"{count} submissions, {total} verdicts.\n\n{table(titles, rows)}"

    def _starts(self) -> str:
        rows = []
        for device, found in self.first.items():
            for what, seconds in (
                ("first reply", [each.reply_s for each in found]),
                ("first computation", [each.computed_s for each in found]),
            ):
                rows.append((device, what, f"{statistics.median(seconds):.2f}", f"{max(seconds):.2f}"))
        return table(("Device", "To the end of the", "Median", "Longest"), rows)


def _pace(run: Run, count: int) -> tuple[str, str]:
    """The seconds of a batch, and its submissions per minute; empty if it was graded on another machine."""
    return (f"{run.seconds:.1f}", f"{60 * count / run.seconds:.1f}") if run.seconds else ("", "")


def on_the_cpu(how: How, course: Path) -> Run:
    """Grades on the CPU, with a worker for each submission if there are as many processors."""
    return grade(how, "cpu", min(processors(), len(how.submissions)), course)


def measured(how: How, workers: Sequence[int], folder: Path, cpu: Run | None = None) -> Iterator[Report]:
    """Grades and measures everything, on the CPU without such a batch; a report after each batch on the card."""
    os.environ["CUDA_VISIBLE_DEVICES"] = CARD
    first = {device: starts(how, device) for device in ("cpu", "gpu")}
    card = card_course(folder / "tiny")
    alone = how._replace(submissions=(card / "on_a_card.py",))
    marked = {device: grade(alone, device, 1, card, "tiny") for device in ("cpu", "gpu")}
    course = examples_course(folder / "course")
    cpu = cpu or on_the_cpu(how, course)
    runs: dict[int, Run] = {}
    for count in workers:
        runs[count] = grade(how, "gpu", count, course)
        yield Report(how, cpu, dict(sorted(runs.items())), marked, first)


@click.command()
@click.option(
    "--isolation", "requested", type=click.Choice(["auto", "container", "namespaces", "none"]), default="auto",
    show_default=True, help="auto: containers if podman or Docker is installed, otherwise this machine's sandbox.",
)  # fmt: skip
@click.option("--workers", default="1,2,4,8", show_default=True, help="The numbers of workers on the card.")
@click.option("--example", "names", multiple=True, help="Grade only this example; may be repeated. [default: all]")
@click.option("--report", type=click.Path(path_type=Path), default=REPORT, help="The page to write.")
@click.option("--outputs", type=click.Path(path_type=Path, file_okay=False, exists=True), help="Keep the grades here.")
@click.option(
    "--baseline", "known", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Compare with this file of --outputs from a CPU, instead of grading there again.",
)  # fmt: skip
@click.option("--only-cpu", is_flag=True, help="Only grade on the CPU, for --baseline elsewhere; needs no GPU.")
def main(
    requested: str, workers: str, names: tuple[str, ...], report: Path, outputs: Path | None, known: Path | None,
    only_cpu: bool,
) -> None:  # fmt: skip
    """Grade the examples on a GPU, and compare every verdict with the CPU's."""
    if only_cpu and outputs is None:
        raise click.UsageError("--only-cpu needs --outputs FOLDER, where the grades are kept")
    if not only_cpu:
        devices.choose("gpu", devices.discover())
    chosen = tuple(path for path in sorted(EXAMPLES.iterdir()) if not names or path.stem in names)
    how = How(isolation(requested), chosen, outputs)
    cpu = baseline(known, chosen) if known else None
    if how.isolation == "container":
        build_image()
    with tempfile.TemporaryDirectory() as folder:
        if only_cpu:
            on_the_cpu(how, examples_course(Path(folder, "course")))
            return
        for found in measured(how, [int(count) for count in workers.split(",")], Path(folder), cpu):
            report.write_text(found.text())
    click.echo(report.read_text())
    sys.exit(0 if found.passed else 1)


if __name__ == "__main__":
    main()
