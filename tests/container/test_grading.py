"""Verdicts are those of `namespaces`: of the examples, and of attackers."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from examples.hostile.corpus import manifest
from examples.hostile.trial import trial
from gradetape.runtime.container import ContainerSpec, run_engine
from tests.course import by_student, gradetape, notebook, tiny, write_files

ROOT = Path(__file__).resolve().parents[2]
READ_ONLY = """\
try:
    open("helpers.py", "w")
    del double
except PermissionError:
    pass
"""
SUBMISSIONS = ROOT / "examples" / "submissions"
EXPECTED: dict[str, dict[str, Any]] = YAML(typ="safe").load(ROOT / "examples" / "expected.yml")
SHORT = ("empty.ipynb", "partial.ipynb", "syntax_error.ipynb")


@pytest.fixture(scope="module")
def course(container: ContainerSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This course with less patience, graded in the image under test."""
    root = tmp_path_factory.mktemp("examples") / "course"
    for folder in ("assignments", "solutions", "autograder"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "grader_config.yml").write_text(f"limits: {{cell_s: 10, check_s: 20}}\n{settings(container)}")
    return root


def settings(container: ContainerSpec) -> str:
    """The lines of the configuration that name the image under test."""
    return f"container: {{engine: {container.engine.name}, image: {container.image}}}\n"


def graded(course: Path, isolation: str, *paths: Path) -> dict[str, Any]:
    """What the real command says of each student."""
    run = gradetape(
        course, "grade", "--assignment", "custom-training", "--json", "--isolation", isolation, "--device", "cpu",
        "--out", course / isolation, *paths,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    assert json.loads(run.stdout)["isolation"] == isolation
    return by_student(run)


def test_the_files_of_an_assignment_lie_beside_the_notebook(container: ContainerSpec, tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    (root / "grader_config.yml").write_text(settings(container))
    with (root / "assignments/tiny/assignment.yml").open("a") as file:
        file.write("files: [helpers.py]\n")
    write_files(root / "assignments/tiny", {"helpers.py": "FACTOR = 2\n"})
    write_files(
        root, {"in/ada.ipynb": notebook("import helpers\ndef double(x):\n    return helpers.FACTOR * x", READ_ONLY)}
    )
    run = gradetape(root, "grade", "in", "--json", "--isolation", "container", "--device", "cpu")
    assert by_student(run)["ada"]["points"] == 3, run.stdout + run.stderr


@pytest.fixture(scope="module")
def batch(course: Path) -> dict[str, Any]:
    """All examples, graded in containers."""
    return graded(course, "container", SUBMISSIONS)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_gets_in_a_container_what_it_gets_elsewhere(batch: dict[str, Any], name: str) -> None:
    found, expected = batch[Path(name).stem], EXPECTED[name]
    assert found["status"] == expected["status"]
    assert {question_id: question["points"] for question_id, question in found["questions"].items()} == expected[
        "points"
    ]


def test_every_verdict_of_an_example_is_the_same_as_with_namespaces(course: Path, batch: dict[str, Any]) -> None:
    sandboxed = already_graded() or graded(course, "namespaces", SUBMISSIONS)
    assert {student: verdicts(found) for student, found in sandboxed.items()} == {
        student: verdicts(found) for student, found in batch.items()
    }


def already_graded() -> dict[str, Any]:
    """What tests/test_examples.py found, with namespaces and the same limits, if it ran before these in CI."""
    kept = os.environ.get("GRADETAPE_TEST_EXAMPLES")
    return json.loads(Path(kept).read_text("utf-8")) if kept and Path(kept).is_file() else {}


def verdicts(found: dict[str, Any]) -> dict[tuple[str, str, bool], str]:
    """Each check's verdict."""
    return {
        (question_id, check["name"], check["public"]): check["verdict"]
        for question_id, question in found["questions"].items()
        for check in question["checks"]
    }


def test_an_example_has_a_container_of_its_own_where_the_course_asks_for_it(
    course: Path, container: ContainerSpec
) -> None:
    config = course / "grader_config.yml"
    before = config.read_text()
    config.write_text(before.replace("engine:", "per: submission, engine:"))
    try:
        found = graded(course, "container", *(SUBMISSIONS / name for name in SHORT))
    finally:
        config.write_text(before)
    assert {student: each["status"] for student, each in found.items()} == dict.fromkeys(found, "graded")
    assert run_engine(container.engine.names()).stdout.split() == []


def test_attackers_get_in_a_container_what_they_get_elsewhere(container: ContainerSpec) -> None:
    """Of the corpus, those whose result the sandbox decides: `make image-ci CORPUS=whole` grades all of it."""
    chosen = {"sandbox": manifest().sandbox, "whole": []}[os.environ.get("GRADETAPE_TEST_CORPUS", "sandbox")]
    report = trial(isolation="container", settings=settings(container), only=chosen)
    assert "memory of the container" in report.layers
    assert report.problems == []
