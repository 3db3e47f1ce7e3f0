"""Timing and memory measurements for the benchmarks."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gradetape.course.gradable import GradableAssignment

ROOT = Path(__file__).parents[1]
Row = tuple[str, str, str]
"""What was measured, the result, and the goal."""


class BenchmarkError(Exception):
    """A part of the benchmarks cannot run; the text says why."""


@dataclass(frozen=True)
class Setting:
    """What is measured, and how often: `students` are those of the pages, the others those of a class.

    `one` is the question that is compared alone and whose checks are changed. `until` is the time of
    `time.monotonic()` at which the measuring shall be over: it is then repeated less, and a class is smaller.
    """

    gradable: GradableAssignment
    tiny: GradableAssignment
    one: str
    repeats: int = 3
    students: int = 1000
    whole_class: int = 50
    tiny_class: int = 1000
    workers: int = 2
    until: float | None = None

    def rounds(self, most: int) -> Iterator[int]:
        """The numbers of so many rounds, or of as many as the time allows, but of one at least."""
        longest = 0.0
        for number in range(most):
            begun = time.monotonic()
            if number and self.until is not None and begun + longest > self.until:
                return
            yield number
            longest = max(longest, time.monotonic() - begun)

    @classmethod
    def quick(cls, gradable: GradableAssignment, tiny: GradableAssignment, one: str) -> Setting:
        """Everything once and small: it shows that each part runs, and measures nothing."""
        return cls(gradable, tiny, one, repeats=1, students=20, whole_class=3, tiny_class=6)


def run_program(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Runs a program in a folder and returns its output; raises BenchmarkError with the end of what it says if it
    fails."""
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise failed(command, done.stderr or done.stdout)
    return done.stdout


def failed(command: Sequence[str | Path], said: str) -> BenchmarkError:
    """The error of a program that has failed, with the end of what it said."""
    return BenchmarkError(
        f"{Path(command[0]).name} {' '.join(map(str, command[1:4]))} failed: {' '.join(said.split())[-400:]}"
    )


def quiet_tensorflow() -> dict[str, str]:
    """The environment of a program in which TensorFlow computes like gradetape's workers, and says little."""
    return os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "-1"}


def seconds(work: Callable[[], object]) -> float:
    """The duration of one call in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def spread(values: Sequence[float], unit: str, scale: float = 1.0) -> str:
    """The median, with minimum and maximum."""
    low, middle, high = (scale * value for value in (min(values), statistics.median(values), max(values)))
    return f"{middle:.3g} {unit} ({low:.3g} to {high:.3g})"


def unique_mb(pid: int | str) -> float:
    """Memory that a process shares with no other process, in MiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty"))) / 1024


def unique_mb_now(pid: int) -> float:
    """The same of a process that may have ended, which has none."""
    try:
        return unique_mb(pid)
    except OSError:
        return 0.0


def descendants(pid: int) -> list[int]:
    """All descendants of a process."""
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
    return [each for child in children for each in (child, *descendants(child))]
