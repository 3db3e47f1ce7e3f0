"""Runs the same notebook and the same checks with nbgrader's `autograde`, for comparison with gradetape.

nbgrader gets an environment of its own inside this one: the versions of what both need are the same, and nothing is
installed into this one.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat

from benchmarks import in_nbgrader
from benchmarks.measure import ROOT, BenchmarkError, quiet_tensorflow, run_program, seconds
from gradetape.course.gradable import GradableAssignment

VERSION = "0.9.6"
STUDENT, NOTEBOOK = "ada", "notebook"
_OTTER = "from otter.test_files import test_case"
_OURS = f"from {in_nbgrader.__name__.rpartition('.')[2]} import Case as test_case"


def python(home: Path | None = None) -> Path:
    """The Python that has nbgrader and all that this one has; it is created once, by default inside this one.

    Raises BenchmarkError if nbgrader cannot be installed.
    """
    folder = home or Path(sys.prefix) / "nbgrader"
    program = folder / "bin/python"
    if (folder / VERSION).is_file():
        return program
    if importlib.util.find_spec("nbgrader"):
        return Path(sys.executable)
    _installed(folder, program)
    return program


def _installed(folder: Path, program: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    run_program([sys.executable, "-m", "venv", "--without-pip", folder], ROOT)
    [packages] = folder.glob("lib/python*/site-packages")
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "ours.pth").write_text("\n".join(ours), encoding="utf-8")
    command = [sys.executable, "-m", "pip", "--python", program, "install", "--quiet", "-c", ROOT / "constraints.txt"]
    done = subprocess.run([*map(str, command), f"nbgrader=={VERSION}"], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2]
        raise BenchmarkError(f"nbgrader {VERSION} cannot be installed: {said}")
    (folder / VERSION).touch()


def prepare(gradable: GradableAssignment, folder: Path, tests: Path, checks: Sequence[str]) -> None:
    """Makes a course of nbgrader: the assignment with the reference's cells and a cell for each check, and a
    submission.

    `tests` are the test files for otter, `checks` the ids of the checks in them.
    """
    name = gradable.assignment.name
    source = folder / "source" / name
    source.mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'benchmark'\n")
    cells = [nbformat.v4.new_code_cell(cell.source) for cell in gradable.reference]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    made = nbformat.v4.new_notebook(cells=[*cells, *_check_cells(checks)], metadata=metadata)
    nbformat.write(made, source / f"{NOTEBOOK}.ipynb")
    shutil.copy(in_nbgrader.__file__, source)
    for path in tests.glob("*.py"):
        text = path.read_text(encoding="utf-8").replace(_OTTER, _OURS)
        (source / path.name).write_text(text, encoding="utf-8")
    _nbgrader(folder, "generate_assignment", name)
    shutil.copytree(folder / "release" / name, folder / "submitted" / STUDENT / name)


def _check_cells(checks: Sequence[str]) -> Iterator[nbformat.NotebookNode]:
    yield nbformat.v4.new_code_cell(f"import {in_nbgrader.__name__.rpartition('.')[2]}")
    for number, check in enumerate(checks):
        question, kind, name = check.split("::")
        told = {
            "grade": True, "grade_id": f"check-{number}", "locked": True, "points": 1, "schema_version": 3,
            "solution": False, "task": False, "cell_type": "code",
        }  # fmt: skip
        source = f"in_nbgrader.check({f'{question}_{kind}'!r}, {name!r}, globals())"
        yield nbformat.v4.new_code_cell(source, metadata={"nbgrader": told})


def run(folder: Path, name: str) -> float:
    """Seconds of `nbgrader autograde` on the submission.

    Raises BenchmarkError if the reference does not pass all checks there. Its points do not tell: nbgrader gives none
    for a check during which something is written to stderr, as TensorFlow does.
    """
    taken = seconds(lambda: _nbgrader(folder, "autograde", name, "--student", STUDENT, "--force"))
    graded = nbformat.read(folder / "autograded" / STUDENT / name / f"{NOTEBOOK}.ipynb", as_version=4)
    failed = [cell.source for cell in graded.cells if any(each.output_type == "error" for each in cell.outputs)]
    if failed:
        raise BenchmarkError(f"under nbgrader the reference does not pass {', '.join(failed)}")
    return taken


def _nbgrader(folder: Path, *arguments: str) -> None:
    """Runs nbgrader, which finds programs that it needs by the path."""
    program = python()
    environment = quiet_tensorflow() | {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    run_program([program, "-m", "nbgrader", *arguments], folder, environment)
