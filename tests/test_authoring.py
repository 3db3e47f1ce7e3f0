"""The examples of the authors' guide: all parse, and those of the fixtures run as the checks that they are."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from gradetape.course.requirements import requirements_of
from tests.course import gradetape, tiny

PAGE = (Path(__file__).parents[1] / "docs" / "authoring.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SOLUTION = """\
import numpy as np
import tensorflow as tf


def save_doubling(folder):
    module = tf.Module()
    module.__call__ = tf.function(lambda x: x + x, input_signature=[tf.TensorSpec((None, None), "float32")])
    tf.saved_model.save(module, str(folder))


def total(x):
    return tf.reduce_sum(x)


def write(x, path):
    np.save(path, x)
"""
WRONG = SOLUTION.replace("x + x", "x").replace("np.save(path, x)", "np.save(path, x + 1)").replace(
    "return tf.reduce_sum(x)", "result = 0.0\n    for each in x:\n        result += each\n    return result"
)  # fmt: skip


def examples(*words: str) -> list[str]:
    return [text for kind, text in EXAMPLES if kind == "python" and any(word in text for word in words)]


def test_every_example_parses() -> None:
    assert len(examples("def ")) >= 4
    for kind, text in EXAMPLES:
        if kind == "python":
            ast.parse(text)
        if kind == "markdown":
            assert [each.id for each in requirements_of(text)] == ["row-per-sentence", "empty-row"]


@pytest.mark.slow
@pytest.mark.parametrize(("solution", "verdict"), [(SOLUTION, "passed"), (WRONG, "failed")])
def test_the_examples_of_the_fixtures_are_checks(tmp_path: Path, solution: str, verdict: str) -> None:
    root = tiny(tmp_path / "course")
    found = examples("def test_portable", "def test_no_loop", "def test_written")
    head = "import re\nimport numpy as np\nfrom gradetape.checks import assert_close, hint, in_worker, points, proves\n"
    hidden = root / "autograder/tiny/test_q02_halve.py"
    hidden.write_text("\n\n".join([head, *found]))
    (root / "solutions/tiny/q02_halve.py").write_text(SOLUTION + "\n\ndef halve(x):\n    return x / 2\n")
    (root / "assignments/tiny/assignment.yml").write_text("title: T\nquestions:\n  q01_double: 3\n  q02_halve: 5\n")
    (root / "ada.py").write_text(solution + "\n\ndef halve(x):\n    return x / 2\n")
    run = gradetape(root, "grade", "ada.py", "--assignment", "tiny", "--json")
    [submission] = json.loads(run.stdout)["submissions"]
    verdicts = {
        check["name"]: check["verdict"]
        for question in submission["questions"].values()
        for check in question["checks"]
        if check["name"] in ("test_portable", "test_no_loop", "test_written")
    }
    assert verdicts == dict.fromkeys(("test_portable", "test_no_loop", "test_written"), verdict), run.stdout
