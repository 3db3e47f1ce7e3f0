"""A student is found by any part of the name or id, a question by a prefix of its id, and the pages follow at once."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
import pytest

from gradetape.cli import cli
from gradetape.errors import GradebookError
from gradetape.grading.finding_students import student_named
from gradetape.records import Grade, Origin
from gradetape.text import collation_key, plain
from tests.books import recorded
from tests.commands import commands
from tests.course import called
from tests.factories import a_broken_file, a_tiny_grade


def known(name: str, **of: str) -> Grade:
    return msgspec.structs.replace(a_tiny_grade(name), origin=Origin(layout="canvas", **of) if of else None)


CLASS = (
    known("Jane Doe", id="4711", login="jdoe"),
    known("Jané Smith", id="4712", email="js@example.org"),
    known("ann"),
    known("Ann"),
    known("Anna Łoś"),
    known("Ömer Çelik"),
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Jane Doe", "Jane Doe"), ("jane doe", "Jane Doe"), ("doe", "Jane Doe"), ("Doe Jane", "Jane Doe"),
        ("smith", "Jané Smith"), ("jane s", "Jané Smith"), ("4711", "Jane Doe"), ("JDOE", "Jane Doe"),
        ("js@example", "Jané Smith"), ("ann", "ann"), ("Ann", "Ann"), ("anna", "Anna Łoś"), ("los", "Anna Łoś"),
        ("omer", "Ömer Çelik"), ("CELIK", "Ömer Çelik"),
    ],
)  # fmt: skip
def test_any_part_of_a_name_or_id_that_one_student_has_finds_the_student(text: str, name: str) -> None:
    assert student_named(text, CLASS) == name


def test_a_part_that_several_students_have_lists_them_with_what_tells_them_apart() -> None:
    with pytest.raises(GradebookError) as error:
        student_named("jane", CLASS)
    assert str(error.value).splitlines() == [
        "'jane' fits 2 students. Write more of the name, or an id:", "  Jane Doe (4711, jdoe)",
        "  Jané Smith (4712, js@example.org)",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["ANN", "471", "an", "a", "@"])
def test_no_student_is_chosen_from_several(text: str) -> None:
    with pytest.raises(GradebookError, match="Write more of the name" if text != "@" else "has no|fits"):
        student_named(text, (*CLASS, known("x", email="x@y")))


@pytest.mark.parametrize("text", ["", " ", "Jane Dough", "nobody"])
def test_a_text_that_fits_nobody_names_the_nearest_student(text: str) -> None:
    with pytest.raises(GradebookError, match="has no student"):
        student_named(text, CLASS)
    with pytest.raises(GradebookError, match="Did you mean 'Jane Doe'"):
        student_named("Jane Dough", CLASS)


def test_names_are_sorted_as_in_a_list_of_people() -> None:
    names = ["Zoë", "çelik", "Dora", "Celik", "celik", "Çelik", "Øst", "Ott", "Łoś", "Lot", "Émile", "Emil", "eve"]
    assert sorted(names, key=collation_key) == [
        "celik", "Celik", "çelik", "Çelik", "Dora", "Emil", "Émile", "eve", "Łoś", "Lot", "Øst", "Ott", "Zoë",
    ]  # fmt: skip
    assert plain("Straße ÆØ") == "strasse aeo"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """The tiny course with results of three students and a file that cannot be read."""
    grades = (known("Jane Doe", id="4711"), known("Janet Roe", id="4712"), known("bob"))
    return recorded(tmp_path, *grades, unreadable=(a_broken_file(),))


def page(course: Path, name: str, reader: str = "students") -> str:
    return (course / "results" / reader / "tiny" / name).read_text("utf-8")


def test_one_question_of_a_student_is_shown_with_the_final_points_first(course: Path) -> None:
    assert called(course, "override", "doe", "q02", "1.5", "--reason", "half right", "--by", "Ana").returncode == 0
    shown = called(course, "show", "jane d", "--question", "q02", "--staff").stdout
    assert shown.startswith("Jane Doe: 4.5 of 5 points in tiny (3 of 5 points from the checks)\n")
    assert "q02 Half: 1.5 of 2 (0 from the checks)" in shown
    assert "q02_halve::hidden::test_odd" in shown and "Twice" not in shown
    whole = called(course, "show", "4711").stdout
    assert whole.index("Final score: 4.5 points") < whole.index("q01 Twice: 3 of 3")


@pytest.mark.parametrize("arguments", [("show", "jane"), ("override", "jane", "q02", "1", "--reason", "r")])
def test_several_students_are_listed_and_nothing_is_done(course: Path, arguments: tuple[str, ...]) -> None:
    run = called(course, *arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert "'jane' fits 2 students" in run.stderr and "  Janet Roe (4712)" in run.stderr


def test_a_question_that_no_grade_has_is_refused(course: Path) -> None:
    run = called(course, "show", "bob", "--question", "q03")
    assert (run.returncode, run.stdout) == (2, "")
    assert "there is no question q03." in run.stderr and "tiny has q01_double, q02_halve" in run.stderr


def test_a_question_that_was_left_untouched_is_one_line_for_staff_unless_it_is_asked_for(tmp_path: Path) -> None:
    (twice, half) = a_tiny_grade().results
    message = "Your code raised NotImplementedError: halve"
    left = msgspec.structs.replace(half, staff_message=message)
    root = recorded(tmp_path, msgspec.structs.replace(a_tiny_grade(), results=(twice, left)))
    whole = called(root, "show", "alice", "--staff").stdout
    assert "q02 Half: 0 of 2, untouched\n" in whole and message not in whole
    assert message in called(root, "show", "alice", "--staff", "--question", "q02").stdout
    assert "untouched" not in called(root, "show", "alice").stdout


def test_a_file_that_cannot_be_read_is_shown_whatever_question_is_asked(course: Path) -> None:
    for words in ((), ("--question", "q01")):
        assert "could not be read" in called(course, "show", "carol", *words).stdout


def test_an_override_writes_the_pages_anew_and_so_does_undoing_it(course: Path) -> None:
    first = called(course, "override", "doe", "q02", "1.5", "--reason", "half right", "--by", "Ana")
    assert "Jane Doe: 1.5 points for q02_halve (half right).\nWrote the pages: open" in first.stdout
    name = next((course / "results" / "students" / "tiny").glob("jane-doe*")).name
    assert "<strong>4.5</strong> of 5 points" in page(course, name)
    assert len(list((course / "results" / "staff" / "tiny").glob("*.html"))) == 5  # all of them, since none was there
    others = (course / "results" / "students" / "tiny" / "bob.html").stat().st_mtime_ns
    assert "Undone: " in called(course, "override", "doe", "q02", "--undo").stdout
    assert "<strong>3</strong> of 5 points" in page(course, name)
    assert (course / "results" / "students" / "tiny" / "bob.html").stat().st_mtime_ns == others


def test_report_writes_the_page_of_one_student(course: Path) -> None:
    assert called(course, "report").returncode == 0
    folder = course / "results" / "students" / "tiny"
    for path in folder.iterdir():
        path.unlink()
    assert called(course, "report", "--student", "bo").returncode == 0
    assert [path.name for path in folder.iterdir()] == ["bob.html"]


@pytest.mark.parametrize("spelling", ["--out", "--results"])
def test_both_spellings_of_the_results_folder_are_understood(course: Path, spelling: str) -> None:
    (course / "results").rename(course / "r3")
    for words in (("show", "bob"), ("override", "bob", "q02", "1", "--reason", "r"), ("report",)):
        run = called(course, *words, spelling, "r3")
        assert run.returncode == 0, run.stderr
    assert (course / "r3" / "index.html").is_file() and not (course / "results").exists()


def test_no_spelling_of_an_option_belongs_to_two_and_a_results_folder_has_both() -> None:
    for path, command in commands(cli, "gradetape"):
        spellings = [each for option in command.params if isinstance(option, click.Option) for each in option.opts]
        assert len(spellings) == len(set(spellings)), path
        assert "--out" in spellings or "--results" not in spellings, path
    known = dict(commands(cli, "gradetape"))
    for name in ("grade", "merge", "show", "override", "forget", "audit"):
        opts = [each.opts for each in known[f"gradetape {name}"].params if "--out" in each.opts]
        assert opts and "--results" in opts[0], name
