"""The same notebook and the same checks with gradetape, otter, nbgrader, and in one warm process: rounds in turn.

The notebook is the reference with all its cells. The checks are those that can be ported to otter, of all questions or
of one. Every round runs each of them once, so that a busy moment of the machine is nobody's alone.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from benchmarks import with_nbgrader, with_otter
from benchmarks.measure import ROOT, BenchmarkError, Row, Setting, failed, quiet_tensorflow, seconds, spread
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine, EngineOptions, judge, open_engine
from gradetape.records import Job

OURS, TWO, LIMIT = "gradetape, a warm worker", "gradetape, two at once", "one warm process, no isolation"
OTTER, NBGRADER = "otter run", "nbgrader autograde"
Runner = Callable[[], float]


def compared(setting: Setting, questions: Sequence[str] = ()) -> list[Row]:
    """The comparison with the checks of all questions, or of some."""
    gradable = setting.gradable
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gradetape-bench-")))
        (folder / "otter").mkdir()
        ported = with_otter.test_files(gradable, folder / "otter/tests", questions)
        runners, why = _opened(_openers(gradable, folder, ported.ids), stack)
        times = rounds(runners, setting.rounds(setting.repeats), why)
    left_out = [(f"not compared: {check}", reason, "") for check, reason in ported.left_out.items()]
    what = f"{len(ported.ids)} checks of {', '.join(questions) or 'all questions'}"
    return [*rows(times, what), *((name, f"not measured: {reason}", "") for name, reason in why.items()), *left_out]


def _openers(
    gradable: GradableAssignment, folder: Path, checks: Sequence[str]
) -> dict[str, Callable[[ExitStack], Runner]]:
    job = gradable.job(gradable.reference, gradable.course.config.limits.record(), only=tuple(checks))
    engines: list[Engine] = []

    def ours(stack: ExitStack) -> Runner:
        engines.append(stack.enter_context(open_engine(gradable, EngineOptions(workers=2, device="cpu"))))
        judge(engines[0], msgspec.structs.replace(job, only=tuple(checks[:1])))
        return lambda: seconds(lambda: judge(engines[0], job))

    return {
        OURS: ours,
        TWO: lambda _: lambda: seconds(lambda: _both(engines[0], job)),
        LIMIT: lambda stack: stack.enter_context(_one_process(gradable, checks)),
        OTTER: lambda _: _otter(gradable, folder / "otter"),
        NBGRADER: lambda _: _nbgrader(gradable, folder, checks),
    }


def _opened(
    openers: Mapping[str, Callable[[ExitStack], Runner]], stack: ExitStack
) -> tuple[dict[str, Runner], dict[str, str]]:
    """What can run, and why the rest cannot."""
    runners, why = dict[str, Runner](), dict[str, str]()
    for name, opener in openers.items():
        try:
            runners[name] = opener(stack)
        except (BenchmarkError, OSError) as error:
            why[name] = str(error)
    return runners, why


def rounds(runners: dict[str, Runner], repeats: Iterable[int], why: dict[str, str]) -> dict[str, list[float]]:
    """The seconds of each; one that fails is left out from then on, and `why` is told."""
    times: dict[str, list[float]] = {name: [] for name in runners}
    for _ in repeats:
        for name in [name for name in runners if name not in why]:
            try:
                times[name].append(runners[name]())
            except (BenchmarkError, OSError) as error:
                why[name] = str(error)
                del times[name]
    return times


def rows(times: Mapping[str, Sequence[float]], what: str) -> Iterator[Row]:
    medians = {name: statistics.median(found) for name, found in times.items()}
    yield from ((f"{name}: {what}", spread(found, "s"), "") for name, found in times.items())
    for name, over, goal in (
        (OURS, LIMIT, "at most 1.25"), (OTTER, OURS, "at least 8 on one question"), (NBGRADER, OURS, ""),
        (OTTER, LIMIT, ""),
    ):  # fmt: skip
        if name in medians and over in medians:
            yield f"{name} / {over}", f"{medians[name] / medians[over]:.2f}", goal
    if OURS in medians and TWO in medians:
        yield "two workers / one worker, submissions in the same time", f"{2 * medians[OURS] / medians[TWO]:.2f}", "1.8"


def _both(engine: Engine, job: Job) -> None:
    """Judges a job twice at the same time."""
    running = {engine.submit(job) for _ in range(2)}
    while running:
        running -= {number for number, _ in engine.wait(1.0)}


@contextmanager
def _one_process(gradable: GradableAssignment, checks: Sequence[str]) -> Iterator[Runner]:
    """A process that has imported TensorFlow, and forks for each run."""
    command = [sys.executable, "-m", "benchmarks.in_process", gradable.course.root, gradable.assignment.name, "0"]
    words = [*map(str, command), *checks]
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            words, cwd=ROOT, env=quiet_tensorflow(), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=said,
        ) as process,
    ):  # fmt: skip
        assert process.stdin and process.stdout
        send, receive = process.stdin, process.stdout

        def answer() -> list[float]:
            for line in receive:
                if line.startswith("["):
                    found: list[float] = json.loads(line)
                    return found
            said.seek(0)
            raise failed(words, said.read())

        def run() -> float:
            print(file=send, flush=True)
            return answer()[0]

        answer()
        yield run
        send.close()


def _otter(gradable: GradableAssignment, folder: Path) -> Runner:
    with_otter.generate(folder)
    with_otter.notebook(gradable, folder / "reference.ipynb")
    return lambda: with_otter.run(folder)


def _nbgrader(gradable: GradableAssignment, folder: Path, checks: Sequence[str]) -> Runner:
    course = folder / "nbgrader"
    course.mkdir()
    with_nbgrader.prepare(gradable, course, folder / "otter/tests", checks)
    return lambda: with_nbgrader.run(course, gradable.assignment.name)
