"""`python -m benchmarks.births OTHER [--repeats N]`: what a worker costs here and in another checkout, in pairs.

OTHER is the folder of a checkout with a `.venv` of its own, such as a worktree of an older commit. Each round makes a
worker in one and then in the other, which comes first alternates, and the differences are of pairs: a machine that is
busy slows both. The goal for IPython in each worker is a difference of less than 10 ms.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Self

import click
from rich.console import Console
from rich.table import Table

from benchmarks.measure import ROOT, BenchmarkError, spread

GOAL = "10 ms"
Birth = tuple[float, float, float]
WHAT = (
    ("a worker's birth and first reply", "ms", 1e3, GOAL),
    ("the same with a cell, to the first answer", "ms", 1e3, ""),
    ("the worker's own memory then", "MiB", 1.0, ""),
)


class Checkout:
    """A zygote of a checkout, which makes workers when it is asked to. A context manager."""

    def __init__(self, root: Path) -> None:
        self.root = root
        python = root / ".venv" / "bin" / "python"
        if not python.exists():
            raise BenchmarkError(f"{root} has no .venv/bin/python: make one there (make setup)")
        self._process = subprocess.Popen(
            [python, ROOT / "benchmarks" / "worker_births.py"], cwd=root, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )  # fmt: skip

    def wait_ready(self) -> None:
        """Waits for its imports."""
        self._read()

    def birth(self) -> Birth:
        """What one more worker costs: seconds to the first reply, seconds to an answer, MiB."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        first, answered, memory = self._read()
        return first, answered, memory

    def _read(self) -> list[float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkError(f"the workers of {self.root} cannot be measured: see what was printed above")
        found: list[float] = json.loads(line)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def pairs(here: Checkout, other: Checkout, repeats: int) -> list[tuple[Birth, Birth]]:
    """Births here and in the other checkout, after one of each that is not counted."""
    here.birth(), other.birth()
    found = []
    for number in range(repeats):
        if number % 2:
            theirs, own = other.birth(), here.birth()
        else:
            own, theirs = here.birth(), other.birth()
        found.append((own, theirs))
    return found


def rows(measured: list[tuple[Birth, Birth]]) -> list[tuple[str, str, str, str, str]]:
    """For each thing that is measured: here, there, the difference of pairs, and the goal for it."""
    found = []
    for place, (what, unit, scale, goal) in enumerate(WHAT):
        own, theirs = ([pair[side][place] for pair in measured] for side in (0, 1))
        more = [one - other for one, other in zip(own, theirs, strict=True)]
        found.append((what, spread(own, unit, scale), spread(theirs, unit, scale), spread(more, unit, scale), goal))
    return found


@click.command(help=__doc__)
@click.argument("other", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--repeats", default=30, show_default=True, type=click.IntRange(1), help="Pairs of workers.")
def main(other: Path, repeats: int) -> None:
    """Measures, and prints a table."""
    try:
        with Checkout(ROOT) as here, Checkout(other.resolve()) as there:
            here.wait_ready()
            there.wait_ready()
            measured = pairs(here, there, repeats)
    except BenchmarkError as problem:
        sys.exit(str(problem))
    table = Table("What: median (min to max)", "here", "there", "difference", "goal", title=f"{repeats} pairs")
    for row in rows(measured):
        table.add_row(*row)
    Console(width=140).print(table)
    less = statistics.mean(own[0] < theirs[0] for own, theirs in measured)
    Console().print(f"here was faster in {less:.0%} of the pairs")


if __name__ == "__main__":
    main()
