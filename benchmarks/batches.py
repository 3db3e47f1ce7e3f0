"""Whole batches with the real command: the first run, and what a run costs after a change."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import nbformat

from benchmarks.measure import run_program, seconds
from gradetape.course.gradable import GradableAssignment

Row = tuple[str, str, str]
_COURSE = ("grader_config.yml", "assignments", "solutions", "autograder")


def changes(gradable: GradableAssignment, students: int) -> list[Row]:
    """A class is graded, and again after nothing, a hint, and one check have changed."""
    with tempfile.TemporaryDirectory(prefix="gradetape-bench-") as made:
        root = _copy(gradable, Path(made) / "course")
        _hand_in(gradable, root / "in", students)
        files = [root / path.relative_to(gradable.course.root) for path in gradable.check_files]
        whole = _graded(root, gradable)
        again = {
            "nothing has changed": _graded(root, gradable),
            "a title has changed": _after(files[-1], _other_title, root, gradable),
            "one check file has changed": _after(files[-1], _other_check, root, gradable),
        }
    rows = [(f"grading {students} submissions of {gradable.assignment.name}", f"{whole:.1f} s", "")]
    return rows + [
        (f"the same when {name}", f"{taken:.1f} s ({taken / whole:.2f})", "") for name, taken in again.items()
    ]


def _copy(gradable: GradableAssignment, folder: Path) -> Path:
    folder.mkdir()
    for name in _COURSE:
        source = gradable.course.root / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.is_file():
            shutil.copy(source, folder / name)
    return folder


def _hand_in(gradable: GradableAssignment, folder: Path, students: int) -> None:
    """The reference as notebooks that differ in a comment: the same cells would be graded once."""
    folder.mkdir()
    for number in range(students):
        cells = [nbformat.v4.new_code_cell(cell.source) for cell in gradable.reference]
        cells.append(nbformat.v4.new_code_cell(f"# {number}"))
        nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / f"student_{number:05}.ipynb")


def _graded(root: Path, gradable: GradableAssignment) -> float:
    program = Path(sys.executable).with_name("gradetape")
    return seconds(lambda: run_program([program, "grade", "in", "--assignment", gradable.assignment.name], root))


def _after(file: Path, change: Callable[[str], str], root: Path, gradable: GradableAssignment) -> float:
    before = file.read_text(encoding="utf-8")
    file.write_text(change(before), encoding="utf-8")
    try:
        return _graded(root, gradable)
    finally:
        file.write_text(before, encoding="utf-8")


def _other_title(text: str) -> str:
    return re.sub(r"(def test_.*?:\n    \"\"\")", r"\1Reworded: ", text, count=1, flags=re.DOTALL)


def _other_check(text: str) -> str:
    return f"{text}\n\nUNUSED = 1\n"
