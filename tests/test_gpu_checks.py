"""Checks that need a GPU, on a machine without one."""

from __future__ import annotations

from pathlib import Path

from tests.course import DOUBLE, HALVE, by_student, gradetape, notebook, tiny

CHECK = '''

@gpu
@points(1)
def test_on_the_card(student, tf):
    """It is computed on the GPU."""
    raise AssertionError("this was run where there is no GPU")
'''


def course(folder: Path) -> Path:
    """The tiny course with a check in its second question that needs a GPU."""
    root = tiny(folder)
    checks, plan = root / "autograder/tiny/test_q02_halve.py", root / "assignments/tiny/assignment.yml"
    checks.write_text(f"from gradetape.checks import gpu\n{checks.read_text()}{CHECK}")
    plan.write_text(plan.read_text().replace("q02_halve: 2", "q02_halve: 3"))
    (root / "alice.ipynb").write_text(notebook(DOUBLE, HALVE))
    return root


def test_without_a_gpu_such_a_check_is_skipped_with_the_reason_and_costs_nothing(tmp_path: Path) -> None:
    run = gradetape(course(tmp_path / "course"), "grade", "alice.ipynb", "--device", "cpu", "--json")
    assert run.returncode == 0, run.stderr
    found = by_student(run)["alice"]
    assert (found["points"], found["max_points"]) == (6, 6)
    (check,) = (each for each in found["questions"]["q02_halve"]["checks"] if each["name"] == "test_on_the_card")
    assert (check["verdict"], check["points"]) == ("skipped", 1)
    assert "needs a GPU" in check["message"]


def test_a_gpu_that_is_asked_for_and_is_not_there_is_refused_before_anything_is_graded(tmp_path: Path) -> None:
    root = course(tmp_path / "course")
    run = gradetape(root, "grade", "alice.ipynb", "--device", "gpu")
    assert run.returncode == 1
    assert "finds no GPU" in run.stderr and "--device cpu" in run.stderr
    assert not (root / "results").exists()


def test_auto_without_a_gpu_says_that_it_computes_on_the_cpu(tmp_path: Path) -> None:
    run = gradetape(course(tmp_path / "course"), "grade", "alice.ipynb")
    assert (run.returncode, "TensorFlow computes on" in run.stderr) == (0, True)
