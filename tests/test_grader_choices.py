"""What the grader chooses (deterministic operations, no front end, scripts as cells) never fails right code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.grading.question_keys import QuestionKeys
from gradetape.intake.notebooks import script_cells
from gradetape.records import Cell, Environment
from gradetape.wire.determinism import needs_none
from tests.course import DOUBLE, HALVE, by_student, gradetape, notebook, tiny, write_files

IN_A_CHECK = """\
import tensorflow as tf
def double(x):
    noise = tf.random.Generator.from_non_deterministic_state().normal((2,))
    return x + x + float(noise[0]) * 0
"""
IN_A_CELL = """\
made = []
for _ in range(2):
    made.append(tf.random.get_global_generator().normal((2,)))
COUNT = sum(1 for each in made)
def halve(x):
    return x / COUNT
"""
BELOW_INPUT = 'name = input("Your name? ")\nprint(name)\n' + HALVE
SCRIPT = """\
# %%
from pathlib import Path
FACTOR = len(str(Path(__file__).parent)) // len(str(Path.cwd())) + 1
def double(x):
    return FACTOR * x
# %%
def halve(x):
    return x / (2 if "__file__" in globals() else 3)
"""


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    root = tiny(tmp_path_factory.mktemp("choices") / "course")
    cells = {"random.ipynb": (IN_A_CHECK, IN_A_CELL), "asking.ipynb": (DOUBLE, BELOW_INPUT)}
    write_files(root, {f"in/{name}": notebook(*each) for name, each in cells.items()} | {"in/script.py": SCRIPT})
    run = gradetape(root, "grade", "in", "--json", "--assignment", "tiny")
    assert run.returncode == 0, run.stderr
    return root, by_student(run)


@pytest.mark.parametrize("student", ["random", "asking", "script"])
def test_right_code_gets_all_its_points(graded: tuple[Path, dict[str, Any]], student: str) -> None:
    assert graded[1][student]["points"] == 5, graded[1][student]


def test_a_check_and_a_cell_that_ran_otherwise_say_so(graded: tuple[Path, dict[str, Any]]) -> None:
    root, found = graded
    messages = {check["message"] for check in found["random"]["questions"]["q01_double"]["checks"]}
    assert messages == {
        "Run once more without TensorFlow's deterministic operations, which the grader uses and the submission cannot "
        "run with."
    }
    assert {check["message"] for check in found["random"]["questions"]["q02_halve"]["checks"]} == {""}
    page = (root / "results/students/tiny/random.html").read_text()
    assert "from the line on that failed, it was run without TensorFlow" in page


def test_nobody_answers_a_question_as_in_a_kernel_without_a_front_end(graded: tuple[Path, dict[str, Any]]) -> None:
    page = (graded[0] / "results/students/tiny/asking.html").read_text()
    assert "StdinNotImplementedError" in page and "EOFError" not in page


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('RuntimeError: "from_non_deterministic_state" cannot be called when determinism is enabled.', True),
        ('"get_global_generator" cannot be called if determinism is enabled, unless', True),
        ("requires a non-zero seed to be passed in when determinism is enabled, but got seed=0.", True),
        ("A deterministic GPU implementation of ResizeNearestNeighborGrad is not currently available.", True),
        ("Deterministic ops are enabled, and this has none.", True),
        ("ValueError: the policy should be deterministic", False),
        ("AssertionError", False),
    ],
)
def test_errors_that_only_deterministic_operations_raise_are_told_from_others(text: str, expected: bool) -> None:
    assert needs_none(text) is expected


@pytest.mark.parametrize(("text", "same"), [(DOUBLE, True), (f"print(__file__)\n{DOUBLE}", False)])
def test_a_script_has_the_results_of_a_notebook_unless_it_asks_for_its_file(
    tmp_path: Path, text: str, same: bool
) -> None:
    gradable = GradableAssignment.open(courses.find(tiny(tmp_path / "course")), "tiny")
    keys = QuestionKeys(gradable, Environment(isolation="none", identity="mock"))
    [of_script] = script_cells(text)
    of_notebook = Cell(source=of_script.source)
    assert of_script.script
    assert (keys.of([of_script], ["q01_double"]) == keys.of([of_notebook], ["q01_double"])) is same
