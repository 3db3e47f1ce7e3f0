"""Timing and memory measurements for the benchmarks."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class BenchmarkError(Exception):
    """A part of the benchmarks cannot run; the text says why."""


def run_program(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Runs a program in a folder and returns its output; raises BenchmarkError with the end of what it says if it
    fails."""
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-400:]
        raise BenchmarkError(f"{Path(command[0]).name} {' '.join(map(str, command[1:4]))} failed: {said}")
    return done.stdout


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


def descendants(pid: int) -> list[int]:
    """All descendants of a process."""
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
    return [each for child in children for each in (child, *descendants(child))]
