"""Pages and tables describe the results; text from strangers and staff is shown but has no effect."""

from __future__ import annotations

import base64
import csv
import errno
import hashlib
import io
import itertools
import json
import os
import re
import statistics
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradetape.errors import GradebookError
from gradetape.exports import AssignmentSummary, GradeTable, as_json
from gradetape.exports import csv as grades_csv
from gradetape.records import Basis, CellEvent, FinalScore, Grade, Question, Status, Unreadable, Verdict
from gradetape.report import (
    overview_page,
    page_name,
    question_page,
    staff_page,
    student_page,
    unreadable_page,
    write,
)
from gradetape.report.analysis import check_items, correlation, distribution, question_items
from gradetape.report.html import slug
from gradetape.report.staff import unreadable_for_staff
from tests.factories import (
    ASSIGNMENT,
    FORMULA,
    NASTY,
    a_broken_file,
    a_class,
    a_dashboard,
    a_grade,
    a_nasty_grade,
    a_result,
)

LINK = r"#[a-z0-9]+|(\.\./){0,2}((staff|students)/[a-z0-9_-]+/)?(questions/)?[a-z0-9_-]+\.html(#[a-z0-9]+)?|grades\.csv"


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
        if tag in ("td", "th", "li"):
            self.text += " "
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data


def text_of(html: str) -> str:
    return " ".join(Page(html).text.split())


def test_a_student_sees_points_verdicts_and_where_to_look() -> None:
    failed = a_result("test_y", verdict=Verdict.FAILED, message="expected 3, got 4")
    text = text_of(student_page(a_grade("alice", a_result(), failed)))
    assert "2 of 5 points" in text
    assert "The first 2 of 4 1 of 2 The second 0 of 1 0 of 0" in text
    assert "The first 2 of 4 points" in text
    assert "What test_x says. ✓ passed 2 of 2 points" in text
    assert "What test_y says. ✗ not passed 0 of 2 points Hint: Look at test_y. expected 3, got 4" in text
    assert "The second 0 of 1 point No checks were run for this question." in text
    assert "Look at test_x" not in text
    for fact in ("alice.ipynb", "ab" * 32, "namespaces", "landlock, seccomp", "tensorflow 2.21.0"):
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


@pytest.mark.parametrize("public", [True, False])
def test_a_student_reads_what_the_question_says_about_a_check(public: bool) -> None:
    sentences = ("A sentence without words has an empty row.", NASTY)
    failed = a_result("test_y", public=public, verdict=Verdict.FAILED, sentences=sentences)
    page = student_page(a_grade("alice", failed))
    assert "Look at test_y. The question says: “A sentence without words has an empty row.” The q" in text_of(page)
    assert "<script>alert(1)" not in page


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("public", [True, False])
def test_nothing_for_staff_is_on_a_students_page(verdict: Verdict, public: bool) -> None:
    result = a_result(public=public, verdict=verdict, staff_message="CANARY")
    grade = a_grade("alice", result, status=Status.NEEDS_ATTENTION, attention=("CANARY",))
    assert "CANARY" not in student_page(grade)


def test_a_fault_comes_with_a_friendly_word_and_no_reproach() -> None:
    fault = a_result(verdict=Verdict.FAULT)
    text = text_of(student_page(a_grade("alice", fault, status=Status.NEEDS_ATTENTION)))
    assert "Staff will review this result" in text
    assert "your submission is safe" in text
    assert "could not be judged because of an error in the grader" in text
    assert "Staff will review this result" not in text_of(student_page(a_grade()))


def test_a_student_reads_what_happened_to_the_cells() -> None:
    event = CellEvent(cell=2, kind="error", text="NameError: name 'x' is not defined", question="q02")
    text = text_of(student_page(a_grade(events=(event,), notes=("Two notebooks were found.",))))
    assert "Code cell 3 (The second) raised an error" in text
    assert "NameError: name 'x' is not defined" in text
    assert "Two notebooks were found." in text


def test_what_is_marked_for_review_is_reported_to_staff_alone_and_changes_nothing() -> None:
    grade = a_grade("mallory", review=(f"its cells replaced {NASTY}",))
    page = a_dashboard([grade, a_grade("alice")], [], assignment=ASSIGNMENT)
    assert "For review" in page and "its cells replaced &lt;script&gt;" in page
    assert "For review" not in a_dashboard([a_grade("alice")], [], assignment=ASSIGNMENT)
    assert "For review" in staff_page(grade) and "its cells replaced &lt;script&gt;" in staff_page(grade)
    assert "replaced" not in student_page(grade)
    assert table([grade]) == table([a_grade("mallory")])
    (entry,) = as_json([grade], [], ASSIGNMENT, "namespaces", max_points=5.0)["submissions"]
    assert (entry["status"], entry["points"], len(entry["review"])) == ("graded", 2.0, 1)


def test_the_dashboard_puts_first_what_needs_attention_with_the_command_that_shows_it() -> None:
    broken = a_result("test_y", public=False, verdict=Verdict.FAULT, command="pytest a/b.py::test_y --submission x")
    reason = "q01::hidden::test_y: the check raised"
    grades = [a_grade()] + [
        a_grade(name, broken, status=Status.NEEDS_ATTENTION, attention=(reason,)) for name in ("bob", "dan")
    ]
    lost = a_grade("eve", status=Status.NEEDS_ATTENTION, attention=("the zygote is gone",))
    text = text_of(a_dashboard([lost, *grades], [a_broken_file()], assignment=ASSIGNMENT, title="Training loops"))
    assert "5 students, 4 in need of attention" in text
    urgent, table = text.split("submissions were graded.")[1].split("Students Search", 1)
    first, rest = urgent.split(reason)
    assert first.endswith("bob, dan ")
    assert "pytest a/b.py::test_y --submission x eve the zygote is gone gradetape grade eve.ipynb" in rest
    assert "carol carol.docx: It is no notebook: hand in the .ipynb. gradetape grade carol.docx" in rest
    assert "alice" not in urgent.split("Points 1 student")[0]
    assert "alice graded 2 of 5 2 0 see alice.ipynb" in table
    assert "carol unreadable no points see carol.docx" in table


def test_the_dashboard_counts_who_passed_each_check() -> None:
    passed, failed = a_result("test_y", public=False), a_result("test_y", public=False, verdict=Verdict.FAILED)
    grades = [a_grade("alice", a_result(), passed), a_grade("bob", a_result(), failed)]
    text = text_of(a_dashboard(grades, [], assignment=ASSIGNMENT))
    assert "q01: What test_x says. test_x students 2 2 of 2 (100 %)" in text
    assert "q01: What test_y says. test_y staff only 2 1 of 2 (50 %) none 1 failed" in text


def test_discrimination_is_the_point_biserial_correlation_with_the_rest() -> None:
    hits = [(place < 8, place < 6, place % 3 == 0, place >= 9) for place in range(12)]
    items = check_items(a_class(hits))
    for column, item in enumerate(items):
        own = [row[column] for row in hits]
        rest = [2.0 * (sum(row) - row[column]) for row in hits]
        passed = [value for value, hit in zip(rest, own, strict=True) if hit]
        share = len(passed) / len(own)
        mean, spread = statistics.fmean(rest), statistics.pstdev(rest)
        expected = (statistics.fmean(passed) - mean) / spread * (share / (1 - share)) ** 0.5
        assert item.discrimination == pytest.approx(expected)
    assert [item.passed for item in items] == [8, 6, 4, 3]
    text = text_of(a_dashboard(a_class(hits), [], assignment=ASSIGNMENT))
    assert text.count("strong students score lower here than weak ones") == sum(
        (item.discrimination or 0) < 0 for item in items
    )


def test_too_few_students_or_no_spread_give_no_discrimination() -> None:
    assert correlation([0.0, 1.0] * 4, [1.0, 2.0] * 4) is None
    assert correlation([1.0] * 20, [1.0, 2.0] * 10) is None
    assert correlation([0.0, 1.0] * 10, [1.0, 2.0] * 10) == pytest.approx(1)


def test_a_fault_says_nothing_about_a_checks_difficulty() -> None:
    grades = [a_grade("a", a_result()), a_grade("b", a_result(verdict=Verdict.FAULT))]
    (item,) = check_items(grades)
    assert (item.passed, item.judged, item.verdicts[Verdict.FAULT]) == (1, 1, 1)


def test_only_final_grades_are_in_the_distribution_and_the_questions() -> None:
    grades = [*a_class([(True, True), (False, False)]), a_grade("stuck", status=Status.NEEDS_ATTENTION)]
    spread = distribution(grades, bins=5)
    assert spread is not None
    assert (spread.counts, spread.edges) == ((1, 0, 0, 0, 1), (0, 1, 2, 3, 4, 5))
    assert (spread.mean, spread.quartiles[1]) == (2, 2)
    first, second = question_items(grades, grades[0].questions)
    assert (first.students, first.mean, first.full) == (2, 2, 1)
    assert (second.mean, second.full) == (0, 0)
    assert distribution(grades[2:]) is None


def test_the_dashboard_ends_with_where_the_time_went() -> None:
    slow, fast = a_result("test_slow", seconds=70.0), a_result("test_fast", seconds=0.5)
    grades = [msgspec.structs.replace(a_grade(name, fast, slow), seconds=100.0) for name in ("ada", "bob")]
    text = text_of(a_dashboard(grades, [], assignment=ASSIGNMENT))
    assert "workers spent 3 min 20 s on these grades. The checks took 2 min 21 s for q01." in text
    assert text.endswith("checks whose results were replaced since took 59.0 s.")
    assert "Where the time went" not in text_of(
        a_dashboard([msgspec.structs.replace(a_grade("old", fast), seconds=0.0)], [], assignment=ASSIGNMENT)
    )


def test_the_slowest_check_comes_first_with_who_was_slow() -> None:
    slow, fast = a_result("test_slow", seconds=7.25), a_result("test_fast", seconds=0.5)
    text = text_of(a_dashboard([a_grade("alice", fast, slow)], [], assignment=ASSIGNMENT))
    assert "q01::public::test_slow 7.25 7.25 alice q01::public::test_fast 0.50 0.50 alice" in text


def test_staff_see_of_a_failing_check_all_that_is_known() -> None:
    hidden = a_result("test_y", public=False, verdict=Verdict.FAILED, message="The check did not hold.",
                      staff_message="assert 3 == 4", command="pytest a.py::test_y --submission b.ipynb")  # fmt: skip
    public = a_result("test_z", verdict=Verdict.ERROR, message="Your code raised ValueError", staff_message="deep")
    text = text_of(staff_page(a_grade("bob", a_result(), hidden, public)))
    assert "✗ failed 0 of 2 points, 0.12 s, q01::hidden::test_y assert 3 == 4 pytest a.py::test_y --submission" in text
    assert "✗ error 0 of 2 points, 0.12 s, q01::public::test_z deep What the student reads" in text
    assert "--pdb" in text
    assert "q01::public::test_x ✓ passed 2 of 2" in text.split("All checks")[1]
    assert "q01::public::test_x" not in text.split("All checks")[0]


def test_staff_see_what_the_points_of_a_submission_rest_on_and_students_do_not() -> None:
    shown, graph = a_result(), a_result("test_y", basis=Basis.EVIDENCE)
    twice = a_result("test_z", basis=Basis.CHECKED, verdict=Verdict.FAILED)
    grade = a_grade("bob", shown, graph, twice)
    text = text_of(staff_page(grade))
    assert "Points rest2 on evidence, 2 on testimony" in text
    assert "q01::public::test_y ✓ passed 2 of 2 0.12 evidence" in text
    assert "testimony" not in text_of(student_page(grade))


def test_a_page_for_nobody_is_a_page() -> None:
    assert "0 students, none in need of attention" in text_of(a_dashboard([], [], assignment=ASSIGNMENT))


def all_pages(grade: Grade, entry: Unreadable) -> list[str]:
    index = a_dashboard([grade], [entry], assignment=grade.assignment, title=grade.assignment)
    staff = [staff_page(grade), unreadable_for_staff(entry, grade.assignment)]
    question = question_page(grade.questions[0], [grade], assignment=grade.assignment, title=grade.assignment)
    return [student_page(grade), unreadable_page(entry, grade.assignment), index, *staff, question]


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


def test_a_page_loads_nothing() -> None:
    for html in all_pages(a_nasty_grade(), a_broken_file()):
        page = Page(html)
        assert not {"link", "img", "iframe", "object", "form"} & set(page.elements)
        assert not [name for name, _ in page.attributes if name.startswith("on") or name == "src"]
        assert all(re.fullmatch(LINK, value) for name, value in page.attributes if name == "href")
        assert not re.search(r"url\((?!#)", html)
        assert "@import" not in html
        assert [value for _, value in page.attributes if value.startswith("default-src 'none';")]


def test_a_students_page_runs_nothing_and_a_dashboard_only_its_own_script() -> None:
    *students, index = all_pages(a_nasty_grade(), a_broken_file())[:2], a_dashboard([], [], assignment=ASSIGNMENT)
    assert not [html for html in students[0] if "script" in Page(html).elements or "script-src" in html]
    script = re.findall("<script[^>]*>(.*?)</script>", index, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert (len(script), index.count(f"script-src 'sha256-{digest}';")) == (1, 1)


def test_a_page_has_headings_in_order_landmarks_and_tables_with_scopes() -> None:
    for html in all_pages(a_grade(), a_broken_file()):
        page = Page(html)
        levels = [int(name[1]) for name in page.elements if re.fullmatch("h[1-6]", name)]
        assert (levels[0], levels.count(1)) == (1, 1)
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
        assert page.elements.count("main") == 1
        assert ("href", "#main") in page.attributes
        assert page.elements.count("th") == sum(name == "scope" for name, _ in page.attributes)
        assert ("lang", "en") in page.attributes


def table(grades: list[Grade], unreadable: list[Unreadable] | None = None) -> str:
    """The table of grades as CSV."""
    return grades_csv.write(GradeTable.of(grades, unreadable or [], max_points=5.0))


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_has_a_row_per_student_and_a_column_per_question() -> None:
    rows = rows_of(table([a_grade("bob"), a_grade("alice")], [a_broken_file()]))
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
    assert (carol["status"], carol["points"], carol["max_points"], carol["q01"]) == ("unreadable", "", "5.0", "")


def test_the_table_and_json_have_the_order_of_a_list_of_people() -> None:
    grades, people = [a_grade(name) for name in ("Zoë", "çelik", "Dora", "celik")], ["celik", "çelik", "Dora", "Zoë"]
    assert [row["student"] for row in rows_of(table(grades))] == people
    found = as_json(grades, [], ASSIGNMENT, "none", max_points=5)["submissions"]
    assert [each["student"] for each in found] == people


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_of_the_table_is_a_formula(separator: str) -> None:
    grades = [a_grade(FORMULA), a_grade("x;=1+1"), a_grade("x\t=1+1"), a_grade(NASTY)]
    text = table(grades, [a_broken_file("\r\n=1+1")])
    for row in csv.reader(io.StringIO(text), delimiter=separator):
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


def a_folder(folder: Path, *grades: Grade, assignment: str = ASSIGNMENT) -> Path:
    return write(folder, grades, [a_broken_file()], assignment=assignment, title="Training loops", max_points=5.0)


def test_the_folder_holds_what_was_promised(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "results"
    grades = [a_grade("alice"), a_grade("Bob Ross"), a_nasty_grade()]
    index = a_folder(folder, *grades)
    assert index == folder / "index.html"
    pages = {page_name(student) for student in ("alice", "Bob Ross", NASTY, "carol")}
    assert {path.name for path in folder.iterdir()} == {"README.txt", "grades.csv", "index.html", "staff", "students"}
    assert {path.name for path in (folder / "students" / ASSIGNMENT).iterdir()} == pages
    assert {path.name for path in (folder / "staff" / ASSIGNMENT).iterdir()} == pages | {
        "index.html", "grades.csv", "questions",
    }  # fmt: skip
    questions = {f"{slug(question.id)}.html" for grade in grades for question in grade.questions}
    assert {path.name for path in (folder / "staff" / ASSIGNMENT / "questions").iterdir()} == questions
    assert (folder / "grades.csv").read_text("utf-8") == table(grades, [a_broken_file()])
    alice = (folder / "students" / ASSIGNMENT / "alice.html").read_text("utf-8")
    assert alice == student_page(a_grade("alice"), title="Training loops")


def test_the_courses_title_stands_above_every_page(tmp_path: Path) -> None:
    for assignment in (ASSIGNMENT, "week-2"):
        grades = [a_grade("alice", assignment=assignment)]
        write(tmp_path, grades, [a_broken_file()], course="A <b>course", assignment=assignment, max_points=5.0)
    pages = [path.read_text("utf-8") for path in tmp_path.rglob("*.html")]
    assert len(pages) == 15
    assert all("A <b>course" in Page(html).text for html in pages)


def test_a_dashboard_among_others_leads_back_to_the_list_of_all(tmp_path: Path) -> None:
    a_folder(tmp_path, a_grade("alice"))
    a_folder(tmp_path, a_grade("alice", assignment="week-2"), assignment="week-2")
    for name in (ASSIGNMENT, "week-2"):
        path = tmp_path / "staff" / name / "index.html"
        [link] = re.findall('<a href="([^"]*)">All assignments', path.read_text("utf-8"))
        assert (path.parent / link).resolve() == tmp_path.resolve() / "index.html"


def test_every_link_leads_to_a_page(tmp_path: Path) -> None:
    a_folder(tmp_path, a_grade("alice"), msgspec.structs.replace(a_nasty_grade(), assignment=ASSIGNMENT))
    a_folder(tmp_path, a_grade("alice", assignment="week-2"), assignment="week-2")
    for path in tmp_path.rglob("*.html"):
        attributes = Page(path.read_text("utf-8")).attributes
        ids = [value for name, value in attributes if name == "id"]
        assert len(ids) == len(set(ids))
        for target in (value for name, value in attributes if name == "href"):
            file, _, place = target.partition("#")
            goal = path.parent / file if file else path
            assert goal.is_file()
            assert not place or ("id", place) in Page(goal.read_text("utf-8")).attributes


def test_nothing_in_the_folder_for_students_is_for_staff(tmp_path: Path) -> None:
    result = a_result(public=False, verdict=Verdict.FAILED, message="no", staff_message="CANARY", command="CANARY")
    a_folder(tmp_path, a_grade("alice", result), a_grade("bob", result, attention=("CANARY",)))
    students = [path.read_text("utf-8") for path in (tmp_path / "students").rglob("*.html")]
    assert not [html for html in students if "CANARY" in html or "staff" in html or "index.html" in html]
    assert [html for html in students if "bob" in html] == [html for html in students if "alice" not in html][:1]
    assert "CANARY" in (tmp_path / "staff" / ASSIGNMENT / "alice.html").read_text("utf-8")


def test_of_a_file_that_could_not_be_read_its_student_learns_no_path_and_no_other_name(tmp_path: Path) -> None:
    reason = "sub/dave/hw.ipynb and sub/erin/hw.ipynb lead to the same student"
    two = msgspec.structs.replace(a_broken_file("hw", reason), file="sub/dave/hw.ipynb", for_student="Ask.")
    one = msgspec.structs.replace(a_broken_file("gus", "It is empty."), file="sub/gus.ipynb")
    write(tmp_path, [], [two, one], assignment=ASSIGNMENT, max_points=5.0)
    pages = {path.stem: text_of(path.read_text()) for path in (tmp_path / "students").rglob("*.html")}
    assert not [text for text in pages.values() if "sub/" in text or "erin" in text]
    assert "Ask." in pages["hw"] and "Filehw.ipynb" in pages["hw"] and "It is empty." in pages["gus"]
    staff = text_of((tmp_path / "staff" / ASSIGNMENT / "hw.html").read_text())
    assert reason in staff and "Ask." not in staff


def test_the_commands_for_staff_name_the_student_and_lead_to_the_same_gradebook(tmp_path: Path) -> None:
    lost = a_grade("ann", attention=("the machinery failed",), file="s5/ann/hw.ipynb")
    broken = msgspec.structs.replace(a_broken_file("-rf"), file="s5/-rf/o'.zip")
    options = ("--out", "/a room/r3")
    write(tmp_path, [lost], [broken], assignment=ASSIGNMENT, max_points=5.0, options=options)
    rest = f"--assignment {ASSIGNMENT} --out '/a room/r3' --regrade"
    ann = f"gradetape grade s5/ann/hw.ipynb --student ann {rest}"
    other = f"""gradetape grade 's5/-rf/o'"'"'.zip' --student -rf {rest}"""
    pages = [tmp_path / "index.html", tmp_path / "staff" / ASSIGNMENT / "index.html"]
    for page in pages:
        text = text_of(page.read_text())
        assert ann in text and other in text
    assert ann in text_of((tmp_path / "staff" / ASSIGNMENT / "ann.html").read_text())
    assert other in text_of((tmp_path / "staff" / ASSIGNMENT / page_name("-rf")).read_text())


def test_how_long_it_took_is_for_staff_alone() -> None:
    grade = a_grade(seconds=123.4)
    assert "123.4" in text_of(staff_page(grade)) and "123.4" not in text_of(student_page(grade))


def test_two_assignments_in_one_folder_keep_their_places(tmp_path: Path) -> None:
    a_folder(tmp_path, a_grade("alice"))
    paths = [path for path in (tmp_path / "staff" / ASSIGNMENT).rglob("*") if path.is_file()]
    first = {path: path.read_bytes() for path in paths}
    week = a_grade("alice", assignment="week-2", questions=(Question(id="q09", title="Later", points=2.0),))
    a_folder(tmp_path, week, a_grade("bob", assignment="week-2"), assignment="week-2")
    assert {path: path.read_bytes() for path in first} == first
    text = text_of((tmp_path / "index.html").read_text("utf-8"))
    assert "custom-training 2 1 2.0 of 5 week-2 3 1 2.0 of 5" in text
    rows = rows_of((tmp_path / "grades.csv").read_text("utf-8"))
    assert [(row["assignment"], row["student"], row["q09"]) for row in rows] == [
        (ASSIGNMENT, "alice", ""), (ASSIGNMENT, "carol", ""), ("week-2", "alice", "0.0"), ("week-2", "bob", ""),
        ("week-2", "carol", ""),
    ]  # fmt: skip


LATE = FinalScore(measured=2.0, final=1.8, late_percent=10.0, late_days=1, lines=("Handed in <late>: 10 % penalty.",))


def test_what_counts_stands_beside_what_was_measured(tmp_path: Path) -> None:
    final_scores = {
        "alice": LATE,
        "carol": FinalScore(measured=0.0, final=3.0, lines=("q01: 3 points, set by the course staff",)),
    }
    write(
        tmp_path,
        [a_grade("alice")],
        [a_broken_file()],
        assignment=ASSIGNMENT,
        max_points=5.0,
        final_scores=final_scores,
    )
    for reader in ("students", "staff"):
        alice, carol = (text_of((tmp_path / reader / ASSIGNMENT / f"{name}.html").read_text()) for name in final_scores)
        assert "1.8 of 5 points (2 from the checks)" in alice
        assert "Final score: 1.8 points Handed in <late>: 10 % penalty." in alice
        assert "Final score: 3 points q01: 3 points, set by the course staff" in carol
    index = text_of((tmp_path / "index.html").read_text())
    assert "alice graded 2 of 5 1.8 2 0 see" in index
    assert "carol unreadable no points 3 see" in index
    alone = a_dashboard([a_grade("alice")], [a_broken_file()], assignment=ASSIGNMENT, final_scores={"alice": LATE})
    assert "carol unreadable no points see" in text_of(alone)
    assert [row["final"] for row in rows_of((tmp_path / "grades.csv").read_text())] == ["1.8", "3.0"]


def test_without_overrides_or_penalties_the_points_are_shown_once() -> None:
    final_score = FinalScore(measured=2.0, final=2.0, late_days=0)
    assert student_page(a_grade(), final_score=final_score) == student_page(a_grade())
    plain = a_dashboard([a_grade()], [], assignment=ASSIGNMENT)
    assert a_dashboard([a_grade()], [], assignment=ASSIGNMENT, final_scores={"alice": final_score}) == plain


def test_a_list_of_assignments_without_a_final_grade_says_so() -> None:
    entry = AssignmentSummary(assignment="week-2", students=1, attention=1, mean=None, max_points=5.0)
    assert "week-2 1 1 none yet of 5" in text_of(overview_page([entry]))


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    with pytest.raises(GradebookError, match=r"results cannot be written to .*--out"):
        write(tmp_path / "results", [a_grade()], [], assignment=ASSIGNMENT, max_points=5.0)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "The disk is full: free some space and run the command again"),
        (errno.EDQUOT, "Your share of the disk is used up: free some space"),
        (errno.EACCES, "You may not write there: choose another folder with --out"),
        (errno.EPERM, "You may not write there: choose another folder with --out"),
        (errno.EROFS, "That disk is read-only: choose another folder with --out"),
        (errno.EIO, "Check that it is a folder that you may write to, or use --out"),
    ],
)
def test_a_disk_that_refuses_leaves_the_old_pages_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    write(tmp_path, [a_grade("alice", a_result())], [], assignment=ASSIGNMENT, max_points=5.0)
    before = contents(tmp_path)

    def refused(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(GradebookError, match=words):
        write(tmp_path, [a_grade("alice", a_result(verdict=Verdict.FAILED))], [], assignment=ASSIGNMENT, max_points=5.0)
    assert contents(tmp_path) == before


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
