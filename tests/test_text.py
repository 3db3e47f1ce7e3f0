"""Text from strangers is shown and has no other effect."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradetape.text import as_duration, as_points, one_line, printable, shell_word, spreadsheet, without_addresses

PACKAGE = Path(__file__).parents[1] / "src" / "gradetape"
anything = st.text(st.characters(exclude_categories=()))  # surrogates too


@given(anything)
def test_nothing_invisible_is_left(text: str) -> None:
    left = {unicodedata.category(character) for character in printable(text) if character not in "\n\t"}
    assert not left & {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}


@given(anything)
def test_what_is_shown_can_be_written_anywhere_and_is_shown_once(text: str) -> None:
    shown = printable(text)
    assert shown.encode("utf-8").decode() == shown
    assert printable(shown, limit=len(shown)) == shown


@given(st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs"), include_characters="\n\t")))
def test_text_in_any_script_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("abc\u202etxt.exe", r"abc\u202etxt.exe"),
        ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
        ("nul\0", r"nul\x00"),
        ("\udc80", r"\udc80"),
        ("\U000e0041", r"\U000e0041"),
        ("over\rwritten", r"over\x0dwritten"),
        ("Windows\r\nlines", "Windows\nlines"),
        ("Zoë 李 محمد 🎓", "Zoë 李 محمد 🎓"),
    ],
)
def test_each_invisible_thing_has_its_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_long_text_is_cut_and_says_how_much_is_missing() -> None:
    assert printable("x" * 25, limit=10) == "x" * 10 + "… (15 more characters)"
    assert printable("x" * 10, limit=10) == "x" * 10


@given(anything)
def test_no_cell_is_a_formula(text: str) -> None:
    cell = spreadsheet(text)
    if not cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        assert cell in (text, f"'{text}")
    else:
        float(cell)


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1"])  # noqa: RUF001
def test_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert spreadsheet(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["-1.5", "+3", "2e-3", "alice", "", "a=b", "e-mail@example.org"])
def test_a_number_or_a_word_stays(cell: str) -> None:
    assert spreadsheet(cell) == cell


def test_a_name_with_newlines_stays_on_its_line() -> None:
    assert one_line("a\nneeds attention: b\t\u200b") == r"a\nneeds attention: b\t\u200b"


NAMES = ["zero\u200bwidth.ipynb", "it's \u202e.ipynb", os.fsdecode(b"ann\xff.ipynb"), "back\\slash\x07", "two\nlines"]


@pytest.mark.parametrize("name", [*NAMES, "o'brien & co.ipynb", "plain.ipynb", ""])
def test_a_shell_reads_the_very_name_from_a_word_that_can_be_seen(name: str) -> None:
    word = shell_word(name)
    assert printable(word) == word and "\n" not in word
    said = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True).stdout
    assert os.fsdecode(said) == name


def test_a_name_without_anything_invisible_is_quoted_as_ever() -> None:
    assert shell_word("Zoë's notebook.ipynb") == shlex.quote("Zoë's notebook.ipynb")


@given(anything)
def test_every_word_for_a_shell_can_be_shown(text: str) -> None:
    assert one_line(shell_word(text), 1 << 20) == shell_word(text)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (1, "1 point"),
        (1.0, "1 point"),
        (0, "0 points"),
        (0.5, "0.5 points"),
        (1.5, "1.5 points"),
        (0.1 + 0.2, "0.3 points"),
    ],
)
def test_points_have_their_plural(number: float, shown: str) -> None:
    assert as_points(number) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0.0 s"),
        (12.34, "12.3 s"),
        (59.96, "1 min 0 s"),
        (245, "4 min 5 s"),
        (3599.6, "1 h 0 min"),
        (11_520, "3 h 12 min"),
    ],
)
def test_a_duration_is_written_as_people_write_it(seconds: float, shown: str) -> None:
    assert as_duration(seconds) == shown


def test_no_message_and_no_page_makes_the_plural_of_points_itself() -> None:
    by_hand = re.compile(r"""(:g\}|\}\}) points?\b|\bpoint\{|["']points?["'] if """)
    files = [path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".j2") and path.name != "text.py"]
    assert len(files) > 300
    assert [path.name for path in files if by_hand.search(path.read_text(encoding="utf-8"))] == []


def test_where_objects_lie_in_memory_is_left_out() -> None:
    assert without_addresses("<function f at 0x7fcd752e0c20>, <g at 0x00007FCD>") == "<function f at 0x…>, <g at 0x…>"
    assert without_addresses("0x7fcd752e0c20 and 0x1f at 0x10") == "0x7fcd752e0c20 and 0x1f at 0x10"
