"""Graphs of students' functions, which run in a worker that never runs the student's Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradetape.gradebook import Gradebook
from gradetape.records import CheckResult
from tests.course import DOUBLE, gradetape, notebook, tiny, write_files

CHECKS = '''
import numpy as np

from gradetape.checks import assert_close, assert_each, by_testimony, cross_checked, ops_in, points


@points(1)
def test_graph(student, exported, tf, rng):
    """Its graph doubles, in another process."""
    graphs = exported(double=[tf.TensorSpec([None], "float32")])
    assert_each(graphs.double, {str(n): (rng.normal(size=n).astype("float32"),) for n in (0, 1, 5)}, lambda x: x + x)
    assert "PyFunc" not in " ".join(ops_in(graphs.double, tf.TensorSpec([None], "float32")))


@points(1)
def test_again(student, exported, tf, rng):
    """The same graph doubles again."""
    assert_close(exported(double=[tf.TensorSpec([None], "float32")]).double(np.float32([4])), [8])


@points(1)
def test_if_possible(student, exported, tf, rng):
    """It doubles, as a graph or without one."""
    x = rng.normal(size=3).astype("float32")
    double = exported.if_possible(double=[tf.TensorSpec([3], "float32")]).double
    assert_close(double(x), x + x)


@by_testimony
@points(1)
def test_said(student, exported, tf, rng):
    """What it says is not only evidence."""
    x = rng.normal(size=3).astype("float32")
    assert_close(exported(double=[tf.TensorSpec([3], "float32")]).double(x), x + x)
    assert_close(student.double(x), x + x)


@cross_checked
@points(1)
def test_two(student, rng):
    """Two calls do not disturb each other."""
    first, second = rng.normal(size=2)
    assert_close([student.double(first), student.double(second)], [first + first, second + second])
'''
CASES = '''
import numpy as np

from gradetape.checks import assert_close, assert_grads_flow, assert_each, in_worker, points


@points(2)
def test_cases(student, exported, rng):
    """There is a graph for each shape, dtype and plain value."""
    x, n = rng.normal(size=(2, 3)).astype("float32"), rng.integers(9, size=4).astype("int32")
    cases = {"a matrix": (x,), "a vector": (x[0],), "integers": (n,), "a scalar": (np.float32(0.5),)}
    graphs = exported.if_possible(double=list(cases.values()))
    assert_each(graphs.double, cases, lambda x: x + x)
    assert_close(assert_grads_flow(graphs.double, x), 2 + 0 * x)


@in_worker
def scaled(double):
    """Return a function with a plain argument."""
    def scaled(x, by):
        return by * double(x)

    return scaled


@points(3)
def test_plain_values(student, exported, rng):
    """Plain values go along."""
    x = rng.normal(size=3).astype("float32")
    graphs = exported(scaled=(scaled(student.double), [(x, 2), (x, 3)]))
    assert_close([graphs.scaled(x, 3), graphs.scaled(x, 2)], [6 * x, 4 * x])
'''
STATE = '''
from gradetape.checks import assert_close, points


@points(5)
def test_state(student, exported, tf, rng):
    """Its state goes along."""
    counter, vector = student.Counter(), tf.TensorSpec([None], "float32")
    graphs = exported(add=(counter.add, [vector]), result=(counter.result, []))
    x = rng.normal(size=(2, 4)).astype("float32")
    for row in x:
        graphs.add(row)
    assert_close(graphs.result(), x.sum(), rtol=1e-4)
'''
COUNTER = """import tensorflow as tf

class Counter:
    def __init__(self):
        self.total = tf.Variable(0.0)

    def add(self, x):
        for value in x:
            self.total.assign_add(value)

    def result(self):
        return self.total"""
NUMPY = "import numpy as np\ndef double(x):\n    return np.asarray(x) + np.asarray(x)"

Judged = dict[str, dict[str, CheckResult]]


def course(folder: Path, checks: str = CHECKS) -> Path:
    """The tiny course, whose first question has these hidden checks."""
    root = tiny(folder)
    (root / "autograder/tiny/test_q01_double.py").write_text(checks)
    plan = root / "assignments/tiny/assignment.yml"
    plan.write_text(plan.read_text().replace("q01_double: 3", "q01_double: 6"))
    return root


def graded(root: Path, **answers: str) -> Judged:
    """Grades students' answers in one batch; their checks of the first question by name."""
    files = {f"{student}.ipynb": notebook(answer) for student, answer in answers.items()}
    run = gradetape(write_files(root, files), "grade", *files, "--regrade")
    assert run.returncode == 0, run.stderr
    with Gradebook.open(root / "results" / "gradebook.sqlite") as book:
        grades = {grade.student: grade for grade in book.latest("tiny")}
    return {student: {each.check.name: each for each in grades[student].of("q01_double")} for student in answers}


def said(found: dict[str, CheckResult], *names: str) -> list[tuple[str, str]]:
    """The verdicts of checks, and what they rest on."""
    return [(found[name].verdict.value, found[name].basis.value) for name in names]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return course(tmp_path_factory.mktemp("evidence") / "course")


# Right if it is called, wrong if it is traced, and never ending when it is traced.
OTHER_GRAPHS = {
    "wrong": "import tensorflow as tf\ndef double(x):\n    return x + x if tf.executing_eagerly() else 3 * x",
    "endless": "import tensorflow as tf\ndef double(x):\n    while not tf.executing_eagerly():\n        pass\n"
    "    return x + x",
}
ANSWERS = {"graph": DOUBLE, "wrong": OTHER_GRAPHS["wrong"], "more": f"{DOUBLE} + 1", "numpy": NUMPY}


@pytest.fixture(scope="module")
def judged(root: Path) -> Judged:
    """The checks of each answer; the one that never ends is in a batch of its own and disturbs no other."""
    return graded(root, **ANSWERS) | graded(root, endless=OTHER_GRAPHS["endless"])


def test_a_function_of_tensorflow_is_judged_by_its_graph(judged: Judged) -> None:
    found = judged["graph"]
    assert said(found, "test_graph", "test_again", "test_if_possible") == [("passed", "evidence")] * 3
    assert said(found, "test_said", "test_two") == [("passed", "testimony"), ("passed", "cross-checked")]


def test_there_is_a_graph_for_each_case(tmp_path: Path) -> None:
    root = course(tmp_path / "course", CASES)
    found = graded(root, alice=DOUBLE)["alice"]
    assert said(found, "test_cases", "test_plain_values") == [("passed", "evidence")] * 2


@pytest.mark.parametrize("answer", OTHER_GRAPHS)
def test_an_answer_that_is_right_without_a_graph_loses_nothing_where_none_is_asked_for(
    judged: Judged, answer: str
) -> None:
    assert said(judged[answer], "test_if_possible") == [("passed", "testimony")]


def test_a_wrong_answer_fails_with_graphs_and_without(judged: Judged) -> None:
    found = judged["more"]
    assert [verdict for verdict, _ in said(found, "test_graph", "test_if_possible")] == ["failed", "failed"]


def test_numpy_has_no_graph_and_is_believed_only_where_no_graph_is_asked_for(judged: Judged) -> None:
    found = judged["numpy"]
    assert said(found, "test_graph", "test_if_possible") == [("error", "testimony"), ("passed", "testimony")]


def test_an_object_that_was_traced_in_vain_is_made_anew(tmp_path: Path) -> None:
    root = course(tmp_path / "course", STATE.replace("exported(", "exported.if_possible("))
    (root / "solutions/tiny/q01_double.py").write_text(f"{COUNTER}\n\n\ndef double(x):\n    return x + x\n")
    in_python = COUNTER.replace("tf.Variable(0.0)", "0.0").replace(
        "self.total.assign_add(value)", "self.total += value"
    )
    assert said(graded(root, alice=in_python)["alice"], "test_state") == [("passed", "testimony")]


def test_state_goes_along(tmp_path: Path) -> None:
    root = course(tmp_path / "course", STATE)
    (root / "solutions/tiny/q01_double.py").write_text(f"{COUNTER}\n\n\ndef double(x):\n    return x + x\n")
    found = graded(root, alice=COUNTER)["alice"]
    assert said(found, "test_state") == [("passed", "evidence")]


def test_verify_shows_what_the_points_rest_on_and_what_a_puppet_gets(root: Path) -> None:
    run = gradetape(root, "verify", "tiny", "--question", "q01_double")
    [row] = [line for line in run.stdout.split("rest on")[1].splitlines() if line.startswith("│ q01_double")]
    assert [cell.strip() for cell in row.strip("│ ").split("│")] == ["q01_double", "3", "1", "2", "3, too many"]
    assert "puppet" not in "".join(line for line in run.stdout.splitlines() if line.startswith("✗"))
