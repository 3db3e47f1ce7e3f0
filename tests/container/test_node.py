"""One container with everything: the judge, its secrets, and the submissions, each under a uid of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gradetape.records import Slot
from gradetape.runtime.container import ContainerSpec, hardened_run
from gradetape.runtime.container_engine import CAPABILITIES, Mount
from tests.course import DOUBLE, HALVE, called, notebook, tiny
from tests.remote_sessions import LIMITS

LOOKER = """
import os
def halve(x):
    found = []
    for base, folders, names in os.walk("/"):
        found += [name for name in names if name == "seed"]
    for path in ("/course/autograder/seed", "/course", "/results/gradebook.sqlite", "/proc/1/environ", "/submissions"):
        try:
            os.listdir(path) if os.path.isdir(path) else open(path).read()
            found.append(path)
        except OSError:
            pass
    print("found", found)
    return x * 0.5 if not found else None
"""


@pytest.fixture(scope="module")
def graded(container: ContainerSpec, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Three submissions, graded by one container: one that is right, one that explores, one that ends Python."""
    if os.geteuid() != 0:
        pytest.skip("the folders of the course belong to root in the container")
    folder = tmp_path_factory.mktemp("node")
    course = tiny(folder / "course")
    close(course)
    submissions, results = folder / "submissions", folder / "results"
    submissions.mkdir(mode=0o700)
    results.mkdir(mode=0o700)
    for name, cells in {
        "right": (DOUBLE, HALVE),
        "looks": (DOUBLE, LOOKER),
        "ends": ("import os\nos._exit(3)",),
    }.items():
        (submissions / f"{name}.ipynb").write_text(notebook(*cells))
    run = in_one_container(
        container, folder,
        ("grade", "/submissions", "--out", "/results", "--workers", "1", "--device", "cpu", "--json"),
        Mount(course, "/course"), Mount(submissions, "/submissions"), Mount(results, "/results", writable=True),
    )  # fmt: skip
    yield {each["student"]: each for each in json.loads(run.stdout)["submissions"]}
    assert (results / "gradebook.sqlite").is_file()


def close(course: Path) -> None:
    """Keeps a course from everybody but its owner."""
    for part in (course, *course.iterdir()):
        part.chmod(0o700 if part.is_dir() else 0o600)


def in_one_container(
    container: ContainerSpec, folder: Path, arguments: tuple[str, ...], *mounts: Mount
) -> subprocess.CompletedProcess[str]:
    """Runs a verb by the image's entry point, with what the documentation allows it."""
    spec = msgspec.structs.replace(
        hardened_run(LIMITS, container, folder, "", slot=Slot()), entrypoint="gradetape", command=arguments,
        capabilities=(*CAPABILITIES, "DAC_OVERRIDE"), memory_mb=3000, mounts=mounts,
    )  # fmt: skip
    run = subprocess.run(container.engine.run(spec), capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stderr[-3000:]
    return run


def test_submissions_are_graded(graded: dict[str, Any]) -> None:
    assert {name: found["status"] for name, found in graded.items()} == dict.fromkeys(graded, "graded")
    assert (graded["right"]["points"], graded["ends"]["points"]) == (5, 0)


def test_a_submission_finds_neither_the_checks_nor_the_gradebook(graded: dict[str, Any]) -> None:
    assert graded["looks"]["points"] == 5


def test_a_question_is_verified_where_there_is_only_a_container(container: ContainerSpec, tmp_path: Path) -> None:
    course = tmp_path / "course"
    assert called(tmp_path, "init", course).returncode == 0
    close(course)
    arguments = ("verify", "first-steps", "--question", "q01_standardize", "--workers", "1", "--json")
    proof = json.loads(in_one_container(container, tmp_path, arguments, Mount(course, "/course")).stdout)
    assert proof["ok"] and proof["mutants"]
