"""Graphs of students' functions, which run in a worker that never runs the student's Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.course import by_student, gradetape, notebook, tiny

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
PUPPET = """import sys
import numpy as np
def climb():
    frame = sys._getframe()
    while type(frame.f_locals.get("self")).__name__ != "Worker":
        frame = frame.f_back
    return frame
frame = climb()
operations = frame.f_locals["self"]._operations

def double(x):
    return np.asarray(x) + np.asarray(x)
"""


def course(folder: Path, checks: str = CHECKS) -> Path:
    """The tiny course, whose first question has these hidden checks."""
    root = tiny(folder)
    (root / "autograder/tiny/test_q01_double.py").write_text(checks)
    plan = root / "assignments/tiny/assignment.yml"
    plan.write_text(plan.read_text().replace("q01_double: 3", "q01_double: 6"))
    return root


def graded(root: Path, *cells: str) -> dict[str, Any]:
    """The hidden checks of the first question by name."""
    (root / "alice.ipynb").write_text(notebook(*cells))
    run = gradetape(root, "grade", "alice.ipynb", "--json")
    assert run.returncode == 0, run.stderr
    return {each["name"]: each for each in by_student(run)["alice"]["questions"]["q01_double"]["checks"]}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return course(tmp_path_factory.mktemp("evidence") / "course")


def test_a_function_of_tensorflow_is_judged_by_its_graph(root: Path) -> None:
    found = graded(root, "def double(x):\n    return x + x\n")
    assert {name: (each["verdict"], each["basis"]) for name, each in found.items() if name != "test_two_numbers"} >= {
        "test_graph": ("passed", "evidence"),
        "test_again": ("passed", "evidence"),
        "test_if_possible": ("passed", "evidence"),
        "test_said": ("passed", "testimony"),
    }.items()


def test_numpy_has_no_graph_and_is_believed_only_where_no_graph_is_asked_for(root: Path) -> None:
    found = graded(root, PUPPET)
    verdicts = {name: (each["verdict"], each["basis"]) for name, each in found.items()}
    assert verdicts["test_graph"] == ("error", "evidence")
    assert verdicts["test_if_possible"] == ("passed", "testimony")


def test_state_goes_along(tmp_path: Path) -> None:
    root = course(tmp_path / "course", STATE)
    (root / "solutions/tiny/q01_double.py").write_text(f"{COUNTER}\n\n\ndef double(x):\n    return x + x\n")
    found = graded(root, COUNTER)
    assert (found["test_state"]["verdict"], found["test_state"]["basis"]) == ("passed", "evidence"), found["test_state"]


def test_verify_says_what_the_points_rest_on_and_what_a_puppet_gets(root: Path) -> None:
    run = gradetape(root, "verify", "tiny", "--question", "q01_double", "--json")
    proof = json.loads(run.stdout)
    assert proof["bases"] == [{"question": "q01_double", "evidence": 3, "cross-checked": 1, "testimony": 2}]
    puppet = next(each for each in proof["bounds"] if each["name"] == "puppet")
    assert puppet["points"] == 3  # what is said, and what needs no graph
