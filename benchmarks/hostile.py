"""Compares `otter run` and gradetape on hostile notebooks: points gained and secrets found.

    python -m benchmarks.hostile [NAME...]

Otter runs a submission in the process that holds the hidden tests, as the calling user. Here that is the user nobody,
in separate namespaces without a network, in a temporary folder, with limits on time, processes, memory and files, and a
course whose secrets are generated for this run. Attacks that could still harm the machine are not run with otter: bombs
of processes, memory, threads and files. Needs root, for the namespaces.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table

from benchmarks import with_otter
from examples.hostile.corpus import Entry, entries, manifest, write
from examples.hostile.findings import Secrets
from examples.hostile.trial import NOBODY, _course, trial
from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment

NAMES = (
    "reads_likely_paths", "reads_the_environment", "searches_the_modules", "searches_the_garbage_collector",
    "climbs_the_frames", "reads_its_own_memory", "patches_assert", "patches_numpy", "patches_keras_and_tensorflow",
    "patches_builtins", "replaces_the_modules", "is_equal_to_everything", "lies_as_an_array", "comes_as_a_subclass",
    "forges_the_notebooks_own_grader", "writes_pages_of_its_own", "leaves_at_once", "leaves_with_exit",
    "loops_in_a_cell", "sleeps",
)  # fmt: skip
PATIENCE_S = 100
LIMITS = ("--nproc=200", "--data=6000000000", "--fsize=100000000", "--core=0", f"--cpu={PATIENCE_S}")
CONFINED = (
    "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--net", "--ipc", "--uts",
    "sh", "-c", 'ip link set lo up && exec "$@"', "sh",  # Jupyter talks to its kernel over this
    "timeout", "--signal=KILL", str(PATIENCE_S),  # the first process inside: when it ends, all the others end
    "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs", "--bounding-set=-all",
    "prlimit", *LIMITS,
)  # fmt: skip


class Ended(NamedTuple):
    """The result of `otter run` on one notebook: its points, or None without a result, and whether a secret leaked."""

    points: float | None
    leaked: bool
    how: str


def through_otter(path: Path, zipped: Path, folder: Path, drawn: Secrets) -> Ended:
    """Runs one notebook, confined."""
    shutil.copy(path, folder / "submission.ipynb")
    shutil.copy(zipped, folder / "autograder.zip")
    for each in (folder, *folder.iterdir()):
        os.chown(each, NOBODY, NOBODY)
    changed = {"HOME": str(folder), "TMPDIR": str(folder), "GRADETAPE_CANARY": drawn.canary}
    line = [*CONFINED, sys.executable, "-m", "otter", "run", "submission.ipynb", "-a", "autograder.zip"]
    done = subprocess.run(line, cwd=folder, env=os.environ | changed, capture_output=True, check=False)
    texts = [done.stdout, done.stderr, *(file.read_bytes() for file in folder.rglob("told") if file.is_file())]
    leaked = any(drawn.canary.encode() in text for text in texts)
    results = folder / "results.json"
    if done.returncode in (124, 128 + signal.SIGKILL):
        return Ended(None, leaked, f"still running after {PATIENCE_S} s")
    if not results.is_file():
        return Ended(None, leaked, f"no result, exit status {done.returncode}")
    tests = json.loads(results.read_text())["tests"]
    leaked = leaked or drawn.canary in results.read_text()
    return Ended(sum(float(test.get("score", 0)) for test in tests), leaked, "a result")


def with_otter_alone(names: tuple[str, ...]) -> dict[str, tuple[Entry, Ended, Ended]]:
    """The result of each attack, and of its base without the attack."""
    drawn, chosen = Secrets.drawn(), [entry for entry in entries(manifest(), names) if entry.attack]
    found: dict[str, tuple[Entry, Ended, Ended]] = {}
    with tempfile.TemporaryDirectory(prefix="hostile-otter-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        gradable = GradableAssignment.open(courses.find(_course(folder / "course", drawn)), "target")
        (folder / "course").chmod(0o700)
        (folder / "zip").mkdir()
        zipped, _ = with_otter.autograder(gradable, folder / "zip")
        bases = [Entry(900 + number, base, base) for number, base in enumerate(manifest().assignments["target"])]
        write([*chosen, *bases], folder / "all")
        alone: dict[str, Ended] = {}
        for entry in (*bases, *chosen):
            own = folder / entry.id
            own.mkdir()
            ended = through_otter(folder / "all" / f"{entry.id}.ipynb", zipped, own, drawn)
            if entry.attack is None:
                alone[entry.base] = ended
            else:
                found[entry.name] = (entry, ended, alone[entry.base])
            print(entry.name, ended, file=sys.stderr, flush=True)
    return found


def verdict_on(ended: Ended, alone: Ended) -> str:
    """The result of an attack, in words."""
    forged = ended.points is not None and ended.points > (alone.points or 0.0)
    parts = [f"{ended.points:g} points instead of {alone.points or 0:g}"] if forged else []
    parts += ["a secret"] if ended.leaked else []
    parts += [ended.how] if ended.points is None else []
    return "; ".join(parts) or "nothing"


@click.command(help=__doc__)
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Prints a table of both graders' results."""
    if os.geteuid() != 0:
        raise click.UsageError("this needs root, to confine what otter runs")
    chosen = names or NAMES
    report = trial(only=chosen)
    ours = {row.entry.name: row for row in report.rows}
    table = Table("notebook", "attack", "result with otter run", "result with gradetape")
    for name, (entry, ended, alone) in with_otter_alone(chosen).items():
        assert entry.attack is not None
        table.add_row(name, entry.attack.tries, verdict_on(ended, alone), "; ".join(ours[name].problems) or "nothing")
    Console(width=160).print(table)
    Console(soft_wrap=True).print(f"gradetape's batch: {report.others or 'no problems'}", markup=False)


if __name__ == "__main__":
    main()
