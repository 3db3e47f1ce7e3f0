"""What `grade --only-failed` judges, alone and together with other options; and what is judged first."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gradetape.grading.events import Warned
from gradetape.grading.run import workload
from gradetape.records import Check, Job, Outcome, Status
from tests.course import DOUBLE, HALVE, called, notebook
from tests.regrading import BOTH, DOUBLED, HALVED, compared, edit, grade, passed, planned


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Ada's grade is final. Grace's is not: the grader has no result of her second question. Linus is new."""
    root = compared(tmp_path / "course")
    hand_in(root, "grace")
    grade(root, unlucky)
    hand_in(root, "linus")
    return root


def hand_in(root: Path, student: str) -> None:
    (root / f"in/{student}.ipynb").write_text(notebook(DOUBLE, HALVE, f"name = '{student}'"))


def unlucky(job: Job, checks: tuple[Check, ...]) -> Outcome:
    """Of Grace's second question, there is no result."""
    outcome = passed(job, checks)
    if "grace" not in job.cells[-1].source:
        return outcome
    kept = tuple(each for each in outcome.results if each.check.question != HALVED)
    return msgspec.structs.replace(outcome, results=kept)


@pytest.mark.parametrize(
    ("options", "judged"),
    [
        ({}, {HALVED}),
        ({"regrade": True}, BOTH),
        ({"question": "q02"}, {HALVED}),
        ({"question": "q01"}, set()),
        ({"question": "q01", "regrade": True}, {DOUBLED}),
        ({"question": "q02", "regrade": True}, {HALVED}),
    ],
    ids=["alone", "regrade", "its question", "another question", "another question again", "its question again"],
)
def test_only_what_is_not_final_is_judged_and_other_options_are_about_that(
    root: Path, options: dict[str, object], judged: set[str]
) -> None:
    work, _ = planned(root, only_failed=True, **options)  # type: ignore[arg-type]
    runs = {student for each in workload(work).work for student in each.students}
    assert runs == ({"grace"} if judged else set())
    again = grade(root, only_failed=True, **options)
    assert again.judged == judged
    assert [each.student for each in again.report.batch.grades] == ["grace"]
    said = [each.message for each in again.events if isinstance(each, Warned)]
    assert said == ["--only-failed leaves out 2 submissions, graded or never seen before"]


def test_what_was_failed_is_final_then_and_nothing_is_left(root: Path) -> None:
    assert grade(root, only_failed=True).grade.status is Status.GRADED
    again = grade(root, only_failed=True)
    assert (again.jobs, again.report.batch.grades) == ([], [])
    assert {each.student for each in grade(root).report.batch.grades} == {"ada", "grace", "linus"}


def test_a_file_that_could_not_be_read_counts_as_failed(root: Path) -> None:
    (root / "in/linus.ipynb").write_text("{")
    grade(root)
    hand_in(root, "linus")
    assert [each.student for each in grade(root, only_failed=True).report.batch.grades] == ["linus"]


def test_one_file_of_a_student_is_left_out_if_its_grade_is_final(root: Path) -> None:
    found = called(root, "grade", "in/ada.ipynb", "--student", "ada", "--only-failed", "--dry-run")
    assert found.stdout == "nothing to run: 0 submissions graded before\n"
    found = called(root, "grade", "in/grace.ipynb", "--student", "grace", "--only-failed", "--dry-run")
    assert "1 submission" in found.stdout and "nothing to run" not in found.stdout


def test_watching_grades_what_arrives_and_that_has_never_failed(root: Path) -> None:
    found = called(root, "grade", "in", "--watch", "--only-failed")
    assert found.returncode == 2
    assert "leave out --student, --dry-run, --json and --only-failed" in " ".join(found.stderr.split())


def test_what_took_longest_the_last_time_is_judged_first(root: Path) -> None:
    def timed(job: Job, checks: tuple[Check, ...]) -> Outcome:
        slow = "grace" in job.cells[-1].source
        outcome = passed(job, checks)
        results = tuple(msgspec.structs.replace(each, seconds=9.0 if slow else 0.1) for each in outcome.results)
        return msgspec.structs.replace(outcome, results=results)

    grade(root, timed)
    hand_in(root, "margaret")
    edit(root, "grader_config.yml", "cell_s: 20", "cell_s: 21")
    order = [job.cells[-1].source for job in grade(root, timed).jobs if not job.trusted]
    assert [next(name for name in ("margaret", "grace", "linus", "halve") if name in text) for text in order] == [
        "margaret", "grace", "halve", "linus"
    ]  # fmt: skip
