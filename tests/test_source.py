"""An author's Python file: one reading of it for verify, for the judge and for students."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment, answer
from gradetape.course.source import CellKind, PythonSource, split
from gradetape.errors import CourseError, ReleaseError
from gradetape.intake.notebooks import script_cells
from gradetape.judge.items import refuse_frameworks
from gradetape.release import release
from gradetape.verify.headers import header_of
from gradetape.verify.loading import not_parsed
from tests.course import called, gradetape, tiny, write_files

MARKERS = ("# %%", "#%%", "# %% a title", "# In[1]:", "# In[ ]:")
BOM = "\ufeff"


def source(tmp_path: Path, text: str) -> PythonSource:
    path = tmp_path / "a.py"
    path.write_text(text, encoding="utf-8")
    return PythonSource.read(path)


def with_starter(tmp_path: Path, text: str) -> Path:
    """The tiny course whose q01_double has this starter."""
    root = tiny(tmp_path / "course")
    starter(root).write_text(text, encoding="utf-8")
    return root


def starter(root: Path) -> Path:
    return root / "assignments/tiny/q01_double/starter.py"


def released_cells(root: Path) -> list[Any]:
    """The cells of the released notebook between q01_double's prompt and its check cell."""
    folder = release(courses.find(root).assignment("tiny"), root / "student")
    cells = nbformat.read(folder / "tiny.ipynb", as_version=4).cells
    first = next(number for number, cell in enumerate(cells) if cell.source.startswith("## Twice as much"))
    last = next(number for number, cell in enumerate(cells) if 'grader.check("q01_double")' in cell.source)
    return cells[first + 1 : last]


@pytest.mark.parametrize("marker", MARKERS)
def test_verify_and_students_see_the_same_cells_of_a_starter(tmp_path: Path, marker: str) -> None:
    text = f"import math\n\n{marker}\n\ndef double(x):\n    return x\n\n{marker}\n# a comment\ny = 1\n"
    root = with_starter(tmp_path, text)
    expected = ["import math", "def double(x):\n    return x", "# a comment\ny = 1"]
    assert [cell.source for cell in answer("q01_double", starter(root))] == expected
    assert [(cell.cell_type, cell.source) for cell in released_cells(root)] == [("code", each) for each in expected]


@pytest.mark.parametrize("kind", ["markdown", "md"])
def test_a_markdown_cell_of_a_starter_is_markdown_for_students_and_nothing_for_verify(
    tmp_path: Path, kind: str
) -> None:
    text = f"x = 1\n# %% [{kind}]\n# Use **one** loss:\n#\n#   - yours\n\n# %%\ndef double(x): ...\n"
    root = with_starter(tmp_path, text)
    assert [cell.source for cell in answer("q01_double", starter(root))] == ["x = 1", "def double(x): ..."]
    assert [(cell.cell_type, cell.source) for cell in released_cells(root)] == [
        ("code", "x = 1"), ("markdown", "Use **one** loss:\n\n  - yours"), ("code", "def double(x): ..."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "x = 1\n# %% [raw]\n# a\n",
            "starter.py, line 3: students' notebooks cannot contain a raw cell. Begin it with",
        ),
        ("# %% [md]\n# a\nb = 2\n", "starter.py, line 3: this line of a Markdown cell is not a comment. Begin it"),
        ("x = 1\n#%%\n\nx = = 1\n", "starter.py, line 4: invalid syntax. Correct it: students begin with this cell."),
        ("x = 1\n# %%\nx = 1\n# %%\ny = (\n", "starter.py, line 5: '(' was never closed."),
    ],
)
def test_a_starter_that_makes_no_cells_for_students_is_refused_with_its_line(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(ReleaseError) as refused:
        released_cells(with_starter(tmp_path, text))
    assert words in str(refused.value)


def test_students_scripts_and_authors_files_are_split_alike(tmp_path: Path) -> None:
    text = "a = 1\n#%%\nb = 2\n# In[3]:\nc = 3\n# %% [markdown]\n# prose\n# %% [raw]\nraw\n# %% d\nd = 4\n"
    ours = [cell.text for cell in source(tmp_path, text).code]
    assert ours == [cell.source.strip() for cell in script_cells(text)] == ["a = 1", "b = 2", "c = 3", "d = 4"]


def test_a_cell_knows_its_kind_its_header_and_its_first_line(tmp_path: Path) -> None:
    cells = source(tmp_path, "\n\n  \nx = 1\n\f\n# %% [md] a title\n\n# prose\n# %%\n\n").cells
    assert [(cell.kind, cell.header, cell.text, cell.line) for cell in cells] == [
        (CellKind.CODE, "", "x = 1", 4), (CellKind.MARKDOWN, " [md] a title", "# prose", 8),
    ]  # fmt: skip


def test_the_line_of_a_cell_is_pythons(tmp_path: Path) -> None:
    text = "a = 1\n\f\n'\u2028'\n# %%\nb = )\n"
    read = source(tmp_path, text)
    assert read.code[1].line == 5
    assert read.syntax_error == read.at(5, "unmatched ')'")


def test_splitting_loses_nothing() -> None:
    text = "a\n# %% x\n\n\nb\r\n#%%\n"
    assert [cell.text for cell in split(text)] == ["a\n", "\n\nb\r\n", ""]


def test_what_python_cannot_read_is_an_error_with_file_and_line(tmp_path: Path) -> None:
    read = source(tmp_path, "x = 1\ny = (\n")
    with pytest.raises(CourseError, match=r"a\.py, line 2: '\(' was never closed\. Correct it\."):
        _ = read.tree
    assert source(tmp_path, "x = '\0'\n").syntax_error is not None
    assert source(tmp_path, "x = 1\n").syntax_error is None


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("# Übung\n".encode("latin-1"))
    with pytest.raises(CourseError, match=r"a\.py is not UTF-8 text\. Save it as UTF-8\."):
        PythonSource.read(tmp_path / "a.py")


def test_the_second_of_two_equal_cells_is_reported_with_its_own_line(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = (\n# %%\ny = 2\n# %%\nx = (\n")
    assert [problem.split(": ")[0] for problem in not_parsed(path)] == [f"{path}, line 1", f"{path}, line 5"]


# A byte order mark, as Windows writes it


def marked(path: Path) -> Path:
    path.write_text(BOM + path.read_text(encoding="utf-8"), encoding="utf-8")
    return path


CHECK = '''
from gradetape.checks import points

@points({points})
def test_{name}(student, rng):
    """Numbers are doubled."""
    x = int(rng.integers(10, 10**9))
    assert student.double(x) == 2 * x
'''
FILES = {
    "assignments/tiny/q01_double/test_public.py": CHECK.format(points=1, name="numbers"),
    "autograder/tiny/test_q01_double.py": CHECK.format(points=2, name="random"),
    "solutions/tiny/variants/q01_double/twice.py": '"""By multiplication."""\n\ndef double(x):\n    return 2 * x\n',
    "solutions/tiny/mutants/q01_double/adds_one.py": (
        '"""Adds one."""\n# fails: public::test_numbers, hidden::test_random\n\ndef double(x):\n    return x + 1\n'
    ),
}


def test_a_byte_order_mark_changes_nothing_for_any_kind_of_file(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    write_files(root, FILES)
    plain = GradableAssignment.open(courses.find(root), "tiny")
    before = plain.names_asked, plain.reference
    files = [path for folder in ("assignments", "solutions", "autograder") for path in (root / folder).rglob("*.py")]
    assert {path.relative_to(root).as_posix() for path in map(marked, files)} > set(FILES)
    again = GradableAssignment.open(courses.find(root), "tiny")
    assert (again.names_asked, again.reference) == before
    assert header_of(root / "solutions/tiny/mutants/q01_double/adds_one.py", legacy=False).fails
    for path in again.check_files:
        refuse_frameworks(path)
    run = gradetape(root, "verify", "tiny", "--question", "q01_double")
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_starter_and_public_checks_with_a_byte_order_mark_are_released(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    expected = [cell.source for cell in released_cells(root)]
    for path in (root / "assignments").rglob("*.py"):
        marked(path)
    run = called(root, "release")
    assert run.returncode == 0, run.stderr
    assert [cell.source for cell in released_cells(root)] == expected
    released = "".join(path.read_text() for path in (root / "student").rglob("*") if path.is_file())
    assert BOM not in released and "\\ufeff" not in released
