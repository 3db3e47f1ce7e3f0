"""Runs of `grade` that run nothing: an engine records its jobs, and a function answers them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from gradetape.course import assignments as courses
from gradetape.course.check_files import check_file
from gradetape.course.digests import digest_of
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import MockEngine
from gradetape.grading.events import Event
from gradetape.grading.request import GradePlan, GradeRequest, plan
from gradetape.grading.run import GradeReport, run
from gradetape.grading.shards import Shard
from gradetape.records import Check, CheckResult, Environment, Grade, Job, Lost, Outcome, Verdict
from tests.course import DOUBLE, HALVE, notebook, tiny, write_files

DOUBLED, HALVED = "q01_double", "q02_halve"
BOTH = {DOUBLED, HALVED}
PUBLIC = f"assignments/tiny/{DOUBLED}/test_public.py"
HIDDEN = f"autograder/tiny/test_{DOUBLED}.py"
USES_REFERENCE = f"autograder/tiny/test_{HALVED}.py"
NOTEBOOK = "in/ada.ipynb"
STUDENT_FILE = "table.csv"


def compared(folder: Path) -> Path:
    """A course whose second question compares with the reference, with a file for students and one submission."""
    made = tiny(folder)
    edit(made, USES_REFERENCE, "(student)", "(student, reference)")
    edit(made, USES_REFERENCE, "== 2.5", "== reference.halve(5)")
    with (made / "assignments/tiny/assignment.yml").open("a", encoding="utf-8") as file:
        file.write(f"files: [{STUDENT_FILE}]\n")
    return write_files(made, {NOTEBOOK: notebook(DOUBLE, HALVE), f"assignments/tiny/{STUDENT_FILE}": "1\n"})


def edit(root: Path, file: str, old: str, new: str) -> None:
    text = (root / file).read_text(encoding="utf-8")
    assert old in text
    (root / file).write_text(text.replace(old, new), encoding="utf-8")


def checks_of(gradable: GradableAssignment) -> tuple[Check, ...]:
    """The checks as they would be collected from their files."""
    return tuple(check for path in gradable.check_files for check in _checks_in(path))


def _checks_in(path: Path) -> list[Check]:
    file = check_file(path)
    assert file is not None
    found = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            marks = {ast.unparse(mark.func): mark.args[0] for mark in node.decorator_list if isinstance(mark, ast.Call)}
            given = {name: ast.literal_eval(mark) for name, mark in marks.items()}
            found.append(
                Check(
                    question=file.question, name=node.name, public=file.public, title=ast.get_docstring(node) or "",
                    hint=given.get("hint", ""), points=given.get("points", 0),
                    requirements=tuple(filter(None, [given.get("proves")])),
                )
            )  # fmt: skip
    return found


class Graded(NamedTuple):
    """A run of `grade`: the questions that were judged for somebody and for the reference, its jobs, and its report."""

    judged: set[str]
    proven: set[str]
    jobs: list[Job]
    report: GradeReport
    events: list[Event]

    @property
    def grade(self) -> Grade:
        [grade] = self.report.batch.grades
        return grade


Answer = Callable[[Job, tuple[Check, ...]], Outcome | Lost]


def asked(job: Job, checks: tuple[Check, ...]) -> list[Check]:
    """The checks that a job asks for."""
    return [check for check in checks if job.only is None or check.id in job.only]


def passed(job: Job, checks: tuple[Check, ...]) -> Outcome:
    return Outcome(
        results=tuple(
            CheckResult(check=each, verdict=Verdict.PASSED, points=each.points, seconds=0.1)
            for each in asked(job, checks)
        ),
        seconds=1.0,
    )


def failed(job: Job, checks: tuple[Check, ...]) -> Outcome:
    """The submission fails each check; the reference passes it."""
    if job.trusted:
        return passed(job, checks)
    return Outcome(
        results=tuple(
            CheckResult(check=each, verdict=Verdict.FAILED, points=0, seconds=0.1) for each in asked(job, checks)
        )
    )


def by_its_cells(job: Job, checks: tuple[Check, ...]) -> Outcome:
    """What a submission gets depends on its cells, as if its code had run."""
    if job.trusted:
        return passed(job, checks)
    results = []
    for check in asked(job, checks):
        good = int(digest_of([check.id, *(cell.source for cell in job.cells)]), 16) % 2
        verdict, points = (Verdict.PASSED, check.points) if good else (Verdict.FAILED, 0.0)
        results.append(CheckResult(check=check, verdict=verdict, points=points, seconds=0.1))
    return Outcome(results=tuple(results), seconds=1.0)


def planned(
    root: Path, answer: Answer = passed, *, versions: dict[str, str] | None = None, identity: str = "mock",
    question: str | None = None, regrade: bool = False, only_failed: bool = False, out: Path | None = None,
    shard: Shard | None = None,
) -> tuple[GradePlan, MockEngine]:  # fmt: skip
    """A plan for the submissions of a course, and its engine."""
    course = courses.find(root)
    checks = checks_of(GradableAssignment.open(course, "tiny"))
    environment = Environment(isolation="none", identity=identity, versions=versions or {"gradetape": "1"})
    engine = MockEngine(lambda job: answer(job, checks), checks=checks, environment=environment, capacity=2)
    request = GradeRequest(
        paths=(root / "in",), assignment="tiny", question=question, regrade=regrade, only_failed=only_failed, out=out,
        shard=shard,
    )  # fmt: skip
    return plan(course, request, lambda *_: engine), engine


def grade(root: Path, answer: Answer = passed, **how: Any) -> Graded:
    """Grades the submissions; `how` gives the other arguments of `planned`."""
    work, engine = planned(root, answer, **how)
    events: list[Event] = []
    report = run(work, events.append)
    return Graded(_questions(engine, trusted=False), _questions(engine, trusted=True), engine.jobs, report, events)


def _questions(engine: MockEngine, *, trusted: bool) -> set[str]:
    return {check.partition("::")[0] for job in engine.jobs if job.trusted is trusted for check in job.only or ()}
