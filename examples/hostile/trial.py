"""Grades the corpus with the real command, and finds what went wrong.

Two secrets are drawn for each trial. The *canary* is in the hidden checks, the reference, the gradebook, the command line
and the environment of the grader; nothing beyond the wall may see it. The *bait* is an input of a hidden check, so
students' code does see it; no page for a student may show it.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from examples.hostile.corpus import HERE, Allowed, Entry, Manifest, entries, honest, manifest, write
from gradetape.gradebook import Gradebook
from gradetape.records import Check, CheckResult, Grade, Question, Status, Verdict
from gradetape.report import page_name

COMMAND = Path(sys.executable).with_name("gradetape")
NOBODY = 65534
TARGET = "target"
PATIENCE_S = 1200
_BREACH = re.compile(r"^BREACH:.*", re.MULTILINE)
_RAW = re.compile(r"<script>|<img |[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]")
_FORMULA = ("=", "+", "@", "\t", "\r")
_QUESTION = {"test_two": "q01", "test_any_number": "q01", "test_text_and_arrays": "q01", "test_three_times": "q02",
             "test_works_elsewhere": "q02", "test_three_and_four": "q03", "test_as_the_reference": "q03"}  # fmt: skip


class Row(msgspec.Struct):
    """What became of one submission: its points, those that it may have, and everything that is wrong with that."""

    entry: Entry
    ended: str
    points: float = 0.0
    allowed: float = 0.0
    leaks: list[str] = []
    forged: list[str] = []
    wrong: list[str] = []
    disturbed: list[str] = []

    @property
    def problems(self) -> list[str]:
        """All of them."""
        return self.leaks + self.forged + self.wrong + self.disturbed


class Report(msgspec.Struct):
    """A whole trial; `others` are problems of the batch as such."""

    rows: list[Row]
    others: list[str]
    seconds: float
    layers: tuple[str, ...] = ()

    @property
    def problems(self) -> list[str]:
        """All that is wrong anywhere."""
        return [*(f"{row.entry.name}: {problem}" for row in self.rows for problem in row.problems), *self.others]


class Run(NamedTuple):
    """What one run of `gradetape grade` left: its JSON by the submissions' numbers, its grades, its pages."""

    status: int
    told: dict[int, dict[str, Any]]
    grades: dict[int, Grade]
    pages: dict[str, str]
    stderr: str
    seconds: float


class Secrets(NamedTuple):
    """What must not be seen: `canary` and `seed` beyond the wall, `bait` on a page."""

    canary: str
    seed: str
    bait: str

    @classmethod
    def drawn(cls) -> Secrets:
        """New ones."""
        return cls(f"canary-{secrets.token_hex(16)}", secrets.token_hex(16), f"bait-{secrets.token_hex(16)}")


def who() -> dict[str, int | None]:
    """The users under whom a trial can be run here."""
    return {"root": None, "an ordinary user": NOBODY} if os.geteuid() == 0 else {"an ordinary user": None}


def refusal(user: int | None) -> str:
    """Why another user cannot run the grader here; empty where they can."""
    if user is None:
        return ""
    try:
        run = subprocess.run(
            [COMMAND, "--version"], user=user, group=user, extra_groups=[], cwd="/", env={}, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
    except PermissionError:
        return "the interpreter lies below a private folder"
    return "" if run.returncode == 0 else f"the environment cannot be read: {run.stderr[-200:]}"


def trial(user: int | None = None, only: Sequence[str] = ()) -> Report:
    """Grades the honest alone, then everything, as a user (None: whoever runs this)."""
    told, drawn = manifest(), Secrets.drawn()
    made = entries(told, only)
    with _folder(user) as folder:
        course = _course(folder / "course", drawn)
        write(made, folder / "all")
        write(honest(told), folder / "alone")
        _give(folder, user)
        before = _traces(folder)
        alone = _grade(course, folder / "alone", folder / "results", drawn, user)
        _earlier(folder / f"results-{drawn.canary}", drawn, user)
        run = _grade(course, folder / "all", folder / f"results-{drawn.canary}", drawn, user)
        rows = [_judged(entry, told, alone, run, drawn) for entry in made]
        layers = next((grade.layers for grade in alone.grades.values()), ())
        return Report(rows, [*_of_batch(made, alone, run, drawn), *_left(before, folder)], run.seconds, layers)


@contextmanager
def _folder(user: int | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        folder = Path(name)
        (folder / "tmp").mkdir()
        yield folder


def _course(folder: Path, drawn: Secrets) -> Path:
    shutil.copytree(HERE / "course", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (*folder.rglob("*.py"), folder / "autograder" / "seed"):
        text = file.read_text(encoding="utf-8")
        for name, value in (("CANARY", drawn.canary), ("BAIT", drawn.bait), ("SEED", drawn.seed)):
            text = text.replace(name, value)
        file.write_text(text, encoding="utf-8")
    return folder


def _give(folder: Path, user: int | None) -> None:
    """Gives a folder and all in it to a user."""
    if user is None:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user, user, follow_symlinks=False)


def _earlier(out: Path, drawn: Secrets, user: int | None) -> None:
    """A grade of somebody else's, with the canary in what staff alone may read."""
    check = Check(question="q01_double", name="test_two", public=True, title="Twice two is four.", hint="", points=1.0)
    result = CheckResult(check=check, verdict=Verdict.FAILED, points=0.0, seconds=0.1, staff_message=drawn.canary)
    grade = Grade(
        assignment=TARGET, student="000-earlier", file="earlier.ipynb", sha256="0" * 64, key="0" * 64,
        status=Status.GRADED, isolation="namespaces", results=(result,),
        questions=(Question(stem="q01_double", title="Twice", points=3.0),),
    )  # fmt: skip
    out.mkdir()
    with Gradebook.open(out / "gradebook.sqlite") as book:
        book.record(grade, TARGET)
    _give(out, user)


def _grade(course: Path, submissions: Path, out: Path, drawn: Secrets, user: int | None) -> Run:
    command = [COMMAND, "grade", submissions, "--assignment", TARGET, "--json", "--out", out]
    environment = os.environ | {"GRADETAPE_CANARY": drawn.canary, "TMPDIR": str(course.parent / "tmp")}
    how: dict[str, Any] = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    if user is not None:
        environment["HOME"] = str(course.parent)
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=course, env=environment, capture_output=True, encoding="utf-8", timeout=PATIENCE_S, check=False, **how
    )
    seconds = time.monotonic() - began
    if not done.stdout:
        raise SystemExit(f"the grader gave nothing (exit status {done.returncode}):\n{done.stderr[-3000:]}")
    told = {_number(found["file"]): found for found in json.loads(done.stdout)["submissions"]}
    with Gradebook.open(out / "gradebook.sqlite") as book:
        grades = {_number(grade.file): grade for grade in book.latest(TARGET)}
    pages = {path.name: path.read_text(encoding="utf-8") for path in out.iterdir() if path.suffix in (".html", ".csv")}
    return Run(done.returncode, told, grades, pages, done.stderr, seconds)


def _number(file: str) -> int:
    """The number that a submission's path has below the folder of submissions; 0 for a file that was never there."""
    found = re.search(r"/(?:all|alone)/(\d{3})-", file)
    return int(found[1]) if found else 0


def _judged(entry: Entry, told: Manifest, alone: Run, run: Run, drawn: Secrets) -> Row:
    found, grade = run.told.get(entry.number), run.grades.get(entry.number)
    own = 1 + list(told.bases).index(entry.base)
    if found is None:
        return Row(entry, "lost", wrong=["there is no result"])
    row = Row(entry, _ended(found, grade), found["points"], told.bases[entry.base])
    row.leaks = _leaks(entry, found, grade, run, drawn)
    if entry.attack is None:
        row.disturbed = _differences(alone.grades[own], grade)
        return row
    row.forged = _forged(found, alone.told[own], grade)
    row.wrong = _wrong(entry, found, grade, alone.told[own])
    return row


def _verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["verdict"] for question in found["questions"].values() for check in question["checks"]}


def _ended(found: dict[str, Any], grade: Grade | None) -> str:
    if found["status"] == "unreadable":
        return "unreadable"
    counts = Counter(_verdicts(found).values())
    cells = [_cell_end(event.kind, event.text) for event in grade.events] if grade else []
    return ", ".join([*(f"{count} {name}" for name, count in counts.items()), *(f"a cell {cell}" for cell in cells if cell)])


def _cell_end(kind: str, text: str) -> str:
    return re.split(r"[:;]", text)[0] if kind == "quarantined" else "error" if kind == "error" else ""


def _leaks(entry: Entry, found: dict[str, Any], grade: Grade | None, run: Run, drawn: Secrets) -> list[str]:
    shown = json.dumps(found, ensure_ascii=False) + run.pages.get(page_name(found["student"]), "")
    record = msgspec.json.encode(grade).decode() if grade else ""
    texts = [event.text for event in grade.events] if grade else []
    texts += [text for result in grade.results for text in (result.message, result.staff_message)] if grade else []
    leaks = [f"the {name}" for name in ("canary", "seed") if getattr(drawn, name) in shown + record]
    leaks += ["a hidden input on the student's page"] if drawn.bait in shown else []
    return leaks + sorted({breach for text in texts for breach in _BREACH.findall(text)})


def _differences(expected: Grade, grade: Grade | None) -> list[str]:
    """How an honest submission's result differs from what it is without attackers."""
    if grade is None:
        return ["it has no grade"]
    pairs = zip(_signature(expected), _signature(grade), strict=False)
    return [f"{was} became {now}" for was, now in pairs if was != now]


def _signature(grade: Grade) -> list[Any]:
    results = [(result.check.name, str(result.verdict), result.points, result.message) for result in grade.results]
    return [str(grade.status), grade.layers, *results, *((event.kind, event.text) for event in grade.events)]


def _forged(found: dict[str, Any], base: dict[str, Any], grade: Grade | None) -> list[str]:
    if found["status"] == "unreadable" or (grade is not None and grade.attention):
        return []
    own = _verdicts(base)
    gained = [name for name, verdict in _verdicts(found).items() if verdict == "passed" and own[name] != "passed"]
    return [f"a point for {name}" for name in gained] + (
        ["more points than it may have"] if found["points"] > base["points"] else []
    )


def _wrong(entry: Entry, found: dict[str, Any], grade: Grade | None, base: dict[str, Any]) -> list[str]:
    attack = entry.attack
    assert attack is not None
    if attack.unreadable or found["status"] == "unreadable":
        reason = found.get("reason", "it was graded")
        right = attack.unreadable and re.search(attack.unreadable, reason)
        return [] if right else [f"unreadable should be because of {attack.unreadable!r}, and is because: {reason}"]
    if grade is None or grade.attention:
        return ["needs attention: " + "; ".join(grade.attention if grade else ("it has no grade",))]
    allowed = _due(attack.verdicts, _verdicts(base))
    wrong = [f"{name} is {verdict}, not {' or '.join(allowed[name])}"
             for name, verdict in _verdicts(found).items() if verdict not in allowed[name]]  # fmt: skip
    cells = {end for event in grade.events if (end := _cell_end(event.kind, event.text))} or {"runs"}
    return wrong + ([] if cells <= set(_several(attack.cell)) else [f"its cells: {', '.join(sorted(cells))}"])


def _due(verdicts: Allowed | dict[str, Allowed], base: dict[str, str]) -> dict[str, list[str]]:
    """Which verdicts each check may have."""
    due = {}
    for name, own in base.items():
        some = verdicts.get(name, verdicts.get(_QUESTION[name], own)) if isinstance(verdicts, dict) else verdicts or own
        due[name] = _several(some)
    return due


def _several(some: Allowed) -> list[str]:
    return [some] if isinstance(some, str) else some


def _of_batch(made: Sequence[Entry], alone: Run, run: Run, drawn: Secrets) -> list[str]:
    """What is wrong with neither this submission nor that."""
    missing = {entry.number for entry in made} - run.told.keys()
    problems = [f"{len(missing)} submissions have no result: {sorted(missing)}"] if missing else []
    problems += [f"exit status {run.status}"] if run.status not in (0, 1) else []
    problems += ["Traceback in the grader's own output"] if "Traceback" in run.stderr else []
    everything = "".join(run.pages.values())
    problems += [f"the {name} is on a page" for name in ("canary", "seed", "bait") if getattr(drawn, name) in everything]
    for name, text in {**run.pages, "what the grader prints": run.stderr}.items():
        raw = set(_RAW.findall(text)) if name.endswith(".html") else set(_RAW.findall(text)) - {"<script>", "<img "}
        problems += [f"{name} has {sorted(raw)} in it"] if raw else []
    cells = [cell for row in csv.reader(io.StringIO(run.pages["grades.csv"])) for cell in row]
    problems += [f"a formula in grades.csv: {cell}" for cell in cells if cell.startswith(_FORMULA)]
    return problems


def _traces(folder: Path) -> set[str]:
    """Whatever an attack may leave on a machine: processes, files, control groups, mounts."""
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
