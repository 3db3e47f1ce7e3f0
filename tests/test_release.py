"""The students' folder: what is in it, what is refused, and how it works in a kernel that has no gradetape."""

from __future__ import annotations

import ast
import re
import shutil
import zipfile
from importlib.metadata import version
from pathlib import Path
from textwrap import dedent
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from gradetape import checks, scaffold
from gradetape.course import assignments as course
from gradetape.errors import ReleaseError
from gradetape.release import release
from tests.course import write_files

ASSIGNMENT = """\
title: First steps
questions:
  q01_double: 4
  q02_tell: 1
data: [data/numbers.csv]
deadline: 2026-10-01T23:59:00+02:00
"""

STARTER = """\
import tensorflow as tf

# %% the function itself
def double(x):
    return x
"""

CHECKS = '''\
"""What students can run."""

from __future__ import annotations

import numpy as np

from gradetape.checks import (
    assert_close,
    in_worker,
    hint,
    points,
    proves,
    raises,
)

SIZE = 4


@in_worker
def rank_of_result(fn):
    return fn(tf.zeros([2, 3])).shape.rank


@points(2)
@proves(
    "twice",
    "same-rank",
)
@hint("Add the argument to itself.")
def test_doubles(student, rng):
    """The result is twice the argument."""
    x = rng.normal(size=SIZE)
    assert_close(student.double(x), 2 * x, "Is it <twice> as much…?")


@points(1)
def test_rank(student):
    """The rank stays."""
    assert rank_of_result(student.double) == 2, "a matrix should come back as a matrix"


@points(1)
def test_saves(student, keras, tf, worker_tmp_path):
    """A model that uses it can be saved."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.save(worker_tmp_path / "model.keras")
    with raises(ValueError, "a model has no such layer"):
        model.get_layer("no such layer")
    assert (worker_tmp_path / "model.keras").is_file() and tf.constant(1) == 1
'''

PROMPT = """\
# Twice as much

Write `double`.

- <!-- requirement: twice --> It returns *twice* its argument, `2 * x`,
  <!-- requirement: same-rank --> as an array of the **same** rank
"""

TELL = '''\
from gradetape.checks import points


@points(1)
def test_tells(student):
    """It tells."""
    assert student.tell() == "told"
'''

BLOCKER = """\
import sys


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"gradetape", "pytest", "_pytest"}:
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, Blocker())
"""


def make_course(root: Path, **changed: str) -> Path:
    """A course of one assignment; `checks="…"` replaces the public checks of its first question."""
    home = "assignments/first-steps"
    files = {
        "grader_config.yml": "",
        f"{home}/assignment.yml": ASSIGNMENT,
        f"{home}/introduction.md": "# First steps\n\nWelcome, bonjour à tous.\n",
        f"{home}/data/numbers.csv": "1,2\n",
        f"{home}/q01_double/prompt.md": PROMPT,
        f"{home}/q01_double/starter.py": changed.get("starter", STARTER),
        f"{home}/q01_double/test_public.py": changed.get("checks", CHECKS),
        f"{home}/q02_tell/prompt.md": "# Tell\n\nWrite `tell`, which returns what its name says.\n",
        f"{home}/q02_tell/starter.py": "def tell(): ...\n",
        f"{home}/q02_tell/test_public.py": TELL,
    }
    return write_files(root, files)


def built(root: Path) -> Path:
    return release(course.find(root).assignment("first-steps"), root / "student")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(make_course(tmp_path_factory.mktemp("course")))


@pytest.fixture(scope="module")
def notebook(released: Path) -> Any:
    return nbformat.read(released / "first-steps.ipynb", as_version=4)


def test_two_runs_in_different_places_give_the_same_bytes(released: Path, tmp_path: Path) -> None:
    again = built(make_course(tmp_path / "elsewhere"))
    assert contents(again) == contents(released)
    assert contents(built(tmp_path / "elsewhere")) == contents(released), "and so does a run over an old folder"
    assert [entry.name for entry in again.parent.iterdir()] == ["first-steps"]


def test_students_get_these_files_and_no_others(released: Path) -> None:
    own = {"first-steps.ipynb", "README.md", "requirements.txt", "data/numbers.csv"}
    assert set(contents(released)) == own | {"tests/q01_double.py", "tests/q02_tell.py"}


def test_secrets_never_reach_students(tmp_path: Path, released: Path) -> None:
    root = make_course(tmp_path)
    secret = "SECRET-4711"
    write_files(
        root, {"solutions/first-steps/q01_double.py": secret, "autograder/first-steps/test_q01_double.py": secret}
    )
    assert contents(built(root)) == contents(released), "what is secret changes nothing"


def test_the_notebook_holds_the_question_sources_in_order(notebook: Any) -> None:
    sources = [cell.source for cell in notebook.cells]
    positions = [
        next(number for number, source in enumerate(sources) if part in source)
        for part in (
            "à tous",
            "Before you start",
            "otter.Notebook()",
            "## Twice as much (4 points)\n\nWrite `double`.",
            "import tensorflow as tf",
            "def double(x):\n    return x",
            'grader.check("q01_double")',
            "## Tell (1 point)",
            'grader.check("q02_tell")',
            "It is due on 1 October 2026 at 23:59 (UTC+02:00).",
            "ignore_log=True",
        )
    ]
    assert positions == sorted(positions) and len(set(positions)) == len(positions)


def test_answer_cells_name_their_question_and_the_notebook_its_assignment(notebook: Any) -> None:
    tags = [tag for cell in notebook.cells for tag in cell.metadata.get("tags", []) if tag.startswith("question:")]
    assert tags == ["question:q01_double"] * 2 + ["question:q02_tell"]
    assert notebook.metadata.gradetape == {"assignment": "first-steps"}
    assert notebook.metadata.kernelspec.name == "python3"
    nbformat.validate(notebook)


def test_the_readme_says_what_to_hand_in_and_when(released: Path) -> None:
    text = (released / "README.md").read_text(encoding="utf-8")
    assert "# First steps" in text and "zip" in text and "1 October 2026" in text and "first-steps.ipynb" in text


def test_a_course_on_legacy_keras_says_so_before_tensorflow_is_imported(tmp_path: Path) -> None:
    folder = release(course.find(make_course(tmp_path)).assignment("first-steps"), tmp_path / "out", legacy_keras=True)
    text = (folder / "first-steps.ipynb").read_text(encoding="utf-8")
    assert 0 < text.find("%env TF_USE_LEGACY_KERAS=1") < text.find("import tensorflow")
    pins = [f"{name}=={version(name)}" for name in ("tensorflow", "keras", "numpy", "tf-keras")]
    assert (folder / "requirements.txt").read_text().split() == ["otter-grader>=7,<8", *pins]
    assert "write `from tensorflow import keras`. Its version is `tf_keras.__version__`. `import keras` is Kera" in text


def test_the_requirements_say_how_legacy_keras_is_tried(released: Path) -> None:
    lines = (released / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["otter-grader>=7,<8", f"tensorflow=={version('tensorflow')}"]
    assert lines[4:] == [
        "# To try legacy Keras: install tf-keras, and set TF_USE_LEGACY_KERAS=1 before TensorFlow is imported."
    ]


def test_nothing_generated_imports_gradetape_or_pytest(released: Path) -> None:
    for file in (released / "tests").glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {name for name in names if name.startswith(("gradetape", "pytest", "_pytest"))}


def test_test_files_open_on_machines_that_do_not_use_utf_8(released: Path) -> None:
    text = (released / "tests" / "q01_double.py").read_text(encoding="ascii")
    assert "much\\u2026" in text


def test_the_sentences_that_a_check_proves_travel_without_ids_and_markdown(released: Path) -> None:
    text = (released / "tests" / "q01_double.py").read_text(encoding="ascii")
    sentences = ("It returns twice its argument, 2 * x …", "… as an array of the same rank …")
    quoted = ", ".join(f'"{sentence}"' for sentence in sentences).encode("ascii", "backslashreplace").decode()
    assert f"@proves({quoted})\n@hint" in text
    assert "same-rank" not in text and "same-rank" not in (released / "first-steps.ipynb").read_text(encoding="utf-8")


def test_only_the_vocabulary_that_is_used_travels(released: Path) -> None:
    assert "def assert_close" in (released / "tests" / "q01_double.py").read_text()
    assert "def assert_close" not in (released / "tests" / "q02_tell.py").read_text()


def test_notebooks_have_everything_that_checks_may_import_from_gradetape(tmp_path: Path) -> None:
    words = f"from gradetape.checks import {', '.join(sorted(checks.__all__))}"
    assert built(make_course(tmp_path, checks=check("def test_a():\n    '''A.'''", words)))


def check(body: str, before: str = "from gradetape.checks import points") -> str:
    return f"{before}\n\n\n{dedent(body)}"


REFUSED = {
    "pytest": (check("def test_a(student):\n    '''A.'''", "import pytest"), 1, "cannot import pytest"),
    "tensorflow": (check("def test_a(student):\n    '''A.'''\n    import tensorflow as tf"), 6, "fixtures"),
    "neighbour": (check("def test_a(student):\n    '''A.'''", "from .helpers import x"), 1, "cannot import .helpers"),
    "unknown word": (check("def test_a():\n    '''A.'''", "from gradetape.checks import magic"), 1, "magic"),
    "renamed word": (check("def test_a():\n    '''A.'''", "from gradetape.checks import points as p"), 1, "without as"),
    "late import": (check("def test_a():\n    '''A.'''\n    from gradetape.checks import hint"), 6, "at the top"),
    "reference": (check("@points(1)\ndef test_a(student, reference):\n    '''A.'''"), 5, "no fixture reference"),
    "clean": (check("def test_a(*, clean):\n    '''A.'''"), 4, "no fixture clean"),
    "source": (check("def test_a(source):\n    '''A.'''"), 4, "hidden"),
    "no docstring": (check("def test_a(student):\n    assert student"), 4, "no docstring"),
    "async": (check("async def test_a(student):\n    '''A.'''"), 4, "is async"),
    "decorator": (check("@parametrize('x', [1])\ndef test_a(student):\n    '''A.'''"), 4, "@parametrize"),
    "duplicate": (check("def test_a():\n    '''A.'''\n\ndef test_a():\n    '''B.'''"), 7, "defined twice"),
    "class": (check("class TestA:\n    def test_a(self):\n        '''A.'''"), 4, "class of checks"),
    "syntax": (check("def test_a(:\n    '''A.'''"), 4, "invalid syntax"),
    "no such requirement": (
        check("@proves('twise')\ndef test_a():\n    '''A.'''"),
        4,
        "the prompt has no requirement 'twise'. Did you mean 'twice'? Correct the id, or write <!-- requirement: twise",
    ),
    "starred": (check("@proves(*IDS)\ndef test_a():\n    '''A.'''"), 4, "@proves(*IDS) names no requirements. Write"),
    "bare proves": (check("@proves\ndef test_a():\n    '''A.'''"), 4, "@proves names no requirements. Write the ids"),
    "taken name": (check("name = 'x'\n\ndef test_a():\n    '''A.'''"), 4, "Rename it"),
    "no check": (check("x = 1"), None, "holds no check"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_checks_that_cannot_run_in_a_notebook_are_refused_with_their_line(tmp_path: Path, case: str) -> None:
    text, line, words = REFUSED[case]
    with pytest.raises(ReleaseError) as refused:
        built(make_course(tmp_path, checks=text))
    place = f"test_public.py, line {line}: " if line else "test_public.py: "
    assert place in str(refused.value) and words in str(refused.value)


@pytest.mark.parametrize("name", ["prompt.md", "introduction.md"])
def test_a_comment_that_is_nearly_a_requirements_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    root = make_course(tmp_path)
    path = next((root / "assignments").rglob(name))
    path.write_text(f"<!-- requirment: more --> It does more.\n\n{path.read_text()}")
    with pytest.raises(ReleaseError) as refused:
        built(root)
    assert f"{name}, line 1: students would read the comment 'requirment: more'. Write it as" in str(refused.value)


def test_text_that_otter_would_change_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="otter assign changes the cell that begins with 'x = 1  # IGNORE'"):
        built(make_course(tmp_path, starter="x = 1  # IGNORE\ny = 2\n"))


def test_a_failure_leaves_the_old_folder_as_it_was(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    before = contents(built(root))
    make_course(root, starter="# the new starter\n", checks="import pytest\n")
    with pytest.raises(ReleaseError):
        built(root)
    assert contents(root / "student" / "first-steps") == before
    assert [entry.name for entry in (root / "student").iterdir()] == ["first-steps"]


def test_a_starter_that_is_not_python_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(
        ReleaseError, match=r"starter\.py, line 7: invalid syntax\. Correct it: students begin with this cell"
    ):
        built(make_course(tmp_path, starter=f"{STARTER}\nx = = 3\n"))


def test_a_notebooks_own_language_is_python_enough_for_a_starter(tmp_path: Path) -> None:
    assert built(make_course(tmp_path, starter=f"%matplotlib inline\n{STARTER}\n# %%\nawait later()\n"))


@pytest.mark.parametrize("file", ["introduction.md", "q01_double/prompt.md", "q02_tell/starter.py"])
def test_placeholders_are_never_given_to_students(tmp_path: Path, file: str) -> None:
    root = make_course(tmp_path)
    path = root / "assignments" / "first-steps" / file
    path.write_text(f"{path.read_text(encoding='utf-8')}\n# {scaffold.PLACEHOLDER}: say more\n", encoding="utf-8")
    with pytest.raises(ReleaseError, match=f"is not ready: fill in {file}, and remove the placeholder line from each"):
        built(root)
    assert not (root / "student").exists()


def test_a_persons_files_in_the_old_folder_are_named_and_stay(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    folder = write_files(built(root), {"notes.txt": "mine", "data/more.csv": "3\n"})
    before = contents(folder)
    with pytest.raises(
        ReleaseError, match=r"would delete: data/more\.csv, notes\.txt\. Move them elsewhere, or delete them"
    ):
        built(root)
    assert contents(folder) == before


def test_what_an_old_release_or_jupyter_left_goes_without_a_word(tmp_path: Path, released: Path) -> None:
    root = make_course(tmp_path)
    write_files(built(root), {"tests/q03_gone.py": "", ".ipynb_checkpoints/a.ipynb": "", "tests/__pycache__/a.pyc": ""})
    assert contents(built(root)) == contents(released)


def test_a_data_file_cannot_replace_what_release_writes(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    folder = root / "assignments" / "first-steps"
    write_files(folder, {"assignment.yml": ASSIGNMENT.replace("data/numbers.csv", "README.md"), "README.md": "mine"})
    shutil.rmtree(folder / "data")
    with pytest.raises(ReleaseError, match=r"release writes a file README\.md for students itself. Rename yours"):
        built(root)


RAISING = """\
def double(x):
    shape = x.shape
    return x + [1, 2, 3][len(shape) + 99]
"""

STEPS = {
    "blocked": """\
for name in ("gradetape", "pytest"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        print(name, "is blocked")
""",
    "raising": RAISING,
    "check raising": 'grader.check("q01_double")',
    "nothing": "del double",
    "check missing": 'grader.check("q01_double")',
    "none": "def double(x): ...",
    "check none": 'grader.check("q01_double")',
    "solution": "def double(x):\n    return x + x\n",
    "check solution": 'grader.check("q01_double")',
    "results": 'import pickle; print(pickle.loads(pickle.dumps(grader.check("q01_double"))).passed_all)',
}


class Session:
    """A notebook that was run from top to bottom, its outputs by the cell's source or by the step's name."""

    def __init__(self, folder: Path, cells: list[Any]) -> None:
        self.folder = folder
        self.cells = cells

    def text(self, name: str, kind: str = "text/plain") -> str:
        cell = next(cell for cell in self.cells if name in (cell.source, cell.metadata.get("step")))
        outputs = cell.get("outputs", [])
        return "\n".join(out.get("text") or out.get("data", {}).get(kind) or out.get("evalue", "") for out in outputs)


@pytest.fixture(scope="module")
def session(released: Path, notebook: Any, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The released notebook under another name, run in a real kernel with more cells before the export."""
    folder = tmp_path_factory.mktemp("student") / "work"
    shutil.copytree(released, folder)
    renamed = (folder / "first-steps.ipynb").rename(folder / "alice.ipynb")
    blocker = write_files(tmp_path_factory.mktemp("blocker"), {"sitecustomize.py": BLOCKER})
    ours = nbformat.from_dict(notebook)
    steps = [nbformat.v4.new_code_cell(source, metadata={"step": name}) for name, source in STEPS.items()]
    export = next(number for number, cell in enumerate(ours.cells) if "ignore_log=True" in cell.source)
    ours.cells[export:export] = steps
    nbformat.write(ours, renamed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(blocker))
        client = NotebookClient(ours, timeout=300, allow_errors=True, resources={"metadata": {"path": str(folder)}})
        client.execute()
    return Session(folder, ours.cells)


def test_the_kernel_of_these_tests_has_neither_gradetape_nor_pytest(session: Session) -> None:
    assert session.text("blocked").split("\n")[:2] == ["gradetape is blocked", "pytest is blocked"]


def test_the_starter_fails_with_the_title_the_expected_value_and_the_hint(session: Session) -> None:
    text = session.text('grader.check("q01_double")')
    assert "The result is twice the argument. result:" in text
    assert re.search(r"Not yet: expected \S+ at index \[0\], but your code gave \S+\.", text)
    assert "Hint: Add the argument to itself." in text
    assert (
        'The question says: "It returns twice its argument, 2 * x …"\n'
        '        The question says: "… as an array of the same rank …"\n\n'
    ) in text, "a failing check ends with what it proves"
    assert "q01_double (public checks; hidden ones follow) results:" in text
    assert "assert_close(student.double(x), 2 * x" in text, "the check's own line"
    assert "The rank stays. result:\n        ✅" in text
    assert session.text('grader.check("q02_tell")').count("Not yet: the condition in the line above is false.") == 1


def test_angle_brackets_reach_the_student_through_otters_page(session: Session) -> None:
    page = session.text('grader.check("q01_double")', "text/html")
    assert "<twice>" not in page.partition("Not yet")[2] and "twice>" in page


def test_an_error_in_the_students_code_shows_the_students_line(session: Session) -> None:
    text = session.text("check raising")
    assert "Your code raised an error: IndexError: list index out of range" in text
    assert "line 3 of the cell, in double: return x + [1, 2, 3][len(shape) + 99]" in text
    assert "call_func" not in text and "explain" not in text


def test_a_missing_name_is_reported_with_what_to_do(session: Session) -> None:
    assert "Missing: double is not defined yet: run the cell that defines it" in session.text("check missing")


def test_a_function_that_returns_nothing_gets_a_sentence_and_not_a_crash(session: Session) -> None:
    text = session.text("check none")
    assert "expected numbers, but your code gave None" in text
    assert "The check could not continue: AttributeError" in text and "Does your code return" in text


def test_the_solution_passes(session: Session) -> None:
    assert "All test cases passed!" in session.text("check solution")
    assert "q01_double (public checks; hidden ones follow)</pre></strong> passed!" in session.text(
        "check solution", "text/html"
    )


def test_results_travel_between_processes_as_otter_sends_them(session: Session) -> None:
    assert session.text("results") == "True\n"


def test_export_makes_a_zip_with_the_renamed_notebook_in_it(session: Session) -> None:
    (file,) = session.folder.glob("alice_*.zip")
    with zipfile.ZipFile(file) as archive:
        assert "alice.ipynb" in archive.namelist()


# What a student reads of errors

ERRORS = '''\
import numpy as np

from gradetape.checks import assert_close, assert_each, in_worker, points


@in_worker
def with_two(fn, x):
    return fn(x, 2)


@points(1)
def test_raises_in_a_graph(student, tf):
    """A graph."""
    student.noisy(tf.ones([2]))


@points(1)
def test_nested(student, tf):
    """A graph that calls a function."""
    student.nested(tf.ones([2]))


@points(1)
def test_runs(student, tf):
    """A graph that runs."""
    student.bounded(tf.ones([2]))


@points(1)
def test_layer(student, tf):
    """A layer."""
    student.Wide()(tf.ones([2, 3]))


@points(1)
def test_signature(student):
    """Two arguments."""
    student.one_argument(1.0, factor=2.0)


@points(1)
def test_signature_in_worker(student):
    """Two arguments in a function."""
    with_two(student.one_argument, 1.0)


@points(1)
def test_class(student):
    """An argument of a class."""
    student.Scale(factor=3)


@points(1)
def test_none(student):
    """None."""
    assert student.nothing(1.0).shape == ()


@points(1)
def test_unpacks(student):
    """A pair."""
    first, second = student.nothing(1.0)


@points(1)
def test_loops(student):
    """Items."""
    for item in student.nothing(1.0):
        assert item


@points(1)
def test_length(student):
    """A length."""
    assert len(student.nothing(1.0)) == 2


@points(1)
def test_zips(student):
    """Pairs."""
    assert dict(zip(student.nothing(1.0), [1, 2]))


@points(1)
def test_calls(student):
    """A function."""
    assert student.dictionary(1.0)(2)


@points(1)
def test_converts(student, tf):
    """A layer that returns nothing."""
    student.Silent()(tf.ones([2, 3]))
    tf.constant(student.nothing(1.0))


@points(1)
def test_adds(student):
    """A sum."""
    assert 1 + student.dictionary(1.0)


@points(1)
def test_dict(student):
    """A dictionary."""
    assert student.dictionary(1.0).shape == ()


@points(1)
def test_method(student):
    """A method."""
    student.Scale(3).scaled(2)


@points(1)
def test_tensor(student, tf):
    """A tensor in the check's own message."""
    given = student.large()
    assert given is None, f"expected None, but large gave {given!r}"


@points(1)
def test_close(student, tf):
    """A tensor in a message of the vocabulary."""
    assert_close(student.large(), tf.zeros([50]))


@points(1)
def test_each(student):
    """Cases."""
    assert_each(student.one_argument, {"one": (1.0,), "two": (1.0, 2.0)}, lambda x: x)


@points(1)
def test_keras(student, keras):
    """Names of Keras."""
    assert keras.losses.mean_squared_error
    assert keras is None, f"expected None, but this is Keras {keras.__version__}"


@points(1)
def test_exported(student, exported, tf):
    """A graph that is loaded again."""
    graphs = exported(eager=[tf.TensorSpec([], "float32")], counting=(student.Counting().add, [(np.float32(3),)]))
    assert_close([graphs.counting(np.float32(n)) for n in (3, 4)], [3, 7])
    assert_close(graphs.eager(np.float32(1)), 0)


@points(1)
def test_not_exported(student, exported, tf):
    """A graph that cannot be had."""
    exported(in_numpy=[tf.TensorSpec([2], "float32")])


@points(1)
def test_exported_if_possible(student, exported, rng):
    """A graph that need not be."""
    x = rng.normal(size=3)
    assert_close(exported.if_possible(in_numpy=[(x,)]).in_numpy(x), np.tanh(x))
    assert_close(exported.if_possible(eager=[(np.float32(1),)]).eager(np.float32(1)), 0)
'''

ANSWER = """\
import numpy as np; import tensorflow as tf
from tensorflow import keras

@tf.function
def noisy(x):
    if tf.reduce_sum(x) > 0:
        raise ValueError("my own error")
    return x

def helper(x):
    for step in range(3):
        x = x + [1.0, 2.0][step]
    return x

@tf.function
def nested(x):
    return helper(x)

@tf.function
def bounded(x):
    tf.debugging.assert_less(x, 0.0, message="too large")
    return x

class Wide(keras.layers.Layer):
    def call(self, inputs):
        return inputs @ tf.ones([7, 2])

class Silent(keras.layers.Layer):
    def call(self, inputs): ...

class Scale:
    def __init__(self, number): ...

def one_argument(x): return tf.constant(x)
def nothing(x): ...
def dictionary(x): return {"x": x}
def large(): return tf.range(50.0)
def eager(x): return x + (1.0 if tf.executing_eagerly() else 2.0)
def in_numpy(x): return np.tanh(x)

class Counting(tf.Module):
    def __init__(self):
        super().__init__()
        self.total = tf.Variable(0.0)

    def add(self, x):
        self.total.assign_add(x)
        return tf.identity(self.total)
"""


def run_in_kernel(folder: Path, *cells: str, **environment: str) -> Session:
    """Cells of a notebook that runs in a folder, beside the notebooks that are there."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        NotebookClient(made, timeout=300, allow_errors=True, resources={"metadata": {"path": str(folder)}}).execute()
    return Session(folder, made.cells)


@pytest.fixture(scope="module", params=["3", "2"])
def messages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What otter shows for each check of `ERRORS`, by the check's title, in both generations of Keras."""
    root = make_course(tmp_path_factory.mktemp("course"), checks=ERRORS)
    legacy = {"TF_USE_LEGACY_KERAS": "1"} if request.param == "2" else {}
    init, check = "import otter\ngrader = otter.Notebook()", 'grader.check("q01_double")'
    text = run_in_kernel(built(root), init, ANSWER, check, **legacy).text(check)
    found = re.findall(r"^    (\S.*) result:\n((?: {8}.*\n|\n)*)", f"{text}\n", re.MULTILINE)
    assert len(found) == ERRORS.count("@points(1)")
    return {"generation": request.param, "all": text, **dict(found)}


def test_an_error_in_a_graph_has_the_students_lines_and_not_those_of_autograph(messages: dict[str, str]) -> None:
    graph, nested = messages["A graph."], messages["A graph that calls a function."]
    assert "Your code raised an error: ValueError: my own error\n" in graph
    assert 'line 7 of the cell, in noisy: raise ValueError("my own error")' in graph
    assert "Your code raised an error: IndexError: list index out of range\n" in nested
    outer = nested.index("line 17 of the cell, in nested: return helper(x)")
    assert outer < nested.index("line 12 of the cell, in helper: x = x + [1.0, 2.0][step]")
    assert not [message for message in messages.values() if "tf__" in message or "in user code" in message]


def test_an_error_while_a_graph_runs_has_the_students_line(messages: dict[str, str]) -> None:
    text = messages["A graph that runs."]
    assert "InvalidArgumentError: assertion failed: [too large]" in text
    assert 'line 21 of the cell, in bounded: tf.debugging.assert_less(x, 0.0, message="too large")' in text
    assert "Detected at node" not in text and "{{node" not in text and "[Op:" not in text


def test_an_error_in_a_layer_has_no_colours(messages: dict[str, str]) -> None:
    text = messages["A layer."]
    assert "Matrix size-incompatible: In[0]: [2,3], In[1]: [7,2]\n" in text
    assert "line 26 of the cell, in call: return inputs @ tf.ones([7, 2])" in text
    assert "\x1b" not in text and "function_node" not in text


def test_arguments_that_do_not_fit_are_named_as_the_check_gives_them(messages: dict[str, str]) -> None:
    label = "The check calls your code with other arguments than it takes: TypeError: "
    named, inner = messages["Two arguments."], messages["Two arguments in a function."]
    scale = messages["An argument of a class."]
    assert f"{label}one_argument() got an unexpected keyword argument 'factor'\n" in named
    assert "The check calls one_argument(1.0, factor=2.0).\n        You defined one_argument(x).\n" in named
    assert f"{label}one_argument() takes 1 positional argument but 2 were given\n" in inner
    assert "The check calls fn(x, 2).\n        You defined one_argument(x).\n" in inner
    assert "The check calls Scale(factor=3).\n        You defined Scale(number).\n" in scale
    assert "Does your code" not in named + inner + scale


def test_a_value_of_another_type_is_named(messages: dict[str, str]) -> None:
    assert "Here nothing(1.0) is None. Does your code return its result?\n" in messages["None."]
    assert "NoneType object\n        Does your code return its result?\n" in messages["A pair."]
    assert "Here nothing(1.0) is None. Does your code return its result?\n" in messages["A length."]
    for title in ("Items.", "Pairs."):
        assert "not iterable\n        Does your code return its result?\n" in messages[title]
    assert "to a Tensor.\n        Does your code return its result?\n" in messages["A layer that returns nothing."]
    assert "Here dictionary(1.0) is a dict. Does your" in messages["A function."]
    assert "It came up in 1 + dictionary(1.0).\n" in messages["A sum."]
    text = messages["A dictionary."]
    assert "Here dictionary(1.0) is a dict. Does your code return what the question asks for?\n" in text
    assert "has no attribute 'scaled'\n        Does your class Scale define it?\n" in messages["A method."]


def test_graphs_are_loaded_again_in_the_notebook(messages: dict[str, str]) -> None:
    assert "Not yet: expected 0, but your code gave 3." in messages["A graph that is loaded again."]
    text = messages["A graph that cannot be had."]
    assert "Your code raised an error: NotImplementedError: Cannot convert a symbolic tf.Tensor" in text
    assert "in in_numpy: def in_numpy(x): return np.tanh(x)" in text
    assert "Not yet: expected 0, but your code gave 2." in messages["A graph that need not be."]
    assert "Assets written" not in messages["all"]


def test_large_tensors_are_not_printed(messages: dict[str, str]) -> None:
    text = messages["A tensor in the check's own message."]
    assert "expected None, but large gave <\u2060tf.Tensor: shape=(50,), dtype=float32>\n" in text
    assert "expected 0 at index [1], but your code gave 1." in messages["A tensor in a message of the vocabulary."]


def test_the_case_in_which_the_code_raises_is_named(messages: dict[str, str]) -> None:
    assert "were given\n        This is the case: two.\n" in messages["Cases."]


def test_keras_in_checks_has_the_names_that_it_has_where_they_are_graded(messages: dict[str, str]) -> None:
    generation = re.search(r"but this is Keras (\d)\.", messages["Names of Keras."])
    assert generation is not None and generation[1] == messages["generation"]


def test_a_missing_folder_of_tests_is_named(released: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(released / "first-steps.ipynb", as_version=4)
    folder = tmp_path / "alone"
    folder.mkdir()
    shutil.copy(released / "first-steps.ipynb", folder)
    cells = [cell.source for cell in notebook.cells if "otter" in cell.source or cell.source.startswith("grader.check")]
    text = run_in_kernel(folder, *cells).text('grader.check("q02_tell")')
    assert "FileNotFoundError: there is no folder tests beside this notebook, and the checks are in it." in text
    assert "q02_tell results:" in text and "raise FileNotFoundError(ADVICE)" in text


def test_with_two_notebooks_the_line_of_the_instructions_exports_one(released: Path, tmp_path: Path) -> None:
    folder = tmp_path / "two"
    shutil.copytree(released, folder)
    shutil.copy(folder / "first-steps.ipynb", folder / "my-notebook.ipynb")
    notebook = nbformat.read(folder / "first-steps.ipynb", as_version=4)
    instructions = next(cell.source for cell in notebook.cells if "because there is another one" in cell.source)
    [line] = re.findall(r"run this in a new cell, .*: `(grader\.export\(.*\))`", instructions)
    cell = next(cell.source for cell in notebook.cells if "ignore_log=True" in cell.source and cell.cell_type == "code")
    session = run_in_kernel(folder, "import otter\ngrader = otter.Notebook()", cell, line)
    assert "Could not resolve notebook path" in session.text(cell)
    [made] = folder.glob("my-notebook_*.zip")
    assert zipfile.ZipFile(made).namelist()[0] == "my-notebook.ipynb"


def test_the_instructions_say_that_hidden_checks_follow(notebook: Any) -> None:
    text = next(cell.source for cell in notebook.cells if "Before you start" in cell.source)
    assert "That they pass is not all: hidden checks follow when your notebook is graded." in text
    assert "such as `keras.losses.mean_squared_error`, write `import keras`" in text
