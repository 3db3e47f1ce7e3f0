"""Kills the parts of a grader at random moments, and shows that nothing is lost.

    python -m tests.torture [--blows 100] [--seed N]

A batch is graded with the real command while its processes are killed with SIGKILL, its gradebook is locked by another
program, its disk fills up (as root: on a tmpfs), or the power fails between two writes (the results folder as it stands
at that moment, with the end of the log cut off, takes the place of the real one). After each end the same command is
run again. In the end every submission has one done attempt, with the points that it deserves, and nothing is left of
the grader on the machine.

A worker that was killed cannot be distinguished from one that its own code ended: a blow that hits a worker may cost
its check, and no more than that.
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import click
import psutil
from rich.console import Console
from rich.table import Table

from gradetape.gradebook import Gradebook
from gradetape.records import Grade, Verdict
from tests.books import attempts
from tests.course import DOUBLE, HALVE, command, notebook, tiny
from tests.leftovers import groups_left
from tests.processes import parts, until

STUDENTS = 16
KILLS = ("supervisor", "judge server", "judge child", "zygote", "outer", "init", "worker")
OTHERS = ("lock", "power")
PATIENCE_S = 240.0
_SUBREAPER = 36  # prctl: what a killed grader leaves becomes our child, and can be seen


@dataclass
class Batch:
    """A course with submissions, in a folder of its own; and what has befallen it."""

    folder: Path
    disk: bool = False
    runs: int = 0
    blows: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    charged: int = 0

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def start(self) -> subprocess.Popen[bytes]:
        """The command, at work."""
        self.runs += 1
        line = command("grade", "in", "--workers", "2", "--out", self.results)
        environment = os.environ | {"TMPDIR": str(self.folder / "tmp")}
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(line, cwd=self.folder / "course", env=environment, stdout=log, stderr=log)


@contextmanager
def batch(parent: Path) -> Iterator[Batch]:
    """A fresh batch; its results lie on a small disk of their own where that can be had."""
    folder = Path(tempfile.mkdtemp(prefix="torture-", dir=parent))
    tiny(folder / "course")
    for name in ("course/in", "tmp", "results"):
        (folder / name).mkdir()
    for number in range(STUDENTS):
        # Each student has cells of their own: the same ones would be judged once.
        cells = (DOUBLE, HALVE, f"import time\ntime.sleep(0.{number % 4})", f"# {number}")
        (folder / "course" / "in" / f"s{number:02}.ipynb").write_text(notebook(*cells))
    made = Batch(folder, disk=_mount(folder / "results"))
    try:
        yield made
    finally:
        if made.disk:
            subprocess.run(["umount", "-l", made.results], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _mount(folder: Path) -> bool:
    if os.geteuid() != 0:
        return False
    line = ["mount", "-t", "tmpfs", "-o", "size=4m", "torture", folder]
    return subprocess.run(line, capture_output=True, check=False).returncode == 0


def torture(blows: int, seed: int, parent: Path, console: Console) -> list[Batch]:
    """As many blows as asked for, over as many batches as that takes."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1)
    chance, batches = random.Random(seed), []
    kinds = [kind for _ in range(blows // 8 + 1) for kind in chance.sample(KILLS + OTHERS, len(KILLS + OTHERS))]
    if os.geteuid() == 0:
        kinds[:: len(KILLS) + 3] = ["disk"] * len(kinds[:: len(KILLS) + 3])
    left = kinds[:blows]
    while left:
        with batch(parent) as one:
            while left and not _whole(one):
                left = left[_round(one, left, chance, console) :]
            _finish(one)
            _judge(one)
            batches.append(one)
            log = (one.folder / "log").read_text(errors="replace")
            one.problems += ["a traceback in what the command says"] if "Traceback" in log else []
            if one.problems:
                console.print(log[-3000:], markup=False)
    return batches


def _round(one: Batch, left: list[str], chance: random.Random, console: Console) -> int:
    """One run of the command, and the blows that fall until it ends; how many did."""
    grader, fallen = one.start(), 0
    while fallen < len(left) and grader.poll() is None:
        early = fallen == 0 and chance.random() < 0.25
        wait = chance.uniform(0.1, 6.0) if early else chance.uniform(0.0, 1.0)
        if not early and not _at_work(grader):
            break
        with suppress(subprocess.TimeoutExpired):
            grader.wait(wait)
            break
        if _blow(one, grader, left[fallen], chance):
            console.print(f"{one.runs}: {left[fallen]}", markup=False)
            one.blows[left[fallen]] += 1
            fallen += 1
    _wait(one, grader)
    _restore(one)
    return fallen


def _at_work(grader: subprocess.Popen[bytes]) -> bool:
    """Waits until workers are there, or the command ends."""
    with suppress(TimeoutError):
        until(lambda: parts(grader.pid)["worker"] or grader.poll() is not None, PATIENCE_S)
    return grader.poll() is None


def _blow(one: Batch, grader: subprocess.Popen[bytes], kind: str, chance: random.Random) -> bool:
    """Whether there was anything to hit."""
    if kind == "lock":
        return _lock(one, chance.uniform(0.5, 3.0))
    if kind == "power":
        return _fail_power(one, grader, chance)
    if kind == "disk":
        return _fill(one)
    victims = parts(grader.pid)[kind]
    if victims:
        with suppress(ProcessLookupError):
            os.kill(chance.choice(victims), signal.SIGKILL)
    return bool(victims) or kind not in ("judge server", "supervisor", "zygote")


def _lock(one: Batch, seconds: float) -> bool:
    book = one.results / "gradebook.sqlite"
    if not book.exists():
        return False
    with closing(sqlite3.connect(book, isolation_level=None, timeout=5)) as other, suppress(sqlite3.OperationalError):
        other.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        other.execute("ROLLBACK")
    return True


def _fail_power(one: Batch, grader: subprocess.Popen[bytes], chance: random.Random) -> bool:
    """The moment stands still while the disk is copied; what was written last may not have reached it."""
    copy = one.folder / "as it was"
    grader.send_signal(signal.SIGSTOP)
    shutil.copytree(one.results, copy)
    grader.kill()
    grader.wait()
    log = copy / "gradebook.sqlite-wal"
    if log.exists() and log.stat().st_size:
        os.truncate(log, chance.randint(0, log.stat().st_size))
    (copy / "gradebook.sqlite-shm").unlink(missing_ok=True)
    _empty(one.results)
    shutil.copytree(copy, one.results, dirs_exist_ok=True)
    shutil.rmtree(copy)
    return True


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _fill(one: Batch) -> bool:
    if not one.disk:
        return False
    with suppress(OSError), (one.results / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 1024)
    return True


def _restore(one: Batch) -> None:
    (one.results / "filler").unlink(missing_ok=True)


def _wait(one: Batch, grader: subprocess.Popen[bytes]) -> None:
    try:
        grader.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        one.problems.append(f"run {one.runs} did not end")
        grader.kill()
        grader.wait()


def _finish(one: Batch) -> None:
    """The same command, undisturbed, until it has nothing left to do."""
    for _ in range(3):
        grader = one.start()
        _wait(one, grader)
        if grader.returncode == 0:
            return
    one.problems.append(f"the command ends with exit status {grader.returncode}, even without further kills")


def _done(one: Batch) -> list[list[Grade]]:
    """Each student's done grades."""
    book = one.results / "gradebook.sqlite"
    if not book.exists():
        return [[]]
    with Gradebook.open(book) as opened:
        found = [attempts(opened, "tiny", f"s{number:02}") for number in range(STUDENTS)]
    grades = [[each.record for each in kept if isinstance(each.record, Grade)] for kept in found]
    return [[grade for grade in mine if not grade.attention] for mine in grades]


def _whole(one: Batch) -> bool:
    return all(_done(one))


def _judge(one: Batch) -> None:
    """What is wrong with how the batch ended."""
    for number, done in enumerate(_done(one)):
        if len(done) != 1:
            one.problems.append(f"s{number:02} has {len(done)} done grades")
        short = [grade for grade in done if grade.points != grade.max_points]
        one.charged += len(short)
        one.problems += [f"s{number:02} has {grade.points:g} points" for grade in short if not _crashed(grade)]
    if one.charged > one.blows["worker"]:
        one.problems.append(f"{one.charged} submissions were charged, and {one.blows['worker']} workers were hit")
    with closing(sqlite3.connect(one.results / "gradebook.sqlite")) as connection:
        answer = connection.execute("PRAGMA integrity_check").fetchone()[0]
        claims = connection.execute("SELECT count(*) FROM claims").fetchone()[0]
    one.problems += [] if answer == "ok" else [f"the gradebook: {answer}"]
    one.problems += [f"{claims} claims are left"] if claims else []
    one.problems += _left(one)


def _crashed(grade: Grade) -> bool:
    return any(result.verdict is Verdict.CRASHED for result in grade.results) or any(
        event.kind == "quarantined" for event in grade.events
    )


def _left(one: Batch) -> list[str]:
    """What is left on the machine: processes, temporary files, mounts, control groups."""
    with suppress(TimeoutError):
        until(lambda: not _orphans(), 20)
    found = [f"the process {pid} is left" for pid in _orphans()]
    found += [f"{path} is left" for path in (one.folder / "tmp").iterdir()]
    found += [f"{path} is left" for path in one.results.iterdir() if path.name.startswith(".")]
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    found += [f"the mount {mount} is left" for mount in mounts if mount.startswith(str(one.folder / "tmp"))]
    return found + [f"{group} is left" for group in groups_left()]


def _orphans() -> list[int]:
    """What became our child because its parent was killed, and still runs."""
    for child in psutil.Process().children():
        with suppress(ChildProcessError):
            os.waitpid(child.pid, os.WNOHANG)
    return [child.pid for child in psutil.Process().children(recursive=True)]


@click.command(help=__doc__)
@click.option("--blows", default=100, show_default=True)
@click.option("--seed", type=int, default=None, help="Repeats a run, as far as the machine's own timing allows.")
def main(blows: int, seed: int | None) -> None:
    """Prints a table."""
    seed, console, began = seed if seed is not None else int(time.time()), Console(soft_wrap=True), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="torture-", ignore_cleanup_errors=True) as folder:
        batches = torture(blows, seed, Path(folder), Console(stderr=True))
    table = Table("blow", "how often", title=f"seed {seed}", caption=f"{time.monotonic() - began:.0f} s")
    for kind, count in sorted(sum((one.blows for one in batches), Counter()).items()):
        table.add_row(kind, str(count))
    console.print(table)
    problems = [problem for one in batches for problem in one.problems]
    runs, charged = sum(one.runs for one in batches), sum(one.charged for one in batches)
    console.print(
        f"{len(batches)} batches of {STUDENTS} submissions, {runs} runs of the command, {charged} submissions charged "
        f"for a worker that was hit, {len(problems)} problems."
    )
    console.print("\n".join(problems), markup=False)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
