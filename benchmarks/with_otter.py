"""Runs the same notebook and the same checks with `otter run`, for comparison with gradetape."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

from benchmarks.measure import seconds
from gradetape.course.gradable import GradableAssignment
from gradetape.release.testfile import test_file

_NOT_IN_OTTER = {"clean", "reference", "source"}


def ported(path: Path, folder: Path) -> tuple[Path, list[str]]:
    """Writes a check file without the checks that need other fixtures than otter's; returns the remaining names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kept = [node for node in tree.body if not (isinstance(node, ast.FunctionDef) and _unportable(node))]
    tree.body = kept
    copy = folder / path.parent.name / path.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(ast.unparse(tree), encoding="utf-8")
    return copy, [node.name for node in kept if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def _unportable(function: ast.FunctionDef) -> bool:
    return bool(_NOT_IN_OTTER & {argument.arg for argument in function.args.args})


def autograder(gradable: GradableAssignment, folder: Path) -> tuple[Path, list[str]]:
    """Builds otter's autograder.zip with every check that can be ported; returns it with their ids."""
    ids = []
    (folder / "tests").mkdir()
    for path in gradable.check_files:
        question_id = path.parent.name if path.name == "test_public.py" else path.stem.removeprefix("test_")
        kind = "public" if path.name == "test_public.py" else "hidden"
        copy, names = ported(path, folder / "ported")
        if not names:
            continue
        (folder / "tests" / f"{question_id}_{kind}.py").write_text(
            test_file(f"{question_id}_{kind}", copy), encoding="utf-8"
        )
        ids += [f"{question_id}::{kind}::{name}" for name in names]
    command = [sys.executable, "-m", "otter", "generate", "-t", "tests", "--no-environment"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "autograder.zip", ids


def notebook(gradable: GradableAssignment, path: Path) -> None:
    """Writes the reference as a student's notebook."""
    cells = [nbformat.v4.new_code_cell(cell.source) for cell in gradable.reference]
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "gradetape": {"assignment": gradable.assignment.name},
    }
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)


def run(gradable: GradableAssignment, repeats: int) -> tuple[list[float], list[str]]:
    """Seconds of `otter run` on the reference, and the ids of the checks that it ran and passed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        zipped, ids = autograder(gradable, folder)
        notebook(gradable, folder / "reference.ipynb")
        command = [sys.executable, "-m", "otter", "run", "reference.ipynb", "-a", str(zipped)]
        found = [
            seconds(lambda: subprocess.run(command, cwd=folder, check=True, capture_output=True))
            for _ in range(repeats)
        ]
        results = json.loads((folder / "results.json").read_text())
    scores = [(test["name"], test["score"], test["max_score"]) for test in results["tests"] if "max_score" in test]
    assert all(score == most for _, score, most in scores), scores
    return found, ids
