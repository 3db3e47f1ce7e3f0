"""Each question is checked under the settings of the process with which its own cells ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradetape.checks import in_worker
from gradetape.records import Cell
from gradetape.runtime.launch import LocalZygote
from gradetape.wire.operations import Operation
from tests.course import by_student, gradetape, tiny
from tests.remote_sessions import OpenSession, open_session, started


@pytest.fixture(scope="module")
def zygote() -> Iterator[LocalZygote]:
    with started() as zygote:
        yield zygote


@in_worker
def in_force() -> dict[str, Any]:
    import warnings

    return {
        "policy": keras.config.dtype_policy().name,  # noqa: F821
        "floatx": keras.config.floatx(),  # noqa: F821
        "format": keras.config.image_data_format(),  # noqa: F821
        "eager": tf.executing_eagerly(),  # noqa: F821
        "functions": tf.config.functions_run_eagerly(),  # noqa: F821
        "errors": np.geterr()["divide"],  # noqa: F821
        "warnings": any(each[:3] == ("error", None, Warning) for each in warnings.filters),
    }


USUAL = {
    "policy": "float32", "floatx": "float32", "format": "channels_last", "eager": True, "functions": False,
    "errors": "warn", "warnings": False,
}  # fmt: skip
CHANGES = {
    "policy": ("keras.config.set_dtype_policy('mixed_float16')", "mixed_float16", "Keras's dtype policy"),
    "floatx": ("keras.config.set_floatx('float64')", "float64", "Keras's floatx"),
    "format": ("keras.config.set_image_data_format('channels_first')", "channels_first", "Keras's image format"),
    "eager": ("tf.compat.v1.disable_eager_execution()", False, "eager execution"),
    "functions": ("tf.config.run_functions_eagerly(True)", True, "running functions eagerly"),
    "errors": ("np.seterr(all='raise')", "raise", "NumPy's floating-point errors"),
    "warnings": ("import warnings; warnings.simplefilter('error')", True, "which warnings are errors"),
}
IMPORTS = "import keras, numpy as np, tensorflow as tf"


def found(opened: OpenSession, question: str) -> dict[str, Any]:
    """What is in force in the checks of a question."""
    opened.session.ready().ask(Operation.SEED, 1, question)
    values: dict[str, Any] = in_force()
    return values


@pytest.mark.parametrize("name", CHANGES)
def test_a_setting_holds_for_the_questions_that_were_answered_under_it(zygote: LocalZygote, name: str) -> None:
    change, value, told = CHANGES[name]
    cells = (
        Cell(source=IMPORTS), Cell(source="a = 1", question="q01"), Cell(source=change, question="q02"),
        Cell(source="b = 1", question="q03"),
    )  # fmt: skip
    with open_session(zygote, *cells) as opened:
        for _ in range(2):
            assert found(opened, "q01")[name] == USUAL[name]
            assert found(opened, "q02")[name] == found(opened, "q03")[name] == value
        assert found(opened, "q04")[name] == USUAL[name]
        (event,) = (event for event in opened.session.report.events if event.kind == "note")
        assert event.cell == 2 and told in event.text
        assert event.text.endswith("the checks of each question run under the settings at the end of its own cells")


def test_a_setting_of_a_cell_that_belongs_to_no_question_holds_where_no_cell_does(zygote: LocalZygote) -> None:
    with open_session(zygote, f"{IMPORTS}\nkeras.config.set_floatx('float64')") as opened:
        assert found(opened, "q01")["floatx"] == "float64"


def test_the_last_cell_of_a_question_counts(zygote: LocalZygote) -> None:
    cells = (
        Cell(source=f"{IMPORTS}\nkeras.config.set_floatx('float64')", question="q01"),
        Cell(source="keras.config.set_floatx('float16')", question="q01"),
        Cell(source="keras.config.set_floatx('float32')"),
    )  # fmt: skip
    with open_session(zygote, *cells) as opened:
        assert found(opened, "q01")["floatx"] == "float16"


def test_ordinary_work_changes_no_setting(zygote: LocalZygote) -> None:
    cells = (
        f"{IMPORTS}\nimport matplotlib.pyplot as plt, warnings\nwarnings.filterwarnings('ignore')",
        "m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])\nm.compile('sgd', 'mse')\n"
        "m.fit(np.zeros((4, 3)), np.zeros((4, 1)), verbose=0)",
        "tf.random.set_seed(1); np.random.seed(2); keras.utils.set_random_seed(3); keras.backend.clear_session()",
    )
    with open_session(zygote, *cells) as opened:
        opened.session.ready()
        assert [event for event in opened.session.report.events if event.kind == "note"] == []
        assert opened.session.report.review == ()


def test_a_notebook_cannot_choose_another_keras_and_is_told(zygote: LocalZygote) -> None:
    cell = "%env TF_USE_LEGACY_KERAS=1\nimport os, tensorflow as tf\nv = tf.keras.__version__[0]"
    with open_session(zygote, cell, "left = os.environ.get('TF_USE_LEGACY_KERAS')") as opened:
        assert opened.student.v == "3" and opened.student.left is None
        notes = [event.text for event in opened.session.report.events if event.kind == "note"]
        assert notes == [
            "TF_USE_LEGACY_KERAS had no effect: this course is graded with Keras 3, and `tf.keras` is that one"
        ]


def test_what_a_submission_does_to_what_sets_costs_no_check(zygote: LocalZygote) -> None:
    cell = f"{IMPORTS}\nkeras.config.set_floatx('float64')\nkeras.config.floatx = np.seterr = np.geterr = None"
    with open_session(zygote, Cell(source=cell, question="q01"), "def f(x): return x + 1") as opened:
        opened.session.ready().ask(Operation.SEED, 1, "q02")
        assert opened.student.f(1) == 2


CHECK = """

@points({points})
def test_settings(student, keras, tf):
    '''The settings are those of the answer.'''
    assert (keras.config.floatx(), keras.config.dtype_policy().name) == {expected!r}
    assert float(tf.reduce_sum(tf.ones(3))) == 3
"""
SCRIPT = """# %% tags=["question:q01_double"]
import keras, tensorflow as tf, numpy as np, warnings
def double(x):
    return x + x
# %% tags=["question:q02_halve"]
keras.config.set_floatx("float64")
def halve(x):
    return x * 0.5
# %%
keras.config.set_dtype_policy("mixed_float16")
tf.compat.v1.disable_eager_execution()
np.seterr(all="raise")
warnings.simplefilter("error")
"""


def test_a_right_notebook_keeps_its_points_whatever_its_last_cell_sets(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    for question, expected in (("q01_double", ("float32", "float32")), ("q02_halve", ("float64", "float64"))):
        checks = root / f"autograder/tiny/test_{question}.py"
        checks.write_text(checks.read_text() + CHECK.format(points=0, expected=expected))
    reference = root / "solutions/tiny/q02_halve.py"
    reference.write_text(f"import keras\nkeras.config.set_floatx('float64')\n{reference.read_text()}")
    (root / "alice.py").write_text(SCRIPT)
    run = gradetape(root, "grade", "alice.py", "--json", "--assignment", "tiny")
    grade = by_student(run)["alice"]
    checks_of = [each for question in grade["questions"].values() for each in question["checks"]]
    assert {each["name"]: each["verdict"] for each in checks_of if each["name"] == "test_settings"} == {
        "test_settings": "passed"
    }
    assert grade["points"] == 5, [each for each in checks_of if each["verdict"] != "passed"]
