"""A student is renamed or removed everywhere, also in PostgreSQL, and the audit names nobody who was removed."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from gradetape.errors import GradebookError
from gradetape.gradebook import Gradebook, QuestionResult, Run
from gradetape.gradebook.tables import AUDIT, QUESTION_RESULTS, RUNS, TABLES
from gradetape.records import Cell, CellEvent, Grade, Origin, Override, Unreadable
from tests.books import attempts, engine_of, recorded
from tests.course import called
from tests.factories import a_result, a_tiny_grade

SECRET = "what only Mallory printed"


def given(student: str) -> Override:
    return Override(student=student, question="q01_double", points=1, reason="typo", by="Ana", at="2026-10-01T10:00")


def judged(digest: str, text: str) -> QuestionResult:
    run = Run(events=(CellEvent(cell=0, kind="output", text=text),))
    return QuestionResult(question="q01_double", digest=digest, parts={}, results=(a_result(),), run=run)


def everything(place: str) -> str:
    """All texts in all tables."""
    engine = engine_of(place)
    with engine.begin() as connection:
        found = [str(tuple(row)) for table in TABLES.sorted_tables for row in connection.execute(sa.select(table))]
    engine.dispose()
    return "\n".join(found)


def count(place: str, table: sa.Table) -> int:
    engine = engine_of(place)
    with engine.begin() as connection:
        found = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
    engine.dispose()
    return found


def test_a_removed_student_is_in_no_table_and_nobody_else_loses_anything(place: str) -> None:
    mallory, bob = a_tiny_grade("Mallory"), a_tiny_grade("bob")
    with Gradebook.open(place) as book:
        own, shared = judged("d1", SECRET), judged("d2", "both")
        both = {"q01_double": "d2"}
        book.record(mallory, "tiny", results=[own], composed_of={"q01_double": "d1"})
        book.record(msgspec.structs.replace(mallory, key="k2"), "tiny", results=[shared], composed_of=both)
        book.record(msgspec.structs.replace(mallory, assignment="other"), "other")
        book.record(bob, "tiny", composed_of=both)
        for student in ("Mallory", "bob"):
            book.override("tiny", given(student))
        entry = book.forget_student("Mallory", "Ana")
        assert (entry.action, entry.old, entry.new, entry.attempts, entry.overrides) == ("forget", "", "", 3, 1)
        assert book.latest("tiny") == [bob] and book.assignments() == ["tiny"]
        assert [each.student for each in book.overrides("tiny")] == ["bob"]
        assert [each.digest for each in book.composition("tiny")["bob"].values()] == ["d2"]
        assert book.audit() == [entry]
    assert "Mallory" not in everything(place) and SECRET not in everything(place)
    assert (count(place, QUESTION_RESULTS), count(place, RUNS), count(place, AUDIT)) == (1, 1, 1)


def test_a_sqlite_file_no_longer_has_the_bytes_of_a_removed_student(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    with Gradebook.open(path) as book:
        book.record(a_tiny_grade("Mallory"), "tiny", results=[judged("d1", SECRET)], composed_of={"q01_double": "d1"})
        book.record(a_tiny_grade("bob"), "tiny")
        book.forget_student("Mallory", "Ana")
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"bob" in content and b"Mallory" not in content and SECRET.encode() not in content


def test_a_renamed_student_has_everything_under_the_new_name(place: str) -> None:
    with Gradebook.open(place) as book:
        book.record(a_tiny_grade("jdoe"), "tiny")
        book.record(msgspec.structs.replace(a_tiny_grade("jdoe"), key="k2"), "tiny")
        book.override("tiny", given("jdoe"))
        entry = book.rename_student("jdoe", "Jane Döe", "Ana")
        assert (entry.action, entry.old, entry.new, entry.attempts, entry.overrides) == (
            "rename", "jdoe", "Jane Döe", 2, 1,
        )  # fmt: skip
        assert [grade.student for grade in book.latest("tiny")] == ["Jane Döe"]
        assert [each.number for each in attempts(book, "tiny", "Jane Döe")] == [1, 2]
        assert book.recall("tiny", "Jane Döe", "k2") is not None
        assert [each.student for each in book.overrides("tiny", "Jane Döe")] == ["Jane Döe"]


def test_the_audit_has_no_former_name_of_a_removed_student(place: str) -> None:
    with Gradebook.open(place) as book:
        for name in ("anna", "bob"):
            book.record(a_tiny_grade(name), "tiny")
        book.rename_student("anna", "Anna Lee", "Ana")
        book.rename_student("Anna Lee", "Anna Lie", "Ana")
        book.rename_student("bob", "Bob", "Ana")
        book.forget_student("Anna Lie", "Ana")
        assert [(each.action, each.old, each.new) for each in book.audit()] == [
            ("rename", "", ""), ("rename", "", ""), ("rename", "bob", "Bob"), ("forget", "", ""),
        ]  # fmt: skip
    assert "anna" not in everything(place).casefold()


def test_a_student_who_is_being_graded_stays(place: str) -> None:
    with Gradebook.open(place) as book:
        book.record(a_tiny_grade("ada"), "tiny")
        book.claim(book.grader(), "tiny", "ada", "k9")
        words = "A submission of this student is being graded by process"
        with pytest.raises(GradebookError, match=words):
            book.forget_student("ada", "Ana")
        with pytest.raises(GradebookError, match=words):
            book.rename_student("ada", "Ada", "Ana")
        assert [grade.student for grade in book.latest("tiny")] == ["ada"] and book.audit() == []


def test_a_program_that_reads_meanwhile_is_told_about_and_can_be_made_up_for(tmp_path: Path) -> None:
    path = tmp_path / "gradebook.sqlite"
    with Gradebook.open(path, busy_s=0.2) as book:
        book.record(a_tiny_grade("Mallory"), "tiny")
        engine = engine_of(str(path))
        with engine.connect() as reader:
            reader.exec_driver_sql("BEGIN")
            reader.exec_driver_sql("SELECT * FROM attempts").fetchall()
            with pytest.raises(GradebookError, match="another program has it open, so that the file"):
                book.forget_student("Mallory", "Ana")
        engine.dispose()
        assert book.latest("tiny") == []
        book.compact()
    assert b"Mallory" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


# the commands


@pytest.fixture
def course(tmp_path: Path) -> Path:
    course = recorded(tmp_path, a_tiny_grade("Mallory"), a_tiny_grade("bob"))
    assert called(course, "report").returncode == 0
    return course


def pages(course: Path) -> str:
    found = [path for path in (course / "results").rglob("*.*") if path.suffix != ".sqlite"]
    return "".join(f"{path}\n{path.read_text()}" for path in found)


def test_forget_removes_a_student_from_all_pages_and_says_what_it_leaves(course: Path) -> None:
    assert "Mallory" in pages(course)
    run = called(course, "forget", "Mallory", "--yes", "--by", "Ana")
    assert run.returncode == 0 and "Removed: 1 attempt in tiny, 0 overrides." in run.stdout
    assert "does not touch the submissions, the class list" in run.stderr
    assert "mallory" not in pages(course).casefold() and "bob" in pages(course)
    listed = called(course, "audit").stdout
    assert "Ana removed a student (1 attempt, 0 overrides)" in listed and "Mallory" not in listed
    assert called(course, "show", "Mallory").returncode == 2


def with_code(student: str, code: str) -> Grade:
    """A grade that keeps its code, of a student whom a platform knows."""
    origin = Origin(layout="canvas", id=f"id-{student}", login=f"login-{student}")
    return msgspec.structs.replace(
        a_tiny_grade(student), cells=(Cell(source=code, question="q01_double"),), origin=origin
    )


def test_forget_leaves_no_code_no_page_of_a_question_and_no_link_of_a_neighbour(tmp_path: Path) -> None:
    course = recorded(tmp_path, *(with_code(name, f"# {name} wrote this") for name in ("ann", "Mallory", "zoe")))
    called(course, "report")
    staff = course / "results" / "staff" / "tiny"
    former = staff / "questions" / "q09_former.html"
    former.write_text("Mallory failed this")
    assert (
        "Mallory" in (staff / "questions" / "q02_halve.html").read_text()
        and "Mallory" in (staff / "ann.html").read_text()
    )
    assert called(course, "forget", "Mallory", "--yes").returncode == 0
    assert "mallory" not in pages(course).casefold() and not former.exists()
    assert (
        "zoe" in (staff / "questions" / "q02_halve.html").read_text()
        and "Next: <bdi>zoe" in (staff / "ann.html").read_text()
    )
    content = b"".join(file.read_bytes() for file in (course / "results").glob("gradebook.sqlite*"))
    assert b"# zoe wrote this" in content and b"Mallory" not in content


def test_rename_is_on_the_pages_of_questions_and_of_neighbours(tmp_path: Path) -> None:
    course = recorded(tmp_path, *(a_tiny_grade(name) for name in ("ann", "jdoe", "zoe")))
    called(course, "report")
    assert called(course, "rename", "student", "jdoe", "Jane").returncode == 0
    assert "<bdi>jdoe" not in pages(course) and "Next: <bdi>Jane" in pages(course)


def test_the_commands_on_the_pages_still_name_the_results_folder(course: Path) -> None:
    (course / "results").rename(course / "r3")
    called(course, "report", "--results", "r3")
    for words in (("rename", "student", "bob", "bo"), ("forget", "Mallory", "--yes")):
        assert called(course, *words, "--results", "r3").returncode == 0
    assert f"--out {course / 'r3'}" in (course / "r3" / "staff" / "tiny" / "bo.html").read_text()


def test_nobody_is_removed_or_renamed_by_a_part_of_a_name_or_id(tmp_path: Path) -> None:
    course = recorded(tmp_path, with_code("Mallory", ""), with_code("bob", ""))
    for part in ("mall", "login-mal", "id-"):
        for words in (("forget", part, "--yes"), ("rename", "student", part, "Jane")):
            run = called(course, *words)
            assert run.returncode == 2 and "The gradebook has no student" in run.stderr
    assert called(course, "rename", "student", "login-bob", "Bo").returncode == 0
    assert called(course, "forget", "ID-MALLORY", "--yes").returncode == 0
    assert "Bo" in called(course, "show", "id-bob").stdout and called(course, "show", "Mallory").returncode == 2


def test_the_last_student_of_an_assignment_leaves_its_pages_empty(tmp_path: Path) -> None:
    course = recorded(tmp_path, a_tiny_grade("Mallory"))
    called(course, "report")
    run = called(course, "forget", "Mallory", "--yes")
    assert run.returncode == 0, run.stderr
    assert "mallory" not in pages(course).casefold() and "0 students" in (course / "results" / "index.html").read_text()


def test_forget_wants_to_be_confirmed_and_knows_whom(course: Path) -> None:
    run = called(course, "forget", "Mallory")
    assert run.returncode == 2 and "Nobody can be asked here: confirm it with --yes" in run.stderr
    run = called(course, "forget", "Malory", "--yes")
    assert run.returncode == 2 and "Did you mean 'Mallory'?" in run.stderr
    assert "Mallory" in pages(course) and called(course, "audit").stderr == "No student was renamed or removed.\n"


def test_forget_tells_where_others_and_copies_still_name_the_student(tmp_path: Path) -> None:
    reason = "Mallory.ipynb and eve.ipynb are one file with several names (hard links), and none was graded."
    eve = Unreadable(student="eve", file="eve.ipynb", sha256="", reason=reason)
    course = recorded(tmp_path, a_tiny_grade("Mallory"), a_tiny_grade("bob"), unreadable=(eve,))
    (course / "results" / "gradebook.sqlite.schema-3.bak").touch()
    run = called(course, "forget", "Mallory", "--yes")
    assert "files of others cannot be graded still name the student: eve." in run.stderr
    assert "still hold the student: gradebook.sqlite.schema-3.bak. Delete them." in run.stderr


def test_pages_of_an_assignment_that_is_gone_are_named(course: Path) -> None:
    (course / "assignments" / "tiny").rename(course / "assignments" / "former")
    run = called(course, "forget", "Mallory", "--yes")
    assert run.returncode == 0 and "The pages about everybody in tiny still have the student" in run.stderr
    assert not list((course / "results").glob("*/tiny/mallory*"))


def test_rename_moves_a_students_pages_and_is_in_the_audit(course: Path) -> None:
    run = called(course, "rename", "student", "Mallory", "Jane Döe", "--by", "Ana")
    assert run.returncode == 0 and "Renamed Mallory to Jane Döe in tiny." in run.stdout
    text = pages(course)
    assert "jane-doe" in text and "Jane Döe" in text and "mallory.html" not in text
    assert "Ana renamed Mallory -> Jane Döe (1 attempt, 0 overrides)" in called(course, "audit").stdout
    rows = json.loads(called(course, "export", "json").stdout)
    assert {row["student"] for row in rows} == {"Jane Döe", "bob"}


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("BOB", "the gradebook has 'bob' already, and two people cannot share a name"),
        (" ", "the new name is empty"),
        ("Mallory", "the student's name is 'Mallory' already. Write the name to give instead of it"),
    ],
)
def test_rename_refuses_a_name_that_somebody_has_and_an_empty_one(course: Path, new: str, words: str) -> None:
    run = called(course, "rename", "student", "Mallory", new)
    assert run.returncode == 2 and words in run.stderr
    assert called(course, "rename", "student", "Mallory", "mallory").returncode == 0


def test_pages_that_cannot_be_removed_are_an_error(course: Path) -> None:
    page = course / "results" / "staff" / "tiny" / "mallory.html"
    found = next(path for path in page.parent.iterdir() if path.name.startswith("mallory"))
    found.unlink()
    found.mkdir()
    run = called(course, "forget", "Mallory", "--yes")
    assert run.returncode == 2 and "The pages of a student in" in run.stderr and "Remove them by hand." in run.stderr
