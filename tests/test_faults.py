"""Failures of the grader are retried after a restart; a failure that occurs again is reported, and scores nothing."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.course import DOUBLE, HALVE, by_student, command, gradetape, notebook, tiny
from tests.processes import parts, until

SLOW = "import time\ntime.sleep(2)"
DEADLY = '''
import os
import signal
from pathlib import Path

from gradetape.checks import points

MARK = Path(__file__).with_suffix(".mark")


@points(1)
def test_odd_number(student, source):
    """Half of an odd number is not cut."""
    if "breaks" in source:
        raise LookupError("UNHEARD-OF")
    assert student.halve(5) == 2.5
    if "always" in source or ("once" in source and not MARK.exists()):
        MARK.touch()
        os.kill(os.getpid(), signal.SIGKILL)
'''


@pytest.fixture
def course(tmp_path: Path) -> Path:
    course = tiny(tmp_path / "course")
    (course / "in").mkdir()
    return course


@contextmanager
def started(course: Path) -> Iterator[subprocess.Popen[str]]:
    """The command, at work on what is in the folder."""
    line = command("grade", "in", "--workers", "2", "--json")
    with subprocess.Popen(line, cwd=course, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as grader:
        try:
            yield grader
        finally:
            grader.kill()


def ended(grader: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    out, err = grader.communicate(timeout=300)
    return subprocess.CompletedProcess(grader.args, grader.returncode, out, err)


def in_the_cells(grader: subprocess.Popen[str]) -> dict[str, list[int]] | None:
    """The processes, once a worker is at work for a student: the reference comes first, and has ended by then.

    A rehearsal's worker, which leaves a daemon, has no judge.
    """
    found = parts(grader.pid)
    return found if len(found["worker"]) >= 2 and found["judge child"] else None


def others_in_the_cells(grader: subprocess.Popen[str], gone: int) -> dict[str, list[int]] | None:
    """The processes, once a killed judge's place has been taken."""
    found = in_the_cells(grader)
    return found if found and gone not in found["judge child"] else None


def test_what_is_killed_once_costs_nobody_anything(course: Path) -> None:
    for student in ("ada", "bob", "cyd"):
        (course / "in" / f"{student}.ipynb").write_text(notebook(DOUBLE, HALVE, f"{SLOW}  # {student}"))
    with started(course) as grader:
        first = until(lambda: in_the_cells(grader))["judge child"]
        os.kill(first[0], signal.SIGKILL)
        os.kill(until(lambda: others_in_the_cells(grader, first[0]))["zygote"][0], signal.SIGKILL)
        run = ended(grader)
    results = {name: (each["status"], each["points"]) for name, each in by_student(run).items()}
    assert results == dict.fromkeys(("ada", "bob", "cyd"), ("graded", 5)), run.stderr
    assert run.returncode == 0


def test_a_fault_that_comes_again_is_reported_to_staff_and_scores_nothing(course: Path) -> None:
    (course / "autograder" / "tiny" / "test_q02_halve.py").write_text(DEADLY)
    for student in ("always", "once", "breaks", "never"):
        (course / "in" / f"{student}.ipynb").write_text(notebook(DOUBLE, f"{HALVE}  # {student}"))
    run = gradetape(course, "grade", "in", "--json")
    results = {name: (each["status"], each["points"]) for name, each in by_student(run).items()}
    assert results == {
        "never": ("graded", 5), "once": ("graded", 5),
        "always": ("needs_attention", 4), "breaks": ("needs_attention", 4),
    }  # fmt: skip
    assert run.returncode == 1
    assert "needs attention: always: q02_halve::hidden::test_odd_number: the judge died" in run.stderr
    index = (course / "results" / "index.html").read_text()
    assert "the judge died" in index and "Traceback" in index and "UNHEARD-OF" in index
    for shown in ("always.html", "breaks.html"):
        page = (course / "results" / "students" / "tiny" / shown).read_text()
        assert "Staff will review this result" in page
        assert "the judge died" not in page and "Traceback" not in page and "UNHEARD-OF" not in page
    assert "UNHEARD-OF" not in run.stdout and "Traceback" not in run.stdout
