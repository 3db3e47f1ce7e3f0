"""Grades the corpus with the real command and looks for problems.

Secrets are generated for each trial. The *canary* is in the hidden checks, the reference, the configuration, the
gradebook, the other students' submissions, and the command line, environment and home folder of the grader; nothing in
a worker may see it. The *bait* is an input of a hidden check, so students' code does see it; no page for a student may
show it. Both are looked for in every page, the table, the JSON, what the command prints and shows of each student in the
terminal, what other commands print of the same results (exports, feedback, a dry run, the table of a finished batch),
and what an autograder would hand to its platform. Timing side channels are not tested.
"""

from __future__ import annotations

import io
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.console import Console

from examples.hostile.corpus import HERE, Entry, Manifest, entries, honest, manifest, write
from examples.hostile.delegation import delegated, join
from examples.hostile.findings import Row, Run, Secrets, judged, of_batch
from gradetape.bridges.results import document
from gradetape.gradebook import Gradebook
from gradetape.records import Check, CheckResult, FinalScore, Grade, Question, Status, Verdict
from gradetape.report.terminal import student_view

COMMAND = Path(sys.executable).with_name("gradetape")
NOBODY = 65534
PATIENCE_S = 1200
# Graphs are exported and loaded, which takes a while on a busy machine.
SUBMISSION_S = {"target": 15, "graphs": 45}
EARLIER = "000-earlier"


class Report(msgspec.Struct):
    """A whole trial; `others` are problems of the batch as a whole, `places` where secrets were looked for."""

    rows: list[Row]
    others: list[str]
    seconds: float
    layers: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    @property
    def problems(self) -> list[str]:
        """All problems."""
        return [*(f"{row.entry.name}: {problem}" for row in self.rows for problem in row.problems), *self.others]


def who() -> dict[str, int | None]:
    """The users as whom a trial can run here."""
    return {"root": None, "an ordinary user": NOBODY} if os.geteuid() == 0 else {"an ordinary user": None}


def refusal(user: int | None) -> str:
    """The reason why another user cannot run the grader here; empty if they can."""
    if user is None:
        return ""
    try:
        run = subprocess.run(
            [COMMAND, "--version"], user=user, group=user, extra_groups=[], cwd="/", env={}, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
    except PermissionError:
        return "the interpreter is below a private folder"
    return "" if run.returncode == 0 else f"the environment cannot be read: {run.stderr[-200:]}"


def trial(
    user: int | None = None, only: Sequence[str] = (), isolation: str = "namespaces", settings: str = ""
) -> Report:
    """Grades the honest submissions alone, then everything, as a user (None: the current user).

    Without isolation, attacks that only read show that they would find what they look for. `settings` are additional
    lines of the configuration.
    """
    known, drawn = manifest(), Secrets.drawn()
    made = entries(known, only)
    with _folder() as folder:
        course = _course(folder / "course", drawn)
        with (course / "grader_config.yml").open("a", encoding="utf-8") as file:
            file.write(settings)
        (folder / ".netrc").write_text(f"password {drawn.canary}\n", encoding="utf-8")
        _give(folder, user)
        before = _traces(folder)
        grader = _Grader(course, drawn, user, isolation)
        assignments = dict.fromkeys(entry.assignment for entry in made)
        reports = [_batch([each for each in made if each.assignment == name], known, grader) for name in assignments]
        return _together(reports, _left(before, folder))


def _batch(made: list[Entry], known: Manifest, grader: _Grader) -> Report:
    """Grades the honest submissions of an assignment alone, then all of its submissions."""
    drawn, assignment = grader.drawn, made[0].assignment
    folder = grader.course.parent / assignment
    folder.mkdir()
    write(made, folder / "all", drawn.canary)
    write(honest(known, assignment), folder / "alone", drawn.canary)
    _give(folder, grader.user)
    config = grader.course / "grader_config.yml"
    text = re.sub(r"(submission_s): \d+", rf"\1: {SUBMISSION_S[assignment]}", config.read_text(encoding="utf-8"))
    config.write_text(text, encoding="utf-8")
    alone = grader.grade(assignment, folder / "alone", folder / "results")
    out = folder / f"results-{drawn.canary}"
    _earlier(out, drawn, grader.user, assignment)
    run = grader.grade(assignment, folder / "all", out)
    run = run._replace(shown=run.shown | grader.said_by_others(assignment, folder / "all", out))
    rows = [judged(entry, known, alone, run, drawn) for entry in made]
    layers = next((grade.layers for grade in alone.grades.values()), ())
    return Report(rows, of_batch(made, run, drawn), run.seconds, layers, (*run.pages, *run.shown))


def _together(reports: Sequence[Report], left: list[str]) -> Report:
    rows = [row for report in reports for row in report.rows]
    others = [problem for report in reports for problem in report.others]
    places = tuple(place for report in reports for place in report.places)
    return Report(rows, [*others, *left], sum(report.seconds for report in reports), reports[0].layers, places)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        folder = Path(name)
        (folder / "tmp").mkdir()
        yield folder


def _course(folder: Path, drawn: Secrets) -> Path:
    shutil.copytree(HERE / "course", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (*folder.rglob("*.py"), folder / "autograder" / "seed", folder / "grader_config.yml"):
        text = file.read_text(encoding="utf-8")
        for name, value in (("CANARY", drawn.canary), ("BAIT", drawn.bait), ("SEED", drawn.seed)):
            text = text.replace(name, value)
        file.write_text(text, encoding="utf-8")
    return folder


def _give(folder: Path, user: int | None) -> None:
    """Makes a user the owner of a folder and everything in it."""
    if user is None:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user, user, follow_symlinks=False)


def _earlier(out: Path, drawn: Secrets, user: int | None, assignment: str) -> None:
    """Records another student's grade, with the canary in text for staff only."""
    check = Check(question="q01_double", name="test_two", public=True, title="Twice two is four.", hint="", points=1.0)
    result = CheckResult(check=check, verdict=Verdict.FAILED, points=0.0, seconds=0.1, staff_message=drawn.canary)
    grade = Grade(
        assignment=assignment, student=EARLIER, file="earlier.ipynb", sha256="0" * 64, key="0" * 64,
        status=Status.GRADED, isolation="namespaces", results=(result,),
        questions=(Question(id="q01_double", title="Twice", points=3.0),),
    )  # fmt: skip
    out.mkdir()
    with Gradebook.open(out / "gradebook.sqlite") as book:
        book.record(grade, assignment)
    _give(out, user)


class _Grader(NamedTuple):
    """Runs the real command in a course, as a user."""

    course: Path
    drawn: Secrets
    user: int | None
    isolation: str

    def grade(self, assignment: str, submissions: Path, out: Path) -> Run:
        """Grades a folder of submissions; returns its output and the contents of `out`."""
        began = time.monotonic()
        done = self._run("grade", submissions, "--assignment", assignment, "--json", "--out", out)
        seconds = time.monotonic() - began
        if not done.stdout:
            raise SystemExit(f"the grader gave nothing (exit status {done.returncode}):\n{done.stderr[-3000:]}")
        results = {_number(found["file"]): found for found in json.loads(done.stdout)["submissions"]}
        with Gradebook.open(out / "gradebook.sqlite") as book:
            grades = {_number(grade.file): grade for grade in book.latest(assignment)}
        pages = {path.relative_to(out).as_posix(): path.read_text("utf-8") for path in out.rglob("*.*")
                 if path.suffix in (".html", ".csv")}  # fmt: skip
        # What is for staff contains the name of the results folder and so the canary. An earlier grade has it in text
        # for staff.
        pages = {
            name: (self._without_code(text) if name.startswith("staff/") else text).replace(out.name, "results")
            for name, text in pages.items()
            if not _is_earlier(name)
        }
        stderr = done.stderr.replace(out.name, "results")
        shown = {f"the terminal, {grade.student}": _shown(grade) for grade in grades.values()}
        shown |= {f"an autograder, {grade.student}": json.dumps(document(grade)) for grade in grades.values()}
        return Run(done.returncode, results, grades, pages, stderr, seconds, done.stdout, shown)

    def said_by_others(self, assignment: str, submissions: Path, out: Path) -> dict[str, str]:
        """What other commands say of the same results, which they do not grade again."""
        zipped = self.course.parent / f"{assignment}-{submissions.name}.zip"
        graded = ("grade", submissions, "--assignment", assignment, "--out", out)
        lines: dict[str, tuple[str | Path, ...]] = {
            "csv": ("export", "csv", "--results", out), "json": ("export", "json", "--results", out),
            "feedback": ("export", "feedback", "--for", "zip", "--results", out, "--out", zipped),
            "a dry run": (*graded, "--dry-run"), "a finished batch": graded,
        }  # fmt: skip
        said = {}
        for name, line in lines.items():
            done = self._run(*line)
            assert done.returncode in (0, 1) and done.stdout + done.stderr, f"{name}: {done.stderr[-2000:]}"
            said[name] = (done.stdout + done.stderr).replace(out.name, "results")
        with zipfile.ZipFile(zipped) as pages:
            said |= {f"feedback, {name}": name + pages.read(name).decode() for name in pages.namelist()}
        return said

    def _without_code(self, page: str) -> str:
        """A page for staff without what may hold the canary: the code on it, and the message of the earlier grade."""
        page = re.sub(r'<div class="line.*?</code></div>', "", page, flags=re.DOTALL)
        return page.replace(f'<pre dir="auto" tabindex="0">{self.drawn.canary}</pre>', "")

    def _run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        folder = self.course.parent
        changed = {"GRADETAPE_CANARY": self.drawn.canary, "TMPDIR": str(folder / "tmp"), "HOME": str(folder)}
        isolated = ["--isolation", self.isolation] if arguments[0] == "grade" else []
        how: dict[str, Any] = {} if self.user is None else {"user": self.user, "group": self.user, "extra_groups": []}
        with nullcontext(()) if self.user is None else delegated(self.user) as groups:
            return subprocess.run(
                [COMMAND, *arguments, *isolated], cwd=self.course, env=os.environ | changed,
                capture_output=True, encoding="utf-8", timeout=PATIENCE_S, check=False,
                preexec_fn=partial(_as_at_a_login, groups), **how,
            )  # fmt: skip


def _as_at_a_login(groups: tuple[Path, ...]) -> None:
    """Joins these control groups and sets the usual limit on descriptors."""
    join(groups)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def _is_earlier(page: str) -> bool:
    return page.startswith("staff/") and EARLIER in page


def _shown(grade: Grade) -> str:
    """What `gradetape show` says of a grade without the parts for staff."""
    console = Console(file=io.StringIO(), width=200)
    console.print(student_view(grade, FinalScore(measured=grade.points, final=grade.points), staff=False))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _number(file: str) -> int:
    """The number in a submission's path; 0 for a file that is not of the corpus."""
    found = re.search(r"/(?:all|alone)/(\d{3})-", file)
    return int(found[1]) if found else 0


def _traces(folder: Path) -> set[str]:
    """Traces that an attack may leave on a machine: processes, files, control groups, mounts."""
    found = {str(path) for path in (Path("/tmp/owned"), Path("/dev/shm/left-by-a-hostile-notebook")) if path.exists()}
    found |= {str(path) for path in (folder / "tmp").iterdir()}
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            found |= {f"the process {path.parent.name}"} if path.read_text().strip() == "hostile-daemon" else set()
        except OSError:
            continue
    groups = [*Path("/sys/fs/cgroup").glob("gradetape-*-*"), *Path("/sys/fs/cgroup").glob("*/gradetape-*-*")]
    found |= {str(group) for group in groups if not Path("/proc", group.name.split("-")[1]).exists()}
    mounts = Path("/proc/self/mountinfo")
    lines = mounts.read_text().splitlines() if mounts.exists() else []
    return found | {f"the mount {line.split()[4]}" for line in lines if str(folder) in line}


def _left(before: set[str], folder: Path) -> list[str]:
    return [f"left behind: {trace}" for trace in sorted(_traces(folder) - before)]
