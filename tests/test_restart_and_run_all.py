"""What students are told of "Restart and run all" is so: in order, in a new process, with the named differences."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradetape.records import Cell, CellEvent
from tests.remote_sessions import OpenSession, open_session, started

ROOT = Path(__file__).parents[1]
PAGE = " ".join((ROOT / "docs/tutorials/student.md").read_text(encoding="utf-8").split())
INTRODUCTION = (
    "Your notebook is graded in a fresh process without network, from the first cell to the last: whatever an earlier "
    "session left behind is gone. Where a cell fails there, the grader goes on with what it can still use, and your "
    "page says what that was."
)
FAILS, BELOW, INSTALLS, ENDS, RANDOM, CHECKS, ANSWER, SETS, LAST = range(9)
CELLS = (
    "import math\nraise ValueError('stop')\ndef after():\n    return math.floor(1.5)",
    "below = 'run'",
    "%pip install nothing",
    "import os\nruns = 'all of it'\nos._exit(3)\ndef defined():\n    return 2",
    "import tensorflow as tf\nmade = tf.random.Generator.from_non_deterministic_state()\nmade_of = type(made).__name__",
    "try:\n    checked = grader.check('q01_double')\nexcept Exception as error:\n    checked = repr(error)",
    Cell(source="def policy():\n    import keras\n    return keras.config.dtype_policy().name", question="q01_double"),
    "import keras\nkeras.config.set_dtype_policy('mixed_float16')",
    "last = 'run'",
)
# What the page says, the cell that does it, the kind of its event, and what the event says.
TOLD = {
    "Of the rest of that cell it runs imports, functions, classes and what is quickly computed": (
        FAILS, "salvaged", "lines? 2 failed; of the rest, this was still run: def after"
    ),
    "is used only for what it defines, or not at all if that fails too": (
        ENDS, "quarantined", "only its imports, functions, classes and cheap assignments were used"
    ),
    "Code that cannot run with that runs without it: of a cell, from the line on that failed": (
        RANDOM, "note", "from the line on that failed, it was run without TensorFlow's deterministic operations"
    ),
    "It installs no packages, so `%pip install` does nothing": (INSTALLS, "note", "pip"),
    "Each question is checked under the settings, such as Keras's dtype policy": (
        SETS, "note", "the checks of each question run under the settings at the end of its own cells"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def loaded() -> Iterator[OpenSession]:
    with started() as zygote, open_session(zygote, *CELLS) as found:
        found.begin(120)
        assert found.student.last == "run"
        yield found


def events(loaded: OpenSession, cell: int) -> list[CellEvent]:
    return [event for event in loaded.session.report.events if event.cell == cell]


@pytest.mark.parametrize("sentence", TOLD)
def test_each_difference_is_as_the_page_says_and_told(loaded: OpenSession, sentence: str) -> None:
    cell, kind, text = TOLD[sentence]
    assert sentence in PAGE
    assert any(event.kind == kind and re.search(text, event.text) for event in events(loaded, cell))


def test_the_grader_goes_on_after_an_error_and_after_a_cell_that_ends_the_process(loaded: OpenSession) -> None:
    assert "Where Jupyter stops at an error, the grader goes on." in PAGE
    student = loaded.student
    assert (student.after(), student.below, student.defined(), student.made_of) == (1, "run", 2, "Generator")


def test_cells_that_need_no_word_on_the_page_have_none(loaded: OpenSession) -> None:
    assert [events(loaded, cell) for cell in (BELOW, CHECKS, ANSWER, LAST)] == [[], [], [], []]
    assert "The cells `grader.check(...)` do nothing there." in PAGE and "rror" not in str(loaded.student.checked)


def test_the_introduction_of_the_notebook_says_no_more_than_is_so() -> None:
    source = " ".join((ROOT / "assignments/custom-training/introduction.md").read_text(encoding="utf-8").split())
    assert INTRODUCTION in source
    released = json.loads((ROOT / "student/custom-training/custom-training.ipynb").read_text(encoding="utf-8"))
    texts = (" ".join("".join(cell["source"]).split()) for cell in released["cells"])
    assert any(INTRODUCTION in text for text in texts)
