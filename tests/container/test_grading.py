"""Verdicts are those of `namespaces`: of the examples, and of attackers."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from examples.hostile.trial import trial
from gradetape.sandbox.container import Container, said
from tests.course import by_student, gradetape

ROOT = Path(__file__).resolve().parents[2]
SUBMISSIONS = ROOT / "examples" / "submissions"
EXPECTED: dict[str, dict[str, Any]] = YAML(typ="safe").load(ROOT / "examples" / "expected.yml")
SHORT = ("empty.ipynb", "partial.ipynb", "syntax_error.ipynb")
WHOLE = "GRADETAPE_TEST_WHOLE_CORPUS"
ATTACKS = (
    "asks_the_zygote", "fork_bomb", "forges_the_notebooks_own_grader", "hangs_up", "ignores_every_signal",
    "kills_all_it_can", "leaves_a_daemon", "leaves_things_behind", "loops_in_tensorflow", "makes_namespaces",
    "memory_bomb_of_arrays", "opens_sockets", "overwrites_what_is_installed", "patches_numpy", "reads_every_file",
    "reads_likely_paths", "reads_the_environment", "reads_the_memory_of_others", "sends_its_descriptors",
)  # fmt: skip
# What is known to end otherwise in a container, and why.
OTHERWISE = {
    "reads_the_processes": "nothing of /proc can be listed, so that its cell itself raises",
    "fills_the_inodes": "no engine lets a tmpfs count inodes: the container's memory bounds them",
    "memory_bomb_shared_out": "the container's memory is more than a worker's, and takes longer to fill",
}


@pytest.fixture(scope="module")
def course(container: Container, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This course with less patience, graded in the image under test."""
    root = tmp_path_factory.mktemp("examples") / "course"
    for folder in ("assignments", "solutions", "autograder"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "grader_config.yml").write_text(f"limits: {{cell_s: 10, check_s: 20}}\n{settings(container)}")
    return root


def settings(container: Container) -> str:
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


@pytest.fixture(scope="module")
def batch(course: Path) -> dict[str, Any]:
    """All examples, graded in containers."""
    return graded(course, "container", SUBMISSIONS)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_gets_in_a_container_what_it_gets_elsewhere(batch: dict[str, Any], name: str) -> None:
    found, expected = batch[Path(name).stem], EXPECTED[name]
    assert found["status"] == expected["status"]
    assert {stem: question["points"] for stem, question in found["questions"].items()} == expected["points"]


def test_every_verdict_of_an_example_is_the_same_as_with_namespaces(course: Path, batch: dict[str, Any]) -> None:
    walled = graded(course, "namespaces", *(SUBMISSIONS / name for name in SHORT))
    assert len(walled) == len(SHORT)
    assert {student: verdicts(found) for student, found in walled.items()} == {
        student: verdicts(batch[student]) for student in walled
    }


def verdicts(found: dict[str, Any]) -> dict[tuple[str, str, bool], str]:
    """Each check's verdict."""
    return {
        (stem, check["name"], check["public"]): check["verdict"]
        for stem, question in found["questions"].items()
        for check in question["checks"]
    }


def test_an_example_has_a_container_of_its_own_where_the_course_asks_for_it(course: Path, container: Container) -> None:
    config = course / "grader_config.yml"
    before = config.read_text()
    config.write_text(before.replace("engine:", "per: submission, engine:"))
    try:
        found = graded(course, "container", *(SUBMISSIONS / name for name in SHORT))
    finally:
        config.write_text(before)
    assert {student: each["status"] for student, each in found.items()} == dict.fromkeys(found, "graded")
    assert said(container.engine.names()).stdout.split() == []


def test_attackers_get_nothing_more_in_a_container(container: Container) -> None:
    only = () if os.environ.get(WHOLE) else ATTACKS
    report = trial(only=only, isolation="container", settings=settings(container))
    assert "memory of the container" in report.layers
    assert {
        row.entry.name: row.problems for row in report.rows if row.problems and row.entry.name not in OTHERWISE
    } == {}
    assert report.others == []
