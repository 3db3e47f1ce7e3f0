"""The wheel, installed by itself: from an empty folder the instructor's tutorial works, command by command."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.course import DOUBLE, tiny

ROOT = Path(__file__).parents[1]
TUTORIAL = ROOT / "docs" / "tutorials" / "instructor.md"
_BLOCK = re.compile(r'^```(?P<kind>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.slow


class Step(NamedTuple):
    """A file of the tutorial with its text, or a command with none."""

    what: str
    text: str | None = None


def steps() -> list[Step]:
    """What the tutorial tells its reader to do, in its order."""
    found = []
    for block in _BLOCK.finditer(TUTORIAL.read_text()):
        if block["title"]:
            found.append(Step(block["title"], block["text"]))
        if block["kind"] == "console":
            found += [Step(line.removeprefix("$ ")) for line in block["text"].splitlines() if line.startswith("$ ")]
    return found


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel in it, which takes the other packages from this one."""
    return _installed(tmp_path_factory.mktemp("wheel"), _packages())


def _packages() -> list[Path]:
    return [Path(path) for path in sys.path if path.endswith("-packages")]


def _installed(folder: Path, others: list[Path]) -> Path:
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    [wheel] = folder.glob("*.whl")
    _run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel)
    [site] = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "others.pth").write_text("\n".join(map(str, others)))
    return python.parent


def _run(*command: str | Path) -> None:
    subprocess.run(list(map(str, command)), cwd=ROOT, check=True, capture_output=True, timeout=300)


def _shell(line: str, cwd: Path, programs: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(cwd), "LANG": "C.UTF-8"}
    return subprocess.run(
        line, shell=True, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


@pytest.fixture(scope="module")
def followed(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The course that the tutorial leads to, and what its commands said."""
    here = tmp_path_factory.mktemp("tutorial")
    said: dict[str, str] = {}
    for step in steps():
        if step.text is not None:
            (here / step.what).parent.mkdir(parents=True, exist_ok=True)
            (here / step.what).write_text(step.text)
        elif step.what.startswith("cd "):
            here = here / step.what.removeprefix("cd ")
        else:
            run = _shell(step.what, here, installed)
            assert run.returncode == 0, f"$ {step.what}\n{run.stdout}\n{run.stderr}"
            said[step.what] = run.stdout
    return here, said


def test_it_is_the_wheel_that_runs(installed: Path, tmp_path: Path) -> None:
    where = _shell("python -c 'import gradetape; print(gradetape.__file__)'", tmp_path, installed).stdout
    assert Path(where.strip()).is_relative_to(installed.parent)


def test_the_tutorial_goes_through_the_whole_work(followed: tuple[Path, dict[str, str]]) -> None:
    verbs = {line.split()[1] for line in followed[1] if line.startswith("gradetape ")}
    assert verbs >= {"init", "new", "verify", "release", "grade", "show", "report", "export"}


def test_the_new_questions_checks_are_proven(followed: tuple[Path, dict[str, str]]) -> None:
    said = followed[1]["gradetape verify first-steps --question q02_soft_clip"]
    assert "The checks are proven (2 checks, 2 mutants)" in said


def test_the_new_questions_mutants_are_patches(followed: tuple[Path, dict[str, str]]) -> None:
    mutants = followed[0] / "solutions" / "first-steps" / "mutants"
    assert (mutants / "q02_soft_clip.yml").is_file() and not (mutants / "q02_soft_clip").exists()


def test_no_generated_mutant_is_left(followed: tuple[Path, dict[str, str]]) -> None:
    said = followed[1]["gradetape verify first-steps --question q02_soft_clip --mutate"]
    assert "100.0%" in said and "✗" not in said


def test_the_tutorial_ends_with_the_grades(followed: tuple[Path, dict[str, str]]) -> None:
    course, said = followed
    with (course / "grades.csv").open(newline="") as file:
        table = {row["student"]: row for row in csv.DictReader(file)}
    assert {name: float(row["points"]) for name, row in table.items()} == {"ada": 0, "bob": 2}
    assert "bob: 2 of 5 points" in said["gradetape show bob"]
    assert (course / "results" / "index.html").is_file()


def test_without_tensorflow_the_command_that_installs_it_is_reported(tmp_path: Path) -> None:
    rest = tmp_path / "rest"
    rest.mkdir()
    for entry in (entry for folder in _packages() for entry in folder.iterdir()):
        if not entry.name.startswith(("tensorflow", "gradetape")) and not (rest / entry.name).exists():
            (rest / entry.name).symlink_to(entry)
    programs = _installed(tmp_path, [rest])
    tiny(tmp_path / "course")
    (tmp_path / "course" / "ada.py").write_text(DOUBLE)
    run = _shell("gradetape grade ada.py --assignment tiny", tmp_path / "course", programs)
    assert run.returncode == 1
    assert "Is it installed (pip install 'gradetape[cpu]')?" in run.stderr
    found = _shell("gradetape doctor", tmp_path / "course", programs)
    assert found.returncode == 1
    assert "tensorflow is missing" in found.stdout and "pip install 'tensorflow" in found.stdout
