"""The pages of a class of 1,000: the time to write them, and to open, search and sort the dashboard."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from benchmarks.measure import BenchmarkError, seconds, spread
from gradetape.records import CellEvent, Check, CheckResult, Grade, Question, Status, Verdict
from gradetape.report import write

STUDENTS, QUESTIONS, CHECKS = 1000, 11, 9
REPEATS = 5
LINES = "Your code raised ValueError: shapes (64, 1) and (64,) do not match\n  Cell 7, line 12, in call\n    return y\n"
Row = tuple[str, str, str]


def a_class(students: int = STUDENTS) -> list[Grade]:
    """Grades of students with normally distributed ability, with a fixed seed."""
    rng = np.random.default_rng(7)
    ability, difficulty = rng.normal(size=students), rng.normal(size=(QUESTIONS, CHECKS))
    chance = 1 / (1 + np.exp(difficulty - ability[:, None, None] * 1.5))
    passed = rng.random((students, QUESTIONS, CHECKS)) < chance
    questions = tuple(Question(id=f"q{n:02}_topic", title=f"The topic of {n}", points=CHECKS) for n in range(1, 12))
    return [_grade(number, questions, passed[number]) for number in range(students)]


def _grade(number: int, questions: tuple[Question, ...], passed: np.ndarray) -> Grade:
    results = [
        _result(question.id, place, bool(passed[row, place]))
        for row, question in enumerate(questions)
        for place in range(CHECKS)
    ]
    return Grade(
        assignment="custom-training", student=f"student {number:04}", file=f"submissions/student_{number:04}.ipynb",
        sha256=f"{number:064x}", key=str(number), status=Status.GRADED, isolation="namespaces", questions=questions,
        results=tuple(results), events=(CellEvent(cell=3, kind="output", text=LINES),), seconds=9.5,
    )  # fmt: skip


def _result(question_id: str, place: int, passed: bool) -> CheckResult:
    check = Check(question=question_id, name=f"test_{place}", public=place < 3, title=f"What check {place} says of it.",
                  hint="Where could this go wrong?", points=1.0)  # fmt: skip
    if passed:
        return CheckResult(check=check, verdict=Verdict.PASSED, points=1.0, seconds=0.05)
    command = f"pytest autograder/custom-training/test_{question_id}.py::test_{place} --submission a.ipynb"
    return CheckResult(check=check, verdict=Verdict.ERROR, points=0.0, seconds=0.07, message=LINES,
                       staff_message=LINES * 3, command=command)  # fmt: skip


def writing(students: int = STUDENTS, repeats: int = 3) -> list[Row]:
    """The time to write all pages."""
    grades = a_class(students)
    with tempfile.TemporaryDirectory(prefix="gradetape-bench-") as folder:
        written = [seconds(lambda: _put(grades, folder)) for _ in range(repeats)]
    return [(f"writing the pages of {students} students", spread(written, "s"), "")]


def dashboard(students: int = STUDENTS, repeats: int = REPEATS) -> list[Row]:
    """The time to open, search and sort the dashboard in a browser; raises BenchmarkError without one."""
    program = shutil.which("chromium")
    if program is None:
        raise BenchmarkError("there is no chromium on this machine")
    with tempfile.TemporaryDirectory(prefix="gradetape-bench-") as folder:
        _put(a_class(students), folder)
        index = Path(folder) / "index.html"
        size = index.stat().st_size / 1e6
        opened, searched, sorted_ = zip(*_in_browser(program, index, repeats), strict=True)
    return [
        (f"opening the dashboard of {students} students ({size:.1f} MB)", spread(opened, "s"), "2 s"),
        ("searching in it", spread(searched, "ms", 1e3), ""),
        ("sorting it", spread(sorted_, "ms", 1e3), ""),
    ]


def _put(grades: list[Grade], folder: str) -> None:
    write(folder, grades, [], assignment="custom-training", max_points=99.0)


def _in_browser(program: str, index: Path, repeats: int) -> list[tuple[float, float, float]]:
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=sandbox)
            found = [_visit(browser, index) for _ in range(repeats)]
            browser.close()
    except PlaywrightError as error:
        raise BenchmarkError(f"the browser cannot be used: {str(error).partition(chr(10))[0]}") from error
    return found


def _visit(browser: Browser, index: Path) -> tuple[float, float, float]:
    """Seconds until a frame shows the page, the search result, and the new order."""
    page = browser.new_page()

    def shown() -> None:
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")

    def open_() -> None:
        page.goto(index.as_uri())
        shown()

    def search() -> None:
        page.get_by_label("Search").fill("student 07")
        shown()

    def sort() -> None:
        page.locator("#student-table button").first.click()
        page.wait_for_timeout(1)
        shown()

    times = seconds(open_), seconds(search), seconds(sort)
    page.close()
    return times
