"""Beyond Linux one can write and release a course; grading says where it can be done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.course import DOUBLE, notebook, tiny

SCRIPT = Path(__file__).with_name("verdicts") / "elsewhere.py"


def gradetape(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, cwd=course, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return tiny(tmp_path / "course")


def test_a_course_is_released_without_what_only_linux_has(course: Path) -> None:
    done = gradetape(course, "release")
    assert done.returncode == 0, done.stderr
    assert (course / "student" / "tiny" / "tiny.ipynb").exists()


def test_the_command_line_explains_itself_everywhere(course: Path) -> None:
    done = gradetape(course, "--help")
    assert done.returncode == 0 and "release" in done.stdout


@pytest.mark.parametrize("verb", [["grade", "alice.ipynb"], ["verify"]], ids=["grade", "verify"])
def test_grading_names_the_container(verb: list[str], course: Path) -> None:
    (course / "alice.ipynb").write_text(notebook(DOUBLE))
    done = gradetape(course, *verb)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "grading needs Linux, whose kernel sandboxes" in done.stderr and "podman run --rm" in done.stderr
