"""Runs the same notebook and the same checks with `otter run`, for comparison with gradetape."""

from __future__ import annotations

import ast
import functools
import json
import shutil
import sys
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import msgspec
import nbformat

from benchmarks.measure import BenchmarkError, quiet_tensorflow, run_program, seconds
from gradetape.course.assignments import QuestionSource
from gradetape.course.gradable import GradableAssignment
from gradetape.errors import ReleaseError
from gradetape.release.testfile import test_file


class Ported(NamedTuple):
    """The ids of the checks that otter runs, and why each of the others cannot be ported, by id."""

    ids: list[str]
    left_out: dict[str, str]


def ported(source: QuestionSource, path: Path, kind: str, folder: Path) -> tuple[str, Ported]:
    """The text of an otter test file with the checks of a file that can be ported; empty if there are none.

    Each check is tried with everything that it uses, since one helper may need what notebooks do not have.
    """
    tree, question_id = ast.parse(path.read_text(encoding="utf-8")), source.question.id
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    tests = functools.partial(_tests, source, tree, kind, folder)
    left_out: dict[str, str] = {}
    for name in names:
        try:
            tests([name])
        except ReleaseError as error:
            left_out[f"{question_id}::{kind}::{name}"] = str(error).partition(": ")[2].partition(". ")[0]
    good = [name for name in names if f"{question_id}::{kind}::{name}" not in left_out]
    text = tests(good) if good else ""
    return text, Ported([f"{question_id}::{kind}::{name}" for name in good], left_out)


def _tests(source: QuestionSource, tree: ast.Module, kind: str, folder: Path, names: list[str]) -> str:
    """The text of an otter test file with these checks; raises ReleaseError if notebooks do not have what they need."""
    question = msgspec.structs.replace(source.question, id=f"{source.question.id}_{kind}")
    copy = QuestionSource(question, folder / question.id)
    copy.folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(source.prompt, copy.prompt)
    copy.public_checks.write_text(ast.unparse(_with(tree, names)), encoding="utf-8")
    return test_file(copy)


def _with(tree: ast.Module, names: list[str]) -> ast.Module:
    """The module with these checks, and of its other functions, classes and constants those that they use."""
    defining = {name: node for node in tree.body for name in _defined(node)}
    wanted, left = set[str](), list(names)
    while left:
        name = left.pop()
        if name not in wanted:
            wanted.add(name)
            left += [each.id for each in ast.walk(defining.get(name, ast.Pass())) if isinstance(each, ast.Name)]
    kept = [node for node in tree.body if not _defined(node) or wanted & _defined(node)]
    return ast.Module([_imported(node, wanted) for node in kept], [])


def _defined(node: ast.stmt) -> set[str]:
    """The names that a statement of a module gives to a function, a class or constants; imports give none here."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}


def _imported(node: ast.stmt, used: set[str]) -> ast.stmt:
    """An import with the names that are used: one that notebooks do not have is no obstacle where nothing uses it."""
    if not isinstance(node, ast.Import | ast.ImportFrom) or getattr(node, "module", "") == "__future__":
        return node
    names = [alias for alias in node.names if (alias.asname or alias.name).partition(".")[0] in used]
    if not names:
        return ast.Pass()
    if isinstance(node, ast.ImportFrom):
        return ast.ImportFrom(node.module, names, node.level)
    return ast.Import(names)


def test_files(gradable: GradableAssignment, folder: Path, questions: Collection[str] = ()) -> Ported:
    """Writes a test file for each check file with checks that can be ported, of all questions or of some."""
    found = Ported([], {})
    folder.mkdir()
    for source in gradable.assignment.question_sources:
        question_id = source.question.id
        hidden = gradable.answer_key.hidden_checks(question_id)
        for kind, path in (("public", source.public_checks), ("hidden", hidden)):
            if questions and question_id not in questions:
                continue
            text, part = ported(source, path, kind, folder.parent / "ported")
            found = Ported(found.ids + part.ids, found.left_out | part.left_out)
            if text:
                (folder / f"{question_id}_{kind}.py").write_text(text, encoding="utf-8")
    return found


def autograder(gradable: GradableAssignment, folder: Path, questions: Collection[str] = ()) -> tuple[Path, Ported]:
    """Builds otter's autograder.zip with every check that can be ported; returns it with what is in it."""
    found = test_files(gradable, folder / "tests", questions)
    generate(folder)
    return folder / "autograder.zip", found


def generate(folder: Path) -> None:
    """Builds otter's autograder.zip from the test files in `tests`."""
    run_program([sys.executable, "-m", "otter", "generate", "-t", "tests", "--no-environment"], folder)


def notebook(gradable: GradableAssignment, path: Path) -> None:
    """Writes the reference as a student's notebook."""
    cells = [nbformat.v4.new_code_cell(cell.source) for cell in gradable.reference]
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "gradetape": {"assignment": gradable.assignment.name},
    }
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)


def run(folder: Path) -> float:
    """Seconds of `otter run` on the reference with the autograder in a folder.

    Raises BenchmarkError if the reference does not pass all checks there, or if otter gives no scores.
    """
    command = [sys.executable, "-m", "otter", "run", "reference.ipynb", "-a", "autograder.zip"]
    taken = seconds(lambda: run_program(command, folder, quiet_tensorflow()))
    results = json.loads((folder / "results.json").read_text())
    scores = [(test["name"], test["score"], test["max_score"]) for test in results["tests"] if "max_score" in test]
    scored = {name.partition(" ")[0] for name, _, _ in scores}
    missing = {path.stem for path in (folder / "tests").glob("*.py")} - scored
    if missing:  # otter writes results without scores if the notebook's process fails, and exits with 0
        raise BenchmarkError(f"otter run has no scores of {', '.join(sorted(missing))}")
    missed = [f"{name} ({score:g} of {most:g})" for name, score, most in scores if score != most]
    if missed:
        raise BenchmarkError(f"under otter the reference does not pass {', '.join(missed)}")
    return taken
