"""The students' folder: what is in it, what is refused, and how it works in a kernel that has no gradetape."""

from __future__ import annotations

import ast
import re
import shutil
import zipfile
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
    raises,
)

SIZE = 4


@in_worker
def rank_of_result(fn):
    return fn(tf.zeros([2, 3])).shape.rank


@points(2)
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


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def make_course(root: Path, **changed: str) -> Path:
    """A course of one assignment; `checks="…"` replaces the public checks of its first question."""
    home = "assignments/first-steps"
    files = {
        "grader_config.yml": "",
        f"{home}/assignment.yml": ASSIGNMENT,
        f"{home}/introduction.md": "# First steps\n\nWelcome, bonjour à tous.\n",
        f"{home}/data/numbers.csv": "1,2\n",
        f"{home}/q01_double/prompt.md": "# Twice as much\n\nWrite `double`.\n",
        f"{home}/q01_double/starter.py": changed.get("starter", STARTER),
        f"{home}/q01_double/test_public.py": changed.get("checks", CHECKS),
        f"{home}/q02_tell/prompt.md": "# Tell\n\nWrite `tell`, which returns what its name says.\n",
        f"{home}/q02_tell/starter.py": "def tell(): ...\n",
        f"{home}/q02_tell/test_public.py": TELL,
    }
    return write(root, files)


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
    write(root, {"solutions/first-steps/q01_double.py": secret, "autograder/first-steps/test_q01_double.py": secret})
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
    assert "tf-keras" in (folder / "requirements.txt").read_text()


def test_nothing_generated_imports_gradetape_or_pytest(released: Path) -> None:
    for file in (released / "tests").glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {name for name in names if name.startswith(("gradetape", "pytest", "_pytest"))}


def test_test_files_open_on_machines_that_do_not_use_utf_8(released: Path) -> None:
    text = (released / "tests" / "q01_double.py").read_text(encoding="ascii")
    assert "much\\u2026" in text


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
    folder = write(built(root), {"notes.txt": "mine", "data/more.csv": "3\n"})
    before = contents(folder)
    with pytest.raises(
        ReleaseError, match=r"would delete: data/more\.csv, notes\.txt\. Move them elsewhere, or delete them"
    ):
        built(root)
    assert contents(folder) == before


def test_what_an_old_release_or_jupyter_left_goes_without_a_word(tmp_path: Path, released: Path) -> None:
    root = make_course(tmp_path)
    write(built(root), {"tests/q03_gone.py": "", ".ipynb_checkpoints/a.ipynb": "", "tests/__pycache__/a.pyc": ""})
    assert contents(built(root)) == contents(released)


def test_a_data_file_cannot_replace_what_release_writes(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    folder = root / "assignments" / "first-steps"
    write(folder, {"assignment.yml": ASSIGNMENT.replace("data/numbers.csv", "README.md"), "README.md": "mine"})
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
    blocker = write(tmp_path_factory.mktemp("blocker"), {"sitecustomize.py": BLOCKER})
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


def test_results_travel_between_processes_as_otter_sends_them(session: Session) -> None:
    assert session.text("results") == "True\n"


def test_export_makes_a_zip_with_the_renamed_notebook_in_it(session: Session) -> None:
    (file,) = session.folder.glob("alice_*.zip")
    with zipfile.ZipFile(file) as archive:
        assert "alice.ipynb" in archive.namelist()
