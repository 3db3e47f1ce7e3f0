"""Compares a batch in containers with the same batch in namespaces, alternating.

`python -m benchmarks.containers IMAGE [REPEATS]` grades one submission many times with the real command. For each
isolation it prints the time from the command to the first verdict, and the submissions per minute after that: only the
first number includes the start of a container.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import nbformat

from benchmarks.measure import spread

ROOT = Path(__file__).parents[1]
SUBMISSION = ROOT / "examples" / "submissions" / "perfect_and_terse.ipynb"
COUNT, WORKERS = 8, 2
ISOLATIONS = ("namespaces", "container")
_VERDICT = re.compile(rf"^\d+/{COUNT} ")


class Timed(NamedTuple):
    """A batch: seconds from the command to its first verdict, and submissions per minute after it."""

    first_s: float
    per_minute: float


def course(folder: Path, image: str) -> Path:
    """Copies this course, set up to grade in the image, with a class that submits nearly the same notebook."""
    for part in ("assignments", "solutions", "autograder"):
        shutil.copytree(ROOT / part, folder / part)
    (folder / "grader_config.yml").write_text(f"container: {{image: {image}}}\n")
    (folder / "class").mkdir()
    for number in range(COUNT):
        made = nbformat.read(SUBMISSION, as_version=4)
        made.cells.append(nbformat.v4.new_code_cell(f"# {number}"))  # the same cells would be graded once
        nbformat.write(made, folder / "class" / f"student_{number:02}.ipynb")
    return folder


def batch(folder: Path, isolation: str) -> Timed:
    """Grades the class once, into a temporary folder."""
    with tempfile.TemporaryDirectory() as out:
        argv = [
            Path(sys.executable).with_name("gradetape"), "grade", "class", "--assignment", "custom-training",
            "--out", out, "--isolation", isolation, "--device", "cpu", "--workers", str(WORKERS),
        ]  # fmt: skip
        start, ends = time.monotonic(), []
        with subprocess.Popen(argv, cwd=folder, stderr=subprocess.PIPE, text=True) as grader:
            assert grader.stderr
            for line in grader.stderr:
                if _VERDICT.match(line):
                    ends.append(time.monotonic() - start)
        if grader.returncode or len(ends) != COUNT:
            raise SystemExit(f"grading with {isolation} ended with {grader.returncode} after {len(ends)} submissions")
    return Timed(ends[0], 60 * (COUNT - 1) / (ends[-1] - ends[0]))


def main() -> None:
    """Alternates between the isolations and prints both."""
    image, repeats = sys.argv[1], int((sys.argv[2:] or ["3"])[0])
    with tempfile.TemporaryDirectory() as made:
        folder = course(Path(made), image)
        runs = [[batch(folder, isolation) for isolation in ISOLATIONS] for _ in range(repeats)]
    for isolation, timed in zip(ISOLATIONS, zip(*runs, strict=True), strict=True):
        first, rate = (
            spread([each.first_s for each in timed], "s"),
            spread([each.per_minute for each in timed], "a minute"),
        )
        print(f"{isolation}: the first verdict after {first}, then {rate}")
    ratio = statistics.median(namespaces.per_minute / container.per_minute for namespaces, container in runs)
    print(f"after the start a batch in containers takes {ratio:.3f} times as long (target: 1.03)")


if __name__ == "__main__":
    main()
