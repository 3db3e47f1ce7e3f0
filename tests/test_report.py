"""Pages and tables say what happened, and nothing else that a stranger or the staff wrote does anything there."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradetape.errors import GradebookError
from gradetape.records import CellEvent, Check, CheckResult, Grade, Question, Status, Unreadable, Verdict
from gradetape.report import (
    as_json,
    grades_csv,
    index_page,
    page_name,
    student_page,
    unreadable_page,
    write,
)

ASSIGNMENT = "custom-training"
NASTY = (
    '<script>alert(1)</script><img src=x onerror="alert(2)">\' onclick=alert(3) {{ 7*7 }} {% raw %}'
    " \x1b[2J\x00\x07 \u202egnp.exe\u200b \ud800 =HYPERLINK(1) </pre></title><!-- ]]>"
)
FORMULA = '=HYPERLINK("https://example.org?"&A1;"passed")'


def a_result(
    name: str = "test_x", public: bool = True, verdict: Verdict = Verdict.PASSED, **changes: Any
) -> CheckResult:
    check = Check(
        question="q01", name=name, public=public, title=f"What {name} says.", hint=f"Look at {name}.", points=2.0
    )
    given: dict[str, Any] = {
        "check": check,
        "verdict": verdict,
        "points": 2.0 if verdict is Verdict.PASSED else 0.0,
        "seconds": 0.1234567,
    }
    return CheckResult(**(given | changes))


def a_grade(student: str = "alice", *results: CheckResult, **changes: Any) -> Grade:
    given: dict[str, Any] = {
        "assignment": ASSIGNMENT,
        "student": student,
        "file": f"{student}.ipynb",
        "sha256": "ab" * 32,
        "key": "k",
        "status": Status.GRADED,
        "isolation": "namespaces",
        "questions": (
            Question(stem="q01", title="The first", points=4.0),
            Question(stem="q02", title="The second", points=1.0),
        ),
        "results": results or (a_result(),),
        "layers": ("landlock", "seccomp"),
        "versions": {"tensorflow": "2.21.0"},
        "seconds": 3.25,
    }
    return Grade(**(given | changes))


def a_nasty_grade() -> Grade:
    check = Check(question=NASTY, name=NASTY, public=True, title=NASTY, hint=NASTY, points=1.0)
    return a_grade(
        NASTY,
        CheckResult(check=check, verdict=Verdict.FAILED, points=0.0, seconds=0.0, message=NASTY),
        assignment=NASTY,
        status=Status.NEEDS_ATTENTION,
        questions=(Question(stem=NASTY, title=NASTY, points=1.0),),
        events=(CellEvent(cell=0, kind="error", text=NASTY, question=NASTY), CellEvent(cell=1, kind=NASTY, text=NASTY)),
        notes=(NASTY,),
        attention=(NASTY,),
        layers=(NASTY,),
        versions={NASTY: NASTY},
    )


class Page(HTMLParser):
    """What a browser would see: the elements, their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


def text_of(html: str) -> str:
    return " ".join(Page(html).text.split())


def a_broken_file(student: str = "carol", reason: str = "It is no notebook: hand in the .ipynb.") -> Unreadable:
    return Unreadable(student=student, file=f"{student}.docx", sha256="cd" * 32, reason=reason)


def test_a_student_sees_points_verdicts_and_where_to_look() -> None:
    failed = a_result("test_y", verdict=Verdict.FAILED, message="expected 3, got 4")
    text = text_of(student_page(a_grade("alice", a_result(), failed)))
    assert "2 of 5 points" in text
    assert "The first 2 of 4 points" in text
    assert "What test_x says. passed 2 of 2" in text
    assert "What test_y says. Hint: Look at test_y. expected 3, got 4 not passed 0 of 2" in text
    assert "The second 0 of 1 points No check of this question was run." in text
    assert "Look at test_x" not in text
    for fact in ("alice.ipynb", "ab" * 32, "namespaces", "landlock, seccomp", "tensorflow 2.21.0", "3.2 s"):
        assert fact in text


@pytest.mark.parametrize("verdict", Verdict)
def test_each_verdict_has_words_of_its_own(verdict: Verdict) -> None:
    words = {other: text_of(student_page(a_grade("a", a_result(verdict=other, points=1.0)))) for other in Verdict}
    assert sum(text == words[verdict] for text in words.values()) == 1


def test_a_hidden_check_shows_its_title_and_hint_and_no_more() -> None:
    hidden = a_result("test_secret", public=False, verdict=Verdict.ERROR, message="y_true was [1, 2, 3]")
    page = student_page(a_grade("alice", hidden))
    assert "What test_secret says." in page
    assert "Look at test_secret." in page
    assert "y_true" not in page
    assert "test_secret" not in page.replace("What test_secret says.", "").replace("Look at test_secret.", "")


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("public", [True, False])
def test_nothing_for_staff_is_on_a_students_page(verdict: Verdict, public: bool) -> None:
    result = a_result(public=public, verdict=verdict, staff_message="CANARY")
    grade = a_grade("alice", result, status=Status.NEEDS_ATTENTION, attention=("CANARY",))
    assert "CANARY" not in student_page(grade)


def test_a_fault_comes_with_a_friendly_word_and_no_reproach() -> None:
    fault = a_result(verdict=Verdict.FAULT)
    text = text_of(student_page(a_grade("alice", fault, status=Status.NEEDS_ATTENTION)))
    assert "A person will look at this" in text
    assert "Nothing that you handed in is lost" in text
    assert "could not be judged, which is our mistake" in text
    assert "A person will look at this" not in text_of(student_page(a_grade()))


def test_a_student_reads_what_happened_to_the_cells() -> None:
    event = CellEvent(cell=2, kind="error", text="NameError: name 'x' is not defined", question="q02")
    text = text_of(student_page(a_grade(events=(event,), notes=("Two notebooks were found.",))))
    assert "Code cell 3 (The second) raised an error" in text
    assert "NameError: name 'x' is not defined" in text
    assert "Two notebooks were found." in text


def test_what_is_marked_for_review_is_told_to_staff_alone_and_changes_nothing() -> None:
    grade = a_grade("mallory", review=(f"its cells replaced {NASTY}",))
    page = index_page([grade, a_grade("alice")], [], assignment=ASSIGNMENT)
    assert "For review" in page and "its cells replaced &lt;script&gt;" in page
    assert "For review" not in index_page([a_grade("alice")], [], assignment=ASSIGNMENT)
    assert "replaced" not in student_page(grade)
    assert grades_csv([grade], [], max_points=5.0) == grades_csv([a_grade("mallory")], [], max_points=5.0)
    (told,) = as_json([grade], [], ASSIGNMENT, "namespaces", max_points=5.0)["submissions"]
    assert (told["status"], told["points"], len(told["review"])) == ("graded", 2.0, 1)


def test_the_index_puts_first_what_needs_attention() -> None:
    stuck = a_grade("bob", status=Status.NEEDS_ATTENTION, attention=("the zygote is gone",))
    text = text_of(index_page([a_grade(), stuck], [a_broken_file()], assignment=ASSIGNMENT, title="Training loops"))
    assert "3 students, 2 in need of attention" in text
    urgent, table = text.split("Needs attention")[1].split("Students", 1)
    assert "bob, needs attention the zygote is gone" in urgent
    assert "carol, unreadable It is no notebook: hand in the .ipynb." in urgent
    assert "alice" not in urgent
    assert "alice graded 2 of 5 2 0 alice.ipynb" in table
    assert "carol unreadable no points carol.docx" in table


def test_the_index_counts_who_passed_each_check() -> None:
    passed, failed = a_result("test_y", public=False), a_result("test_y", public=False, verdict=Verdict.FAULT)
    grades = [a_grade("alice", a_result(), passed), a_grade("bob", a_result(), failed)]
    text = text_of(index_page(grades, [], assignment=ASSIGNMENT))
    assert "q01: What test_x says. test_x students 2 2 of 2 0" in text
    assert "q01: What test_y says. test_y staff only 2 1 of 2 1" in text


def test_a_page_for_nobody_is_a_page() -> None:
    assert "0 students, none in need of attention" in text_of(index_page([], [], assignment=ASSIGNMENT))


def all_pages(grade: Grade, entry: Unreadable) -> list[str]:
    index = index_page([grade], [entry], assignment=grade.assignment, title=grade.assignment)
    return [student_page(grade), unreadable_page(entry, grade.assignment), index]


def test_what_a_stranger_wrote_is_text_and_no_element() -> None:
    plain = all_pages(a_nasty_grade_in_plain_words(), a_broken_file("x", "x"))
    for html, expected in zip(all_pages(a_nasty_grade(), a_broken_file(NASTY, NASTY)), plain, strict=True):
        page = Page(html)
        assert page.elements == Page(expected).elements
        assert [name for name, _ in page.attributes] == [name for name, _ in Page(expected).attributes]
        assert "<script>alert(1)</script>" in page.text
        assert "{{ 7*7 }}" in page.text
        assert r"\x1b[2J\x00\x07 \u202egnp.exe\u200b \ud800" in page.text
        assert not re.search("[\x00-\x08\x0b-\x1f\u200b\u202e\ud800]", html)


def a_nasty_grade_in_plain_words() -> Grade:
    text = json.dumps(msgspec.to_builtins(a_nasty_grade()))
    return msgspec.convert(json.loads(text.replace(json.dumps(NASTY)[1:-1], "x")), Grade)


def test_a_page_loads_nothing_and_runs_nothing() -> None:
    for html in all_pages(a_nasty_grade(), a_broken_file()):
        page = Page(html)
        assert not {"script", "link", "img", "iframe", "object", "form"} & set(page.elements)
        assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "style")]
        assert all(
            re.fullmatch(r"[a-z0-9_-]+\.html|grades\.csv", value) for name, value in page.attributes if name == "href"
        )
        assert "url(" not in html
        assert "@import" not in html
        assert [value for _, value in page.attributes if value.startswith("default-src 'none';")]


def test_a_page_has_one_heading_and_tables_with_scopes() -> None:
    for html in all_pages(a_grade(), a_broken_file()):
        page = Page(html)
        assert page.elements.count("h1") == 1
        assert page.elements.count("th") == sum(name == "scope" for name, _ in page.attributes)
        assert ("lang", "en") in page.attributes


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_has_a_row_per_student_and_a_column_per_question() -> None:
    rows = rows_of(grades_csv([a_grade("bob"), a_grade("alice")], [a_broken_file()], max_points=5.0))
    assert rows[0] == {
        "student": "alice",
        "points": "2.0",
        "max_points": "5.0",
        "status": "graded",
        "q01": "2.0",
        "q02": "0",
        "file": "alice.ipynb",
        "sha256": "ab" * 32,
    }
    assert [row["student"] for row in rows] == ["alice", "bob", "carol"]
    carol = rows[2]
    assert (carol["status"], carol["points"], carol["max_points"], carol["q01"]) == ("unreadable", "0.0", "5.0", "")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_of_the_table_is_a_formula(separator: str) -> None:
    grades = [a_grade(FORMULA), a_grade("x;=1+1"), a_grade("x\t=1+1"), a_grade(NASTY)]
    table = grades_csv(grades, [a_broken_file("\r\n=1+1")], max_points=5.0)
    for row in csv.reader(io.StringIO(table), delimiter=separator):
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_json_is_the_object_that_was_promised() -> None:
    failed = a_result("test_y", public=False, verdict=Verdict.FAILED, message="no", staff_message="CANARY")
    grade = a_grade("bob", a_result(points=0.1), a_result("test_z", points=0.2), failed)
    said = as_json([grade], [a_broken_file("alice")], ASSIGNMENT, "namespaces", max_points=5.0)
    assert json.loads(json.dumps(said)) == said
    assert (said["assignment"], said["isolation"]) == (ASSIGNMENT, "namespaces")
    alice, bob = said["submissions"]
    assert alice == {
        "student": "alice",
        "file": "alice.docx",
        "sha256": "cd" * 32,
        "status": "unreadable",
        "points": 0.0,
        "max_points": 5.0,
        "seconds": 0.0,
        "questions": {},
        "reason": "It is no notebook: hand in the .ipynb.",
    }
    first = bob["questions"].pop("q01")
    assert bob == {
        "student": "bob",
        "file": "bob.ipynb",
        "sha256": "ab" * 32,
        "status": "graded",
        "points": 0.3,
        "max_points": 5.0,
        "seconds": 3.25,
        "questions": {"q02": {"points": 0, "max_points": 1.0, "checks": []}},
    }
    assert (first["points"], first["max_points"]) == (0.3, 4.0)
    assert first["checks"][2] == {
        "name": "test_y",
        "public": False,
        "verdict": "failed",
        "points": 0.0,
        "max_points": 2.0,
        "seconds": 0.123,
        "message": "no",
    }


@given(st.lists(st.text(st.characters(exclude_categories=())), unique=True))
def test_no_two_students_share_a_page_and_every_name_is_safe(students: list[str]) -> None:
    names = [page_name(student) for student in students]
    assert len(set(names)) == len(students)
    assert all(re.fullmatch(r"[a-z0-9_][a-z0-9_-]{0,80}\.html", name) for name in names)
    assert "index.html" not in names


def test_names_that_differ_only_in_what_a_file_system_ignores_stay_apart() -> None:
    students = [
        "alice",
        "Alice",
        "ALICE",
        "alice ",
        "alice\u200f",
        "álice",
        "a/lice",
        "../alice",
        "index",
        "con",
        "🎓",
        "",
    ]
    students.append(page_name("Alice").removesuffix(".html"))  # somebody who wants Alice's page
    assert len({page_name(student) for student in students}) == len(students)
    assert page_name("alice") == "alice.html"


def test_the_folder_holds_what_was_promised(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "results"
    grades = [a_grade("alice"), a_grade("Bob Ross"), a_nasty_grade()]
    index = write(folder, grades, [a_broken_file()], assignment=ASSIGNMENT, title="Training loops", max_points=5.0)
    assert index == folder / "index.html"
    links = [value for name, value in Page(index.read_text("utf-8")).attributes if name == "href"]
    assert {path.name for path in folder.iterdir()} == {*links, "index.html"}
    assert "alice.html" in links
    assert (folder / "grades.csv").read_text("utf-8") == grades_csv(grades, [a_broken_file()], max_points=5.0)
    assert (folder / "alice.html").read_text("utf-8") == student_page(a_grade("alice"), title="Training loops")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    with pytest.raises(GradebookError, match=r"results cannot be written to .*--out"):
        write(tmp_path / "results", [a_grade()], [], assignment=ASSIGNMENT, max_points=5.0)


def test_a_full_disk_leaves_the_old_pages_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, [a_grade("alice", a_result())], [], assignment=ASSIGNMENT, max_points=5.0)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(GradebookError, match="The disk is full: free some space"):
        write(tmp_path, [a_grade("alice", a_result(verdict=Verdict.FAILED))], [], assignment=ASSIGNMENT, max_points=5.0)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
