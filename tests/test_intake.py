"""Every file that is handed in becomes cells of text, or a reason: never an exception, and nothing is run."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import stat
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradetape import intake
from gradetape.errors import SubmissionError
from gradetape.intake.names import clean
from gradetape.intake.notebooks import script_cells
from gradetape.records import Cell, Submission, Unreadable
from tests.refusing import open_folder
from tests.submissions import script


def code(source: str | list[str], **metadata: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def notebook(*cells: Any, **metadata: Any) -> bytes:
    root = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells or [code("x = 1")])}
    return json.dumps(root).encode()


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def put(folder: Path, name: str, data: bytes | None = None) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(notebook(code(f"x = 1  # {name!a}")) if data is None else data)
    return path


def read_one(path: Path, assignment: str | None = None) -> Submission:
    [outcome] = intake.read([path], assignment=assignment)
    assert isinstance(outcome, Submission), outcome
    return outcome


def refused(path: Path) -> str:
    [outcome] = intake.read([path])
    assert isinstance(outcome, Unreadable), outcome
    return outcome.reason


def students(*paths: Path) -> dict[str, str]:
    """Each student's file, or the reason why there is none, by name."""
    outcomes = intake.read(paths)
    found = {o.student: Path(o.file).name if isinstance(o, Submission) else o.reason for o in outcomes}
    assert len(found) == len(outcomes)
    return found


# What is in a notebook


def test_a_notebook_becomes_its_code_cells_in_order(tmp_path: Path) -> None:
    markdown = {"cell_type": "markdown", "metadata": {}, "source": "# Title"}
    data = notebook(code("a = 1"), markdown, code(["b = 2\n", "c = 3"]), code("  \n"))
    read = read_one(put(tmp_path, "alice.ipynb", data))
    assert read.cells == (Cell(source="a = 1"), Cell(source="b = 2\nc = 3"))
    assert (read.student, read.assignment, read.sha256) == ("alice", None, hashlib.sha256(data).hexdigest())


def test_a_cells_tag_names_its_question(tmp_path: Path) -> None:
    data = notebook(
        code("a", tags=["x", "question:q05_custom_loss"]),
        code("b", tags=["question:../../etc"]),
        code("c", tags="question:q05_custom_loss"),
        code("d", tags=[7, None]),
    )
    read = read_one(put(tmp_path, "alice.ipynb", data))
    assert [cell.question for cell in read.cells] == ["q05_custom_loss", None, None, None]


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"gradetape": {"assignment": "loops"}}, "loops"),
        ({"otter": {"assignment_name": "loops"}}, "loops"),
        ({"gradetape": {"assignment": "../x"}, "otter": {"assignment_name": "loops"}}, "loops"),
        ({"gradetape": {"assignment": ["loops"]}}, None),
        ({"gradetape": "loops"}, None),
        ({}, None),
    ],
)
def test_the_assignment_comes_from_the_notebooks_metadata(
    tmp_path: Path, metadata: dict[str, Any], expected: str | None
) -> None:
    assert read_one(put(tmp_path, "alice.ipynb", notebook(**metadata))).assignment == expected


def test_the_assignment_that_is_asked_for_wins_and_a_difference_is_noted(tmp_path: Path) -> None:
    read = read_one(put(tmp_path, "alice.ipynb", notebook(gradetape={"assignment": "loops"})), assignment="trees")
    assert read.assignment == "trees"
    assert "declares the assignment loops; it was graded as trees" in read.notes[0]


@pytest.mark.parametrize("version", [2, 3])
def test_old_formats_are_upgraded(tmp_path: Path, version: int) -> None:
    cells = [
        {"cell_type": "code", "language": "python", "collapsed": False, "input": ["a = 1\n", "b = 2"], "outputs": []},
        {"cell_type": "markdown", "source": "text"},
        {"cell_type": "code", "language": "python", "collapsed": False, "input": "c = 3", "outputs": [{"bad": 1}]},
    ]
    old = {"nbformat": version, "nbformat_minor": 0, "metadata": {"name": "x"}, "worksheets": [{"cells": cells}]}
    read = read_one(put(tmp_path, "alice.ipynb", json.dumps(old).encode()))
    assert [cell.source for cell in read.cells] == ["a = 1\nb = 2", "c = 3"]


def test_a_notebook_that_nbformat_writes_is_read(tmp_path: Path) -> None:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("é = '→'")])
    assert read_one(put(tmp_path, "alice.ipynb", nbformat.writes(made).encode())).cells == (Cell(source="é = '→'"),)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + notebook(),
        notebook({**code("x = 1"), "id": "same"}, {**code("y = 2"), "id": "same"}),
        json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "x = 1"}]}).encode(),
        notebook({**code("x = 1"), "outputs": [{"data": {"application/json": [float("nan"), "\ud800", "\0"]}}]}),
    ],
    ids=["byte order mark", "duplicate ids", "no metadata", "odd outputs"],
)
def test_oddities_that_harm_nobody_are_read(tmp_path: Path, data: bytes) -> None:
    assert read_one(put(tmp_path, "alice.ipynb", data)).cells[0].source == "x = 1"


BROKEN = {
    "empty": (b"", "empty"),
    "only spaces": (b" \n", "empty"),
    "cut off": (notebook()[:-20], "broken or cut off"),
    "a web page": (
        b"<!doctype html><html></html>",
        "is a web page (HTML), not a notebook. Download the notebook itself",
    ),
    "a web page with a mark": (b"\xef\xbb\xbf\n<HTML>", "is a web page (HTML), not a notebook. Download"),
    "a gzip": (gzip.compress(notebook()), "is compressed with gzip. Unpack it, and hand in the notebook."),
    "a RAR archive": (b"Rar!\x1a\x07\x01\x00", "is a RAR archive. Unpack it"),
    "a 7-Zip archive": (b"7z\xbc\xaf\x27\x1c\0\x04", "is a 7-Zip archive. Unpack it"),
    "a PDF": (b"%PDF-1.7\n", "is a PDF. Download the notebook itself"),
    "a renamed zip": (zipped(("a.ipynb", notebook())), "is a zip with the ending .ipynb. Unpack it"),
    "Latin-1": ('{"cells": "# déjà vu"}'.encode("latin-1"), "(byte 14, in line 1, is 0xe9, as in 'déjà' in Latin-1)."),
    "not UTF-8": (b'{"cells": "\xff"}', "not UTF-8"),
    "UTF-16": (notebook().decode().encode("utf-16"), "not UTF-8"),
    "a raw NUL": (b'{"nbformat": 4, "cells": ["\0"]}', "broken or cut off"),
    "a huge number": (b'{"nbformat": 4, "cells": [' + b"7" * 10_000 + b"]}", "broken or cut off"),
    "a list": (b"[]", "not a notebook of format 2, 3 or 4"),
    "another object": (b'{"a": 1}', "not a notebook of format 2, 3 or 4"),
    "format 1": (b'{"nbformat": 1, "cells": []}', "not a notebook of format 2, 3 or 4"),
    "format 5": (b'{"nbformat": 5, "cells": []}', "not a notebook of format 2, 3 or 4"),
    "format true": (b'{"nbformat": true, "cells": []}', "not a notebook of format 2, 3 or 4"),
    "no cells": (b'{"nbformat": 4}', "no list of cells"),
    "cells that are none": (notebook("x"), "Cell 1 of the notebook is malformed"),
    "no source": (notebook({"cell_type": "code"}), "Cell 1 of the notebook has no text"),
    "a source of numbers": (notebook(code([1, 2])), "Cell 1 of the notebook has no text"),  # type: ignore[list-item]
    "half a pair": (notebook(code("x = '\ud800'")), "Code cell 1 holds a character"),
    "NUL in a cell": (notebook(code("x = 1"), code("y = '\0'")), "Code cell 2 holds a character that is not text"),
    "deep": (b"[" * 100_000, "The notebook nests deeper than 200 levels. Open it in Jupyter"),
    "deep after a quoted bracket": (b'{"a\\"[": ' + b'{"a": ' * 300, "deeper than 200"),
    "many cells": (notebook(*[code("x")] * 5_001), "The notebook has 5,001 cells, and 5,000 are allowed. Delete some"),
    "a long cell": (
        notebook(code("#" * (1 << 20) + "#")),
        "is longer than 1,048,576 characters. Read such data from a file",
    ),
    "many values": (
        b"[" + b"[]," * 3_000_001 + b"0]",
        "The notebook holds more than 3,000,000 values in its outputs. Choose",
    ),
    "format 2 with numbers for sheets": (b'{"nbformat": 2, "worksheets": 7}', "cannot be upgraded from format 2"),
    "format 3 without sheets": (b'{"nbformat": 3}', "cannot be upgraded from format 3"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_notebook_is_refused_with_the_reason(tmp_path: Path, kind: str) -> None:
    data, reason = BROKEN[kind]
    assert reason in refused(put(tmp_path, "alice.ipynb", data))


def test_brackets_and_quotes_inside_strings_do_not_count_as_depth(tmp_path: Path) -> None:
    source = "x = '" + '[{\\"\\\\' * 1_000 + "'"
    assert read_one(put(tmp_path, "alice.ipynb", notebook(code(source)))).cells[0].source == source


def test_a_file_beyond_the_cap_is_not_read(tmp_path: Path) -> None:
    path = put(tmp_path, "alice.ipynb")
    os.truncate(path, (64 << 20) + 1)
    assert "The file is larger than 64 MiB. Choose" in refused(path)


@given(data=st.binary(max_size=300) | st.text(alphabet='[]{}",:0nbformatcells \\').map(str.encode))
def test_no_bytes_raise(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    for name in ("a.ipynb", "b.zip", "c.py"):
        put(folder, name, data)
    assert len(intake.read([folder])) == 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(
    version=st.sampled_from([2, 3, 4]),
    key=st.sampled_from(["cell_type", "source", "input", "metadata"]),
    value=JSON,
    metadata=JSON,
)
def test_no_value_in_a_notebooks_place_raises(
    version: int, key: str, value: Any, metadata: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cells = [{"cell_type": "code", "source": "x", "input": "x", key: value}, value]
    root = {"nbformat": version, "metadata": metadata, "cells": cells, "worksheets": [{"cells": cells[:1]}, value]}
    path = put(tmp_path_factory.mktemp("json"), "alice.ipynb", json.dumps(root).encode())
    assert len(intake.read([path])) == 1


# Scripts


def test_a_script_is_split_at_its_percent_lines(tmp_path: Path) -> None:
    text = b'"""Doc."""\n# %% [markdown]\n# prose\n# %% tags=["question:q01_lines"]\na = 1\n#%%\n\n# In[3]:\nb = 2\n'
    read = read_one(put(tmp_path, "bob.py", text))
    assert read.cells == (
        Cell(source='"""Doc."""\n', script=True),
        Cell(source="a = 1\n", question="q01_lines", script=True),
        Cell(source="b = 2\n", script=True),
    )
    assert script_cells(text.decode()) == read.cells


def test_a_script_of_too_many_cells_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "a.py", b"# %%\nx = 1\n" * 5001)
    assert "The file has 5,001 cells, and 5,000 are allowed. Delete some" in refused(path)


def test_a_script_of_millions_of_markers_is_refused_before_they_are_split(tmp_path: Path) -> None:
    path = put(tmp_path, "a.py", b"# %%\n" * (4 << 20))
    tracemalloc.start()
    try:
        assert "The script is longer than 4,194,304 characters" in refused(path)
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


def test_the_submission_that_tests_make_from_text_is_the_one_that_is_read(tmp_path: Path) -> None:
    made = script("reference", "a = 1\n# %%\nb = 2\n", assignment="loops")
    read = read_one(put(tmp_path, "reference.py", b"a = 1\n# %%\nb = 2\n"), assignment="loops")
    assert (made.student, made.assignment, made.cells, made.sha256) == ("reference", "loops", read.cells, read.sha256)


def test_source_that_python_could_not_read_is_refused(tmp_path: Path) -> None:
    for text in ("x = '\0'", "x = '\ud800'"):
        with pytest.raises(SubmissionError, match="Code cell 1 holds a character"):
            script_cells(text)
    assert "not UTF-8" in refused(put(tmp_path, "bob.py", b"x = '\xe9'"))


def test_a_notebook_that_is_called_a_zip_is_told_apart_from_a_damaged_zip(tmp_path: Path) -> None:
    assert "is not a zip: it looks like a notebook. Rename it" in refused(put(tmp_path, "bob.zip", notebook()))


def test_answers_that_are_not_in_code_cells_are_named(tmp_path: Path) -> None:
    text = "Write:\n\n```python\ndef example(x):\n    ...\n```"
    cells = [
        code("x = 1"), markdown(text), markdown("def loss(a, b):\n    return a - b"),
        {"cell_type": "raw", "source": ["class Model:\n", "    pass"]}, markdown("the class is: small"),
    ]  # fmt: skip
    assert read_one(put(tmp_path, "alice.ipynb", notebook(*cells))).notes == (
        "Cell 3 defines loss, but is a Markdown cell, which is not run. Change its type to Code.",
        "Cell 4 defines Model, but is a raw cell, which is not run. Change its type to Code.",
    )


@pytest.mark.parametrize("cells", [[markdown("# An answer")], [code(" \n")], [{"cell_type": "raw", "source": "x"}]])
def test_a_notebook_without_code_is_told(tmp_path: Path, cells: list[Any]) -> None:
    notes = read_one(put(tmp_path, "alice.ipynb", notebook(*cells))).notes
    assert notes == ("The notebook has no code: all its code cells are empty, or it has none.",)


def test_the_released_notebook_has_no_such_cells() -> None:
    (released,) = (Path(__file__).parents[1] / "student").glob("*/*.ipynb")
    assert read_one(released).notes == ()


# Zips


def test_the_zip_that_otter_exports_is_read(tmp_path: Path) -> None:
    data = zipped(
        ("homework.ipynb", notebook(otter={"assignment_name": "loops"})),
        (".OTTER_LOG", b"\x80\x04."),
        ("__zip_filename__", b"homework.zip"),
        ("tensorflow.py", b"raise SystemExit"),
        ("__MACOSX/._homework.ipynb", b"x"),
        (".ipynb_checkpoints/homework-checkpoint.ipynb", notebook()),
    )
    read = read_one(put(tmp_path, "alice_2026_11_22T16_35_00_123456.zip", data))
    assert (read.student, read.assignment, read.cells) == ("alice", "loops", (Cell(source="x = 1"),))
    assert read.sha256 == hashlib.sha256(data).hexdigest()


def link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("alice.ipynb")
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return entry


def locked() -> bytes:
    """A zip whose entry says that it is encrypted."""
    data = bytearray(zipped(("a.ipynb", notebook())))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def understated() -> bytes:
    """A zip whose directory says that its notebook is small."""
    data = bytearray(zipped(("a.ipynb", notebook(code("#" * 1_000_000)))))
    start = data.index(b"PK\x01\x02") + 24
    data[start : start + 4] = (100).to_bytes(4, "little")
    return bytes(data)


BAD_ZIPS = {
    "two notebooks": (
        lambda: zipped(("a.ipynb", notebook()), ("b.ipynb", notebook() + b"\n")),
        "2 notebooks (a.ipynb, b",
    ),
    "none": (lambda: zipped(("a.txt", b"")), "no notebook"),
    "nested": (lambda: zipped(("inner.zip", zipped(("a.ipynb", notebook())))), "a zip inside it is not opened"),
    "slip": (lambda: zipped(("../a.ipynb", notebook())), "has a path outside"),
    "slip on Windows": (lambda: zipped(("x\\..\\..\\a.ipynb", notebook())), "has a path outside"),
    "absolute": (lambda: zipped(("/etc/a.ipynb", notebook())), "has a path outside"),
    "a drive": (lambda: zipped(("C:a.ipynb", notebook())), "has a path outside"),
    "a link": (lambda: zipped((link(), b"/etc/passwd")), "is a link. Hand in the notebook itself"),
    "a password": (locked, "The zip is protected by a password"),
    "a bomb": (lambda: zipped(("a.ipynb", bytes(64 << 20))), "far more than its size"),
    "too large": (
        lambda: zipped(("a.ipynb", os.urandom(1 << 20) + bytes(64 << 20))),
        "The zip's notebook is larger than 64 MiB. Choose",
    ),
    "understated": (understated, "damaged"),
    "bzip2": (lambda: zipped(("a.ipynb", notebook()), how=zipfile.ZIP_BZIP2), "The zip uses an unusual compression"),
    "lzma": (lambda: zipped(("a.ipynb", notebook()), how=zipfile.ZIP_LZMA), "The zip uses an unusual compression"),
    "many entries": (lambda: b"PK\x01\x02" * 10_001, "The zip has more than 10,000 entries"),
    "cut off": (lambda: zipped(("a.ipynb", notebook()))[:-10], "The zip is damaged. Make it again"),
    "no zip": (lambda: b"PK\x05\x06 and nothing", "damaged"),
    "a broken notebook": (lambda: zipped(("a.ipynb", b"{")), "broken or cut off"),
}


@pytest.mark.parametrize("kind", BAD_ZIPS)
def test_a_bad_zip_is_refused_with_the_reason(tmp_path: Path, kind: str) -> None:
    make, reason = BAD_ZIPS[kind]
    assert reason in refused(put(tmp_path, "alice.zip", make()))


# Files and folders


def test_folders_are_searched_and_what_tools_leave_behind_is_skipped(tmp_path: Path) -> None:
    for name in (
        "alice.ipynb",
        "bob.PY",
        "section/carol/any.ipynb",
        "section/carol/data.csv",
        "notes.txt",
        ".hidden/x.ipynb",
        ".x.ipynb",
        "__pycache__/x.py",
        "alice/.ipynb_checkpoints/any.ipynb",
        "__MACOSX/x.ipynb",
    ):
        put(tmp_path, name, b"x = 1" if name.lower().endswith(".py") else None)
    assert students(tmp_path) == {"alice": "alice.ipynb", "bob": "bob.PY", "carol": "any.ipynb"}


def test_a_students_folder_with_one_submission_names_the_student(tmp_path: Path) -> None:
    put(tmp_path, "alice/homework.ipynb")
    put(tmp_path, "bob/homework.ipynb")
    expected = {"alice": "homework.ipynb", "bob": "homework.ipynb"}
    assert students(tmp_path) == students(tmp_path / "alice", tmp_path / "bob") == expected


def test_several_folders_that_were_asked_for_are_students_if_one_of_them_holds_a_single_file(tmp_path: Path) -> None:
    put(tmp_path, "fay/homework.ipynb")
    put(tmp_path, "fay/scratch.ipynb")
    put(tmp_path, "gus/homework.ipynb")
    put(tmp_path, "gus/helper.py", b"x = 1")
    found = students(tmp_path / "fay", tmp_path / "gus")
    assert found.pop("gus") == "homework.ipynb"
    assert list(found) == ["fay"] and "Keep the one to grade and move the others away." in found["fay"]


def test_several_folders_that_were_asked_for_are_sections_if_each_holds_several_files(tmp_path: Path) -> None:
    for name in ("north/alice.ipynb", "north/bob.ipynb", "south/carol.ipynb", "south/dan.ipynb", "eve.ipynb"):
        put(tmp_path, name)
    assert set(students(tmp_path / "north", tmp_path / "south")) == {"alice", "bob", "carol", "dan"}
    assert set(students(tmp_path / "north", tmp_path / "eve.ipynb")) == {"alice", "bob", "eve"}
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "homework.ipynb").symlink_to(tmp_path / "eve.ipynb")
    assert {"alice", "bob"} < set(students(tmp_path / "north", tmp_path / "links"))


def test_files_of_one_name_in_a_students_folder_are_reported_apart(tmp_path: Path) -> None:
    put(tmp_path, "alice/hw.ipynb"), put(tmp_path, "alice/old/hw.ipynb")
    [outcome] = intake.read([tmp_path])
    assert isinstance(outcome, Unreadable) and "hw.ipynb, old/hw.ipynb" in outcome.reason


@pytest.mark.parametrize("name", ["a \u200b b", "e\u200b\u0301x", "\u202e", " a\tb ", "\ud800x"])
def test_a_name_that_was_made_fit_to_be_shown_stays_as_it_is(name: str) -> None:
    assert clean(clean(name)) == clean(name)


def test_the_folder_that_was_asked_for_names_nobody(tmp_path: Path) -> None:
    put(tmp_path, "submissions/alice.ipynb")
    assert students(tmp_path / "submissions") == {"alice": "alice.ipynb"}


def test_a_file_that_is_found_twice_counts_once(tmp_path: Path) -> None:
    path = put(tmp_path, "alice.ipynb")
    assert students(path, path, tmp_path) == {"alice": "alice.ipynb"}


def test_a_students_folder_without_a_submission_is_not_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "alice/homework.ipynb")
    put(tmp_path, "bob/homework.pdf", b"%PDF")
    said = "The folder holds no notebook, script or zip. Found only: homework.pdf. Hand in the notebook itself."
    assert students(tmp_path) == {"alice": "homework.ipynb", "bob": said}


def test_a_file_of_another_kind_that_an_lms_has_named_is_not_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "doejane_12345_67890_homework.ipynb")
    put(tmp_path, "doejane_12345_67891_report.pdf", b"%PDF")
    put(tmp_path, "poemax_12346_67899_report.pdf", b"%PDF")
    put(tmp_path, "Mo Do_12347_assignsubmission_file_/report.pdf", b"%PDF")
    found = students(tmp_path)
    assert found.pop("doejane") == "doejane_12345_67890_homework.ipynb"
    assert "not a notebook (.ipynb)" in found.pop("poemax")
    said = "The folder holds no notebook, script or zip. Found only: report.pdf. Hand in the notebook itself."
    assert found == {"Mo Do": said}


def test_what_is_no_submission_makes_no_student_and_is_reported(tmp_path: Path) -> None:
    put(tmp_path, "alice.ipynb")
    others = {"README.txt", "points.csv", "images_28_28_train.npz", "data"}
    for name in (*others - {"data"}, "data/train.csv", ".DS_Store"):
        put(tmp_path, name, b"")
    assert students(tmp_path) == {"alice": "alice.ipynb"}
    assert {path.name for path in intake.take_in([tmp_path]).passed_over} == others


def test_within_a_section_too_a_students_folder_without_a_submission_is_reported(tmp_path: Path) -> None:
    put(tmp_path, "north/alice/homework.ipynb")
    put(tmp_path, "north/bob/homework.pdf")
    assert set(students(tmp_path)) == {"alice", "bob"}


def test_a_file_by_itself_has_the_name_that_moodles_folder_gives(tmp_path: Path) -> None:
    assert students(put(tmp_path, "Jane Doe_12345_assignsubmission_file_/x.ipynb")) == {"Jane Doe": "x.ipynb"}


def test_an_empty_folder_and_a_missing_file_are_reported(tmp_path: Path) -> None:
    assert "holds no notebook" in refused(tmp_path)
    assert "does not exist" in refused(tmp_path / "x.ipynb")
    assert "not a notebook (.ipynb), script (.py) or zip" in refused(put(tmp_path, "x.docx"))
    assert "cannot be read" in refused(Path("\0.ipynb")) or "does not exist" in refused(Path("\0.ipynb"))


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    secret = put(tmp_path, "secret/secret.ipynb")
    folder = tmp_path / "submissions"
    put(folder, "bob.ipynb")
    (folder / "alice.ipynb").symlink_to(secret)
    (folder / "carol").symlink_to(secret.parent)
    (folder / "loop").symlink_to(folder)
    found = students(folder)
    assert found.pop("bob") == "bob.ipynb"
    assert set(found) == {"alice", "carol", "loop"}
    assert all("is a link" in reason for reason in found.values())


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "alice.ipynb")
    assert "not a regular file" in refused(tmp_path)


def test_folders_within_folders_come_to_an_end(tmp_path: Path) -> None:
    put(tmp_path, "a/" * 40 + "x.ipynb")
    assert "nested too deep" in refused(tmp_path)


@contextmanager
def an_ordinary_user() -> Iterator[None]:
    """Root, who may open everything, is nobody in here."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def test_a_file_or_folder_without_permission_is_reported() -> None:
    with open_folder() as folder:
        put(folder, "alice.ipynb").chmod(0)
        put(folder, "bob/x.ipynb").parent.chmod(0)
        with an_ordinary_user():
            outcomes = intake.read([folder / "alice.ipynb", folder / "bob"])
        (folder / "bob").chmod(0o700)
    assert all(isinstance(outcome, Unreadable) for outcome in outcomes)
    assert {Path(outcome.file).name for outcome in outcomes} == {"alice.ipynb", "bob"}
    reasons = [outcome.reason for outcome in outcomes if isinstance(outcome, Unreadable)]
    assert reasons == [
        "The file cannot be opened: Permission denied. Check its permissions.",
        "The folder cannot be opened: Permission denied. Check its permissions.",
    ]


# Whose it is


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("doejane_12345_67890_homework.ipynb", "doejane"),
        ("doejane_LATE_12345_67890_my_homework-2.ipynb", "doejane"),
        ("Jane Doe_12345_assignsubmission_file_/work.ipynb", "Jane Doe"),
        ("Jane Doe_12345_assignsubmission_file_/deep/er/work.ipynb", "Jane Doe"),
        ("Jane Doe_12345_assignsubmission_file_work.ipynb", "Jane Doe"),
        ("jane_doe.ipynb", "jane_doe"),
        ("jane_2026_11_final.ipynb", "jane_2026_11_final"),
        ("Søren\u202eevil\u0007.ipynb", "Sørenevil"),
        ("e\u0301va.ipynb", "éva"),
        ("x" * 150 + ".ipynb", "x" * 100),
        ("\u202e.ipynb", "unnamed"),
    ],
)
def test_the_students_name_comes_from_the_layout(tmp_path: Path, name: str, student: str) -> None:
    put(tmp_path, name)
    assert list(students(tmp_path)) == [student]


def test_a_file_name_that_is_no_text_is_made_one(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"ann\xff.ipynb")).write_bytes(notebook())
    read = read_one(tmp_path)
    assert read.student == "ann"
    assert Path(read.file).read_bytes() == notebook()


def test_a_submission_has_the_very_path_of_its_file_and_a_collision_shows_what_is_invisible(tmp_path: Path) -> None:
    for name in ("evil name.ipynb", "evil\u200b name.ipynb", "two  spaces\n.ipynb"):
        put(tmp_path, name)
    outcomes = intake.read([tmp_path])
    assert {Path(each.file) for each in outcomes} == set(tmp_path.iterdir())
    reason = next(each.reason for each in outcomes if isinstance(each, Unreadable))
    assert r"evil\u200b name.ipynb" in reason and "evil name.ipynb" in reason


def test_the_latest_attempt_counts_under_canvas(tmp_path: Path) -> None:
    put(tmp_path, "doejane_12345_900_homework.ipynb")
    put(tmp_path, "doejane_LATE_12345_1000_homework-1.ipynb")
    put(tmp_path, "roejane_12346_950_homework.ipynb")
    outcomes = {outcome.student: outcome for outcome in intake.read([tmp_path])}
    jane = outcomes["doejane"]
    assert set(outcomes) == {"doejane", "roejane"}
    assert isinstance(jane, Submission)
    assert "1000" in jane.file
    assert jane.notes == (
        "doejane_LATE_12345_1000_homework-1.ipynb was graded; not graded: doejane_12345_900_homework.ipynb.",
    )


FOLDERS = {"a folder each": "fay", "Moodle": "Jane Doe_12345_assignsubmission_file_"}


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)
def test_a_notebook_counts_before_the_scripts_beside_it_and_its_note_names_them(tmp_path: Path, folder: str) -> None:
    put(tmp_path, f"{folder}/homework.ipynb")
    put(tmp_path, f"{folder}/helper.py", b"x = 1")
    put(tmp_path, f"{folder}/tools/more.py", b"x = 1")
    put(tmp_path, "Jane Doe_12345_assignsubmission_onlinetext_/onlinetext.html")
    put(tmp_path, "gus/homework.ipynb")
    found = {outcome.student: outcome for outcome in intake.read([tmp_path])}
    assert set(found) == {folder.split("_")[0], "Jane Doe", "gus"}
    [mine] = [each for each in found.values() if folder in each.file and isinstance(each, Submission)]
    assert mine.notes[0].startswith("homework.ipynb was graded; not graded: helper.py, more.py")


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS)
@pytest.mark.parametrize(
    "names",
    [
        ("homework.ipynb", "scratch.ipynb"),
        ("homework (1).ipynb", "homework.ipynb"),
        ("homework.ipynb", "old/homework.ipynb"),
        ("homework.ipynb", "homework_2026_11_22T16_35_00_123456.zip"),
        ("homework_2026_11_22T16_35_00_123456.zip", "scratch_2026_11_22T16_35_00_123457.zip"),
        ("a.py", "b.py"),
    ],
)
def test_between_two_files_of_one_student_only_a_person_chooses(
    tmp_path: Path, folder: str, names: tuple[str, str]
) -> None:
    put(tmp_path, "gus/homework.ipynb")
    for age, name in enumerate(names):
        path = put(tmp_path, f"{folder}/{name}")
        os.utime(path, (time.time() - age * 100,) * 2)
    found = students(tmp_path)
    assert found.pop("gus") == "homework.ipynb"
    [reason] = found.values()
    assert list(found) == [folder.split("_")[0]]
    assert reason.startswith("Found 2 files, expected one: ") and all(Path(name).name in reason for name in names)
    assert str(tmp_path / folder) in {outcome.file for outcome in intake.read([tmp_path])}


def test_two_files_of_one_student_may_be_named_from_different_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = "Jane Doe_12345_assignsubmission_file_"
    first, second = put(tmp_path, f"{folder}/a.ipynb"), put(tmp_path, f"{folder}/b.ipynb")
    monkeypatch.chdir(tmp_path)
    [outcome] = intake.read([first.relative_to(tmp_path), second])
    assert isinstance(outcome, Unreadable) and outcome.file == folder


def test_two_files_under_canvas_with_titles_of_their_own_are_no_attempts(tmp_path: Path) -> None:
    put(tmp_path, "doejane_12345_900_homework.ipynb")
    put(tmp_path, "doejane_12345_1000_scratch.ipynb")
    put(tmp_path, "roejane_12346_901_homework.ipynb")
    put(tmp_path, "roejane_12346_902_helper.py")
    found = students(tmp_path)
    assert "Keep the one to grade" in found["doejane"]
    assert found["roejane"] == "roejane_12346_901_homework.ipynb"


def test_an_unreadable_latest_attempt_does_not_bring_back_an_earlier_one(tmp_path: Path) -> None:
    put(tmp_path, "doejane_12345_900_homework.ipynb")
    put(tmp_path, "doejane_12345_1000_homework.ipynb", b"")
    assert "empty" in students(tmp_path)["doejane"]


def test_the_latest_of_otters_exports_in_a_students_folder_counts(tmp_path: Path) -> None:
    for hour in ("09", "17", "12"):
        put(tmp_path, f"alice/homework_2026_11_22T{hour}_00_00_000000.zip", zipped(("homework.ipynb", notebook())))
    assert students(tmp_path) == {"alice": "homework_2026_11_22T17_00_00_000000.zip"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("north/alice/hw.ipynb", "south/alice/hw.ipynb"),
        ("alice.ipynb", "alice.py"),
        ("alice.ipynb", "Alice/hw.ipynb"),
        ("hw_2026_11_22T09_00_00_000000.zip", "hw_2026_11_22T10_00_00_000000.zip"),
        ("Jane Doe_1_assignsubmission_file_/a.ipynb", "Jane Doe_2_assignsubmission_file_/a.ipynb"),
        ("doejane_1_900_hw.ipynb", "doejane_2_901_hw.ipynb"),
    ],
)
def test_two_files_of_one_name_are_both_left_to_a_person(tmp_path: Path, first: str, second: str) -> None:
    for name in (first, second, "other.ipynb"):
        data = {".py": b"x = 1", ".zip": zipped(("a.ipynb", notebook(code(ascii(name)))))}.get(Path(name).suffix)
        put(tmp_path, name, data)
    doubled = [o for o in intake.read([tmp_path]) if isinstance(o, Unreadable) and first.split("/")[-1] in o.reason]
    assert {Path(outcome.file) for outcome in doubled} >= {tmp_path / first, tmp_path / second}
    assert all(str(tmp_path / second) in outcome.reason and "Rename one" in outcome.reason for outcome in doubled)
    assert all(outcome.for_student and str(tmp_path) not in outcome.for_student for outcome in doubled)


def test_one_bad_file_costs_only_its_own_student(tmp_path: Path) -> None:
    put(tmp_path, "alice.ipynb")
    put(tmp_path, "bob.ipynb", b"{")
    put(tmp_path, "carol.zip", b"PK")
    outcomes = {outcome.student: type(outcome) for outcome in intake.read([tmp_path])}
    assert outcomes == {"alice": Submission, "bob": Unreadable, "carol": Unreadable}
