"""Grades the examples on a GPU and writes the timings to docs/gpu-check.md: `make gpu-check`.

It builds the image on its published base if it is missing, grades once on the CPU, and on one card with 1, 2, 4 and 8
workers, and compares every verdict. Exit status 1: a verdict differs, or TensorFlow saw no GPU.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

from gradetape.errors import GradetapeError
from gradetape.runtime import devices
from gradetape.runtime.container import find, image_id

ROOT = Path(__file__).parents[1]
IMAGE, ASSIGNMENT = "localhost/gradetape:latest", "custom-training"
EXAMPLES = ROOT / "examples" / "submissions"
GRADETAPE = Path(sys.executable).with_name("gradetape")
WORKERS = (1, 2, 4, 8)
CARD = "0"
TITLES = (
    "workers on one card", "seconds per submission", "submissions per minute", "MiB of the card per worker",
    "verdicts as on the CPU",
)  # fmt: skip
REPORT = ROOT / "docs" / "gpu-check.md"


class Run(NamedTuple):
    """A batch: its JSON output, its duration, and the peak memory of the card in MiB."""

    output: dict[str, Any]
    seconds: float
    peak_mb: int


def verdicts(run: Run) -> dict[tuple[str, str, str], str]:
    """The verdict of each check."""
    return {
        (each["student"], question_id, check["name"]): check["verdict"]
        for each in run.output["submissions"]
        for question_id, question in each["questions"].items()
        for check in question["checks"]
    }


def grade(device: str, workers: int) -> Run:
    """Grades the examples in containers, into a temporary folder."""
    with tempfile.TemporaryDirectory() as folder, Meter() as meter:
        course = Path(folder, "course")
        for part in ("assignments", "solutions", "autograder"):
            shutil.copytree(ROOT / part, course / part)
        (course / "grader_config.yml").write_text(f"workers_per_gpu: {workers}\ncontainer: {{image: {IMAGE}}}\n")
        began = time.monotonic()
        run = subprocess.run(
            [
                GRADETAPE, "grade", EXAMPLES, "--assignment", ASSIGNMENT, "--json", "--isolation", "container",
                "--device", device, "--workers", str(workers), "--out", Path(folder, "results"),
            ],
            cwd=course, stdout=subprocess.PIPE, text=True, env=os.environ | {"CUDA_VISIBLE_DEVICES": CARD},
        )  # fmt: skip
        if run.returncode != 0:
            raise SystemExit(f"grading on {device} with {workers} workers ended with {run.returncode}")
        return Run(json.loads(run.stdout), time.monotonic() - began, meter.peak_mb)


class Meter:
    """Measures the peak memory of the first card while its block runs."""

    def __init__(self) -> None:
        self.peak_mb = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._measure)

    def _measure(self) -> None:
        query = ["nvidia-smi", f"--id={CARD}", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
        while not self._done.wait(0.5):
            used = subprocess.run(query, capture_output=True, text=True).stdout.strip()
            self.peak_mb = max(self.peak_mb, int(used) if used.isdecimal() else 0)

    def __enter__(self) -> Meter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def rows(runs: dict[int, Run], cpu: Run) -> list[str]:
    """The rows of the table, one for each number of workers."""
    found = []
    for workers, run in runs.items():
        each = run.seconds / len(run.output["submissions"])
        wrong = sum(verdict != verdicts(cpu).get(check) for check, verdict in verdicts(run).items())
        same = "yes" if not wrong else f"{wrong} differ"
        found.append(f"| {workers} | {each:.1f} | {60 / each:.1f} | {run.peak_mb // workers} | {same} |")
    return found


def main() -> int:
    """Builds, grades, compares, and writes the report."""
    found = devices.choose("gpu", devices.discover())
    engine = find("auto")
    try:
        image_id(engine, IMAGE)
    except GradetapeError:
        subprocess.run([GRADETAPE, "image", "build"], cwd=ROOT, check=True)
    cpu = grade("cpu", 2)
    runs = {workers: grade("gpu", workers) for workers in WORKERS}
    table = rows(runs, cpu)
    REPORT.write_text(
        f"# The GPU check\n\n{datetime.date.today()}, {found[0].name}, {engine.name}: the examples, in containers.\n\n"
        f"| {' | '.join(TITLES)} |\n{'|---' * len(TITLES)}|\n" + "\n".join(table) + "\n"
    )
    print(REPORT.read_text())
    return 0 if all(line.endswith("| yes |") for line in table) else 1


if __name__ == "__main__":
    sys.exit(main())
