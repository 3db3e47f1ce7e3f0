"""The examples, graded as a course grades them: one batch with the real command, TensorFlow and the sandbox."""

from __future__ import annotations

import csv
import html
import json
import os
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from gradetape.gradebook import Gradebook
from gradetape.report import page_name
from tests.course import by_student, gradetape, recipe
from tests.ray_cluster import simulated

ROOT = Path(__file__).resolve().parent.parent
SUBMISSIONS = ROOT / "examples" / "submissions"
EXPECTED: dict[str, dict[str, Any]] = YAML(typ="safe").load(ROOT / "examples" / "expected.yml")
NAME = "custom-training"
QUESTION = "q06_streaming_metric"
IMPATIENT = "limits:\n  cell_s: 10\n  check_s: 20\n"

Run = subprocess.CompletedProcess[str]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This course with less patience: the examples that never end should not take minutes here."""
    root = tmp_path_factory.mktemp("examples") / "course"
    for folder in ("assignments", "solutions", "autograder"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "grader_config.yml").write_text(IMPATIENT)
    return root


def _grade(course: Path, *arguments: str | Path) -> Run:
    return gradetape(course, "grade", "--assignment", NAME, "--json", *arguments)


@pytest.fixture(scope="module")
def batch(course: Path) -> Run:
    """All examples, graded into the course's results; CI keeps what they got for tests/container."""
    run = _grade(course, SUBMISSIONS)
    if (kept := os.environ.get("GRADETAPE_TEST_EXAMPLES")) and run.returncode == 0:
        Path(kept).write_text(json.dumps(by_student(run)), encoding="utf-8")
    return run


@pytest.fixture(scope="module")
def pages(course: Path, batch: Run) -> dict[str, str]:
    """The text of each student's page."""
    assert batch.returncode == 0
    files = {name: course / "results" / "students" / NAME / page_name(Path(name).stem) for name in EXPECTED}
    return {name: html.unescape(file.read_text("utf-8")) for name, file in files.items()}


def test_every_example_is_expected_and_every_expectation_has_an_example() -> None:
    assert {file.name for file in SUBMISSIONS.iterdir()} == set(EXPECTED)


def test_make_grade_grades_every_example(tmp_path: Path) -> None:
    command, *arguments = recipe("grade")
    assert command.endswith("/gradetape")
    run = gradetape(ROOT, *arguments, "--out", tmp_path / "results", "--dry-run")
    assert run.returncode == 0, run.stderr
    assert f"{len(EXPECTED)} new submissions: all questions" in run.stdout + run.stderr


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_is_graded_as_its_name_says(batch: Run, pages: dict[str, str], name: str) -> None:
    found, expected = by_student(batch)[Path(name).stem], EXPECTED[name]
    assert found["status"] == expected["status"]
    assert {question_id: question["points"] for question_id, question in found["questions"].items()} == expected[
        "points"
    ]
    assert found["points"] == sum(expected["points"].values())
    verdicts = {question_id: _verdicts(question) for question_id, question in found["questions"].items()}
    for question_id, some in expected.get("verdicts", {}).items():
        assert {check: verdicts[question_id][check] for check in some} == some
    assert [text for text in expected.get("events", []) if text not in pages[name]] == []


def _verdicts(question: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["verdict"] for check in question["checks"]}


def test_a_second_run_grades_nothing_again_and_says_so(course: Path, batch: Run) -> None:
    again = _grade(course, SUBMISSIONS)
    assert (again.returncode, again.stdout) == (batch.returncode, batch.stdout)
    assert f"{len(EXPECTED)} of {len(EXPECTED)} already have a grade and are skipped" in again.stderr
    assert f"0 graded now, {len(EXPECTED)} graded before, 0 unreadable" in again.stderr


def test_gradebook_table_and_pages_agree(course: Path, batch: Run, pages: dict[str, str]) -> None:
    points = {student: found["points"] for student, found in by_student(batch).items()}
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        assert {grade.student: grade.points for grade in book.latest(NAME)} == points
    with (course / "results" / "grades.csv").open(encoding="utf-8", newline="") as table:
        assert {row["student"]: float(row["points"]) for row in csv.DictReader(table)} == points
    index = (course / "results" / "index.html").read_text("utf-8")
    assert [student for student in points if page_name(student) not in index] == []


def test_no_page_for_students_holds_a_line_of_what_is_secret(course: Path, pages: dict[str, str]) -> None:
    public = "\n".join(_lines(course / "assignments"))
    secret = {line.strip() for folder in ("solutions", "autograder") for line in _lines(course / folder)}
    long = {line for line in secret if len(line) >= 40 and line not in public}
    assert len(long) > 100
    assert [(name, line) for name, page in pages.items() for line in long if line in page] == []


def _lines(folder: Path) -> list[str]:
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and file.suffix != ".pyc")
    return [line for file in files for line in file.read_text("utf-8").splitlines()]


def test_json_is_the_documented_object_and_all_of_stdout(batch: Run) -> None:
    result = json.loads(batch.stdout)
    assert (list(result), result["assignment"]) == (["assignment", "isolation", "submissions"], NAME)
    assert result["isolation"] == "namespaces"
    for found in result["submissions"]:
        assert list(found) == [
            "student", "file", "sha256", "status", "points", "max_points", "seconds", "questions",
            *(["attention"] if found["student"] == "empty" else []),
        ]  # fmt: skip
        for question in found["questions"].values():
            assert list(question) == ["points", "max_points", "checks"]
            for check in question["checks"]:
                assert list(check) == ["name", "public", "verdict", "points", "max_points", "seconds", "message"]


def test_a_question_graded_alone_gets_what_it_gets_in_the_full_run(course: Path, batch: Run) -> None:
    some = ["partial.ipynb", "syntax_error.ipynb", "script.py"]
    alone = by_student(_grade(course, *(SUBMISSIONS / name for name in some), "--question", QUESTION, "--regrade"))
    whole = by_student(batch)
    for student, found in alone.items():
        assert list(found["questions"]) == [QUESTION]
        assert _untimed(found)[QUESTION] == _untimed(whole[student])[QUESTION]
    assert not (course / "results" / QUESTION).exists()
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        assert {len(grade.questions) for grade in book.latest(NAME)} == {len(EXPECTED["empty.ipynb"]["points"])}


def test_graded_again_on_a_cluster_the_results_are_the_same(course: Path, batch: Run) -> None:
    pytest.importorskip("ray", reason="gradetape[ray] is not installed")
    with simulated(3, secrets.token_hex(32)) as cluster:
        found = cluster.graded(course, SUBMISSIONS, "--assignment", NAME, "--regrade")
    again = {each["student"]: _untimed(each) for each in json.loads(found)["submissions"]}
    assert again == {student: _untimed(each) for student, each in by_student(batch).items()}


def _untimed(found: dict[str, Any]) -> dict[str, Any]:
    """A submission's questions without the seconds that each check took."""
    return {
        question_id: [{key: value for key, value in check.items() if key != "seconds"} for check in question["checks"]]
        for question_id, question in found["questions"].items()
    }
