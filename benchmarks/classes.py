"""Whole classes with the real command: the first run, the memory of the supervisor, and what a change costs."""

from __future__ import annotations

import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat

from benchmarks.measure import BenchmarkError, Row, Setting, failed, seconds, unique_mb_now
from gradetape.course.gradable import GradableAssignment
from gradetape.gradebook import Gradebook

_COURSE = ("grader_config.yml", "assignments", "solutions", "autograder")
_LOOK_S = 0.25
_LEAST = 3
# What a class costs more than its submissions, as a factor: the regrades, and a busier machine. One changed check file
# is half of a tiny assignment's checks.
_RESERVE, _RESERVE_TINY = 1.5, 2.2


@dataclass(frozen=True)
class Moment:
    """A look at a running command: seconds since its start, submissions graded so far, MiB of the supervisor."""

    at: float
    graded: int
    memory: float


@dataclass(frozen=True)
class Batch:
    """A run of `grade`: its seconds, and the moments at which it was looked at."""

    seconds: float
    moments: tuple[Moment, ...]

    def when(self, graded: int) -> Moment:
        """The first look at which so many submissions were graded."""
        return next((moment for moment in self.moments if moment.graded >= graded), self.moments[-1])

    def per_submission(self) -> float:
        """Seconds for each submission, without the first tenth, in which the command starts."""
        count = self.moments[-1].graded
        return self.between(count // 10, count)

    def between(self, begin: int, end: int) -> float:
        """Seconds for each submission from the one number of graded ones to the other."""
        first, last = self.when(max(1, begin)), self.when(max(1, end))
        return (last.at - first.at) / max(1, last.graded - first.graded)


class Class:
    """A copy of a course, with notebooks of students in its folder `in`; a student's cells are nobody else's."""

    def __init__(self, gradable: GradableAssignment, root: Path) -> None:
        self._gradable = gradable
        self.root = copy_of(gradable, root)
        self._handed_in = 0

    def hand_in(self, count: int) -> None:
        """Adds the reference as notebooks that differ in a comment: the same cells would be graded once."""
        folder = self.root / "in"
        folder.mkdir(exist_ok=True)
        for number in range(self._handed_in, self._handed_in + count):
            cells = [nbformat.v4.new_code_cell(cell.source) for cell in self._gradable.reference]
            cells.append(nbformat.v4.new_code_cell(f"# {number}"))
            nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / f"student_{number:05}.ipynb")
        self._handed_in += count

    def grade(self, workers: int, out: str = "results") -> Batch:
        """Runs the command, and looks at it from outside; raises BenchmarkError if it fails."""
        command = [
            str(Path(sys.executable).with_name("gradetape")), "grade", "in", "--assignment",
            self._gradable.assignment.name, "--workers", str(workers), "--out", out,
        ]  # fmt: skip
        start, moments = time.perf_counter(), list[Moment]()
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen(command, cwd=self.root, stdout=said, stderr=said)
            while process.poll() is None:
                now = time.perf_counter() - start
                moments.append(Moment(now, _graded(self.book(out)), unique_mb_now(process.pid)))
                time.sleep(_LOOK_S)
            taken = time.perf_counter() - start
            said.seek(0)
            if process.returncode:
                raise failed(command, said.read())
        last = moments[-1].memory if moments else 0.0
        return Batch(taken, (*moments, Moment(taken, _graded(self.book(out)), last)))

    def book(self, out: str = "results") -> Path:
        """The gradebook of a results folder."""
        return self.root / out / "gradebook.sqlite"

    def check_seconds(self, out: str = "results") -> float:
        """The seconds of a submission's checks, as the gradebook has them: the median."""
        with Gradebook.open(self.book(out)) as book:
            grades = book.latest(self._gradable.assignment.name)
        return statistics.median(sum(result.seconds for result in grade.results) for grade in grades)

    def question_rows(self, out: str = "results") -> Iterator[Row]:
        """The checks of each question, and the longest of them: medians of the class."""
        with Gradebook.open(self.book(out)) as book:
            grades = book.latest(self._gradable.assignment.name)
        for question in self._gradable.assignment.question_ids:
            whole = statistics.median(sum(result.seconds for result in grade.of(question)) for grade in grades)
            times: dict[str, list[float]] = {}
            for grade in grades:
                for result in grade.of(question):
                    times.setdefault(result.check.name, []).append(result.seconds)
            medians = {name: statistics.median(found) for name, found in times.items()}
            longest = max(medians, key=medians.__getitem__)
            yield f"{question}, all its checks", f"{whole:.2f} s; {longest}: {medians[longest]:.2f} s", "longest 2.5 s"

    def regraded(self, setting: Setting, question: str, goals: dict[str, str], first: float) -> Iterator[Row]:
        """The same command again after nothing, one hint, and the code of one check file have changed.

        `first` is how many seconds it takes to grade all of them for the first time.
        """
        hidden = self._gradable.answer_key.hidden_checks(question)
        file = self.root / hidden.relative_to(self._gradable.course.root)
        changes: dict[str, Callable[[str], str]] = {
            "nothing has changed": lambda text: text,
            "a hint has changed": _other_hint,
            f"one check file has changed ({question})": _other_check,
        }
        for name, change in changes.items():
            with _changed(file, change):
                taken = seconds(lambda: self.grade(setting.workers))
            ratio = f"{taken:.1f} s ({taken / first:.3f} of the first run)"
            yield f"{self._handed_in} submissions again, {name}", ratio, goals.get(name.partition(" (")[0], "")


def whole(setting: Setting) -> list[Row]:
    """Submissions of the whole assignment: 1, then 10 and 50 more, and all again after a change."""
    with _class_of(setting.gradable) as large:
        large.hand_in(1)
        one = large.grade(setting.workers)
        size, note = fitting(setting, setting.whole_class, large.check_seconds() * _RESERVE)
        large.hand_in(size)
        batch = large.grade(setting.workers)
        goals = {
            "nothing has changed": "2 s", "a hint has changed": "2 s", "one check file has changed": "1/8 (0.125)"
        }  # fmt: skip
        ten = [(f"10 of {size}, until the tenth grade", f"{batch.when(11).at:.1f} s", "")] if size > 10 else []
        return [
            ("1 submission, from the command to its page, with the proof of the checks", f"{one.seconds:.1f} s", ""),
            *ten,
            (f"{size} submissions more{note}", f"{batch.seconds:.1f} s", ""),
            *_growth(batch),
            *large.regraded(setting, setting.one, goals, batch.seconds * (size + 1) / size),
            *large.question_rows(),
        ]


def tiny(setting: Setting) -> list[Row]:
    """Submissions of a tiny assignment: what the grader itself costs."""
    with _class_of(setting.tiny) as alone, _class_of(setting.tiny) as large:
        alone.hand_in(max(2, setting.tiny_class // 10))
        one = alone.grade(1)
        size, note = fitting(setting, setting.tiny_class, one.per_submission() * _RESERVE_TINY)
        large.hand_in(size)
        batch = large.grade(setting.workers)
        own = setting.workers * batch.per_submission() - large.check_seconds()
        goals = {"nothing has changed": "5 s", "a hint has changed": "5 s"}
        question = setting.tiny.assignment.question_ids[0]
        return [
            (f"{size} tiny submissions{note}, {setting.workers} workers", f"{batch.seconds:.1f} s", ""),
            ("a worker's time for one, its checks excepted", f"{own * 1e3:.0f} ms", "60 ms"),
            ("the same, the first half", f"{_half(batch, setting, first=True) * 1e3:.0f} ms", ""),
            ("the same, the second half", f"{_half(batch, setting, first=False) * 1e3:.0f} ms", "as the first"),
            (
                f"{setting.workers} workers / one worker, submissions in the same time",
                f"{one.per_submission() / batch.per_submission():.2f}", "1.8",
            ),
            *_growth(batch),
            *large.regraded(setting, question, goals, batch.seconds),
        ]  # fmt: skip


def _half(batch: Batch, setting: Setting, *, first: bool) -> float:
    """A worker's seconds for one submission of a half of a class, its checks included."""
    count = batch.moments[-1].graded
    begin, end = (count // 10, count // 2) if first else (count // 2, count)
    return setting.workers * batch.between(begin, end)


def _growth(batch: Batch) -> list[Row]:
    """How much the supervisor's memory grew between the first tenth and the end."""
    before, count = batch.moments[0].graded, batch.moments[-1].graded
    first, last = batch.when(max(before + 1, count // 10)), batch.when(count)
    what = f"the supervisor's memory after {first.graded} and after {last.graded} submissions"
    return [(what, f"{first.memory:.0f} and {last.memory:.0f} MiB", "flat")]


def fitting(setting: Setting, wanted: int, submission_s: float) -> tuple[int, str]:
    """How many submissions the time allows, if each takes a worker so long; a note if these are fewer than wanted."""
    if setting.until is None:
        return wanted, ""
    left = setting.until - time.monotonic()
    most = int(left * setting.workers / submission_s) if submission_s else wanted
    size = max(_LEAST, min(wanted, most))
    return size, "" if size == wanted else f" ({wanted} do not fit into the time)"


@contextmanager
def _class_of(gradable: GradableAssignment) -> Iterator[Class]:
    with tempfile.TemporaryDirectory(prefix="gradetape-bench-") as made:
        yield Class(gradable, Path(made) / "course")


def copy_of(gradable: GradableAssignment, folder: Path) -> Path:
    folder.mkdir()
    for name in _COURSE:
        source = gradable.course.root / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.is_file():
            shutil.copy(source, folder / name)
    return folder


def _graded(book: Path) -> int:
    """The number of attempts in a gradebook that another process writes."""
    try:
        with closing(sqlite3.connect(f"file:{book}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM attempts").fetchone()[0])
    except sqlite3.Error:
        return 0


@contextmanager
def _changed(file: Path, change: Callable[[str], str]) -> Iterator[None]:
    before = file.read_text(encoding="utf-8")
    file.write_text(change(before), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(before, encoding="utf-8")


def _other_hint(text: str) -> str:
    """The text with another hint at its first check that has one."""
    reworded, count = re.subn(r"@hint\(\s*\"", lambda found: f"{found[0]}Reworded: ", text, count=1)
    if not count:
        raise BenchmarkError("the check file has no hint that could be reworded")
    return reworded


def _other_check(text: str) -> str:
    return f"{text}\n\nUNUSED = 1\n"
