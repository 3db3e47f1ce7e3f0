"""Pages for staff: code beside checks, failures that are alike, neighbours, filters; and students' own cells."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gradetape.course import assignments
from gradetape.gradebook import Gradebook
from gradetape.grading.material import material_of
from gradetape.records import (
    Cell,
    CellEvent,
    CheckResult,
    FinalScore,
    Grade,
    MixedQuestion,
    NoSubmission,
    Origin,
    Override,
    Question,
    Status,
    Verdict,
)  # fmt: skip
from gradetape.report import CheckSource, Material, question_page, staff_page, student_page, write
from gradetape.report.code import numbered
from gradetape.report.likeness import alike, groups_of
from gradetape.report.staff import Neighbours
from tests.course import DOUBLE, HALVE, called, notebook, tiny
from tests.engines.passing import passing_course
from tests.factories import ASSIGNMENT, NASTY, SECRET, a_broken_file, a_class, a_dashboard, a_grade, a_result

LEFT_OPEN = "Your code raised NotImplementedError: the first\n"


def text_of(html: str) -> str:
    body = re.sub(r"<(style|script)[^>]*>.*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", "", body).split())


def raised(cell: int, line: int, what: str = "ValueError: no", function: str = "f") -> str:
    return f'Your code raised {what}\n  File "<cell {cell}>", line {line}, in {function}\n    return 1 / 0\n'


def of(source: str, question: str = "q01") -> Cell:
    return Cell(source=source, question=question)


def failed(name: str = "test_x", message: str = "", staff: str = "", **changes: Any) -> CheckResult:
    given: dict[str, Any] = {"verdict": Verdict.FAILED, "message": message, "staff_message": staff or message}
    return a_result(name, **(given | changes))


# Code


def test_code_has_a_number_at_each_line_and_keeps_every_letter() -> None:
    source = 'def f(x):\n    """Text\n    of <b>two</b> lines."""\n\n    return x & 1  # why\n'
    lines = numbered(source, 7, {9})
    assert [line.number for line in lines] == [7, 8, 9, 10, 11]
    assert [line.number for line in lines if line.marked] == [9]
    third = re.sub("<[^>]*>", "", lines[2].html)
    assert third == "    of &lt;b&gt;two&lt;/b&gt; lines.&#34;&#34;&#34;"
    assert '<span class="k">def</span>' in lines[0].html


@pytest.mark.parametrize("coloured", [True, False])
@pytest.mark.parametrize("source", [NASTY, "", "\n", "!ls <b>\n%time x", "x = '", "a\r\nb", "\x1b[2J\u202e", "def"])
def test_whatever_a_cell_holds_is_text(source: str, coloured: bool) -> None:
    shown = "".join(line.html for line in numbered(source, coloured=coloured))
    assert set(re.findall(r"<[^>]*>", shown)) <= {f'<span class="{name}">' for name in "cskmf"} | {"</span>"}
    assert not re.search("[\x00-\x08\x0b-\x1f\u200b\u202e\ud800]", shown)


# The page of one submission


SOURCE = CheckSource("assignments/a/q01/test_public.py", 4, "def test_x():\n    pass")
MATERIAL = Material({"q01::public::test_x": SOURCE})


def test_the_code_of_a_question_stands_beside_what_did_not_pass_with_the_line_marked() -> None:
    event = CellEvent(cell=1, kind="error", text='  File "<cell 2>", line 1, in <module>', question="q01")
    grade = a_grade(
        "bob", failed(message=raised(1, 2)), events=(event,),
        cells=(of("def f():\n    return 1 / 0"), of("f()"), of("other = 1", "q02")),
    )  # fmt: skip
    page = staff_page(grade, material=MATERIAL)
    text = text_of(page)
    assert "Code cell 1 1def f(): 2 return 1 / 0 Code cell 2 1f()" in text
    assert page.count('class="line hit"') == 2
    assert "The check, assignments/a/q01/test_public.py 4def test_x(): 5 pass" in text
    assert "gradetape override bob q01 POINTS --reason REASON --assignment custom-training" in text


def test_a_question_that_was_left_as_it_was_is_one_line() -> None:
    material = Material({}, {"q01": frozenset({"def f(): ..."})})
    untouched = a_grade("bob", failed(message=LEFT_OPEN), cells=(of("def f(): ...\n"),))
    text = text_of(staff_page(untouched, material=material))
    assert "0 of 4 points: untouched, so none of its 1 checks is listed here" in text
    assert "NotImplementedError" not in text
    touched = msgspec.structs.replace(untouched, cells=(of("def f(): return 1"),))
    assert "NotImplementedError" in text_of(staff_page(touched, material=material))
    of_an_older_version = msgspec.structs.replace(untouched, cells=())
    assert "untouched" in text_of(staff_page(of_an_older_version, material=material))
    other = a_grade("bob", failed(message=LEFT_OPEN), failed("test_y", message="wrong"))
    assert "untouched, " not in text_of(staff_page(other))


def test_a_grade_without_code_says_how_to_get_it() -> None:
    assert "kept no code: grade it again" in text_of(staff_page(a_grade("bob", failed())))


def test_each_page_leads_to_the_students_before_and_after_in_the_order_of_the_dashboard(tmp_path: Path) -> None:
    grades = [a_grade(name) for name in ("Zoë", "çelik", "Dora", "celik")]
    write(tmp_path, grades, [a_broken_file("émile")], assignment=ASSIGNMENT, max_points=5.0)
    page = (tmp_path / "staff" / ASSIGNMENT / "index.html").read_text("utf-8")
    rows = [Path(each).name for each in re.findall(r'<th scope="row" data-sort="\d+"><a href="([^"]*)"', page)]
    names = ["celik", "çelik", "Dora", "émile", "Zoë"]
    assert re.findall(r"<bdi>([^<]*)</bdi></a></th>\n<td class=\"status", page) == names
    walked = [rows[0]]
    while after := re.search(
        r'rel="next" href="([^"]*)"', (tmp_path / "staff" / ASSIGNMENT / walked[-1]).read_text("utf-8")
    ):
        walked.append(after[1])
    assert walked == rows
    alone = staff_page(a_grade(), neighbours=Neighbours("x", None))
    assert "Previous: x" in text_of(alone) and "Next:" not in text_of(alone)


def test_a_folder_of_nobody_has_a_dashboard_and_no_more(tmp_path: Path) -> None:
    write(tmp_path, [], [], assignment=ASSIGNMENT, max_points=5.0)
    assert [path.name for path in tmp_path.rglob("*.html") if path.parent != tmp_path] == ["index.html"]


OVERRIDE = Override(student="bob", question="q01", points=3.5, reason="right idea", by="Ana", at="2026-10-01T10:00:00Z")
OVERRIDDEN = FinalScore(measured=2.0, final=3.5, overrides=(OVERRIDE,), lines=("q01: 3.5 points instead of 2",))


def test_an_overridden_question_shows_the_points_that_count_on_every_page() -> None:
    grade = a_grade("bob", a_result(), failed("test_y"))
    staff, student = staff_page(grade, final_score=OVERRIDDEN), student_page(grade, final_score=OVERRIDDEN)
    assert "q01 3.5 of 4" in text_of(staff)
    assert "3.5 of 4 points (2 from the checks)" in text_of(staff)
    assert "The first 3.5 of 4 points (2 from the checks)" in text_of(student)
    scores = {"bob": OVERRIDDEN}
    assert "3.5 of 4 points on average" in text_of(
        question_page(grade.questions[0], [grade], assignment=ASSIGNMENT, final_scores=scores)
    )
    index = text_of(a_dashboard([grade], [], assignment=ASSIGNMENT, final_scores=scores))
    assert "bob graded 2 of 5 3.5 3.5 0" in index
    assert "1 student has a final grade: mean 3.5" in index
    assert "3.5 of 4 0 of 1" in index


# The student's page


def test_a_student_sees_the_own_cell_at_which_a_public_check_points() -> None:
    shown = failed(message=raised(2, 1))
    hidden = failed("test_y", message=raised(1, 1), public=False)
    grade = a_grade("bob", shown, hidden, cells=(of("hidden = 'unasked'"), of("shown = 1 / 0"), of("other = 2")))
    page = student_page(grade)
    assert "Your code cell 2: line 1" in text_of(page) and page.count('class="line hit"') == 1
    assert "unasked" not in page and "other" not in text_of(page)


@pytest.mark.parametrize("cell", [0, 3, 99999999999999999999])
def test_a_place_that_is_no_cell_of_the_submission_shows_nothing(cell: int) -> None:
    grade = a_grade("bob", failed(message=raised(cell, 1)), cells=(of("one = 1"), of("two = 2")))
    assert "Your code cell" not in student_page(grade)
    assert 'class="line hit' not in staff_page(grade)


def test_a_student_reads_what_to_do_next_the_most_points_first() -> None:
    check = msgspec.structs.replace(failed().check, question="q02")
    questions = (Question(id="q01", title="Small", points=2.0), Question(id="q02", title="Large", points=9.0))
    event = CellEvent(cell=3, kind="error", text="boom", question="q02")
    large = msgspec.structs.replace(failed(), check=check)
    grade = a_grade("bob", failed(), large, questions=questions, events=(event,))
    text = text_of(student_page(grade)).split("What to do next")[1]
    first, second = text.index("Look at code cell 4: not all of it"), text.index("Large: 1 of 1 check did not pass")
    assert first < second < text.index("Small: 1 of 1")
    assert "What to do next" not in student_page(a_grade())


def test_a_student_s_question_that_is_still_the_starter_says_so_and_is_folded() -> None:
    material = Material({}, {"q01": frozenset({"def f(): ..."})})
    grade = a_grade("bob", failed(message=LEFT_OPEN), cells=(of("def f(): ..."),))
    page = student_page(grade, untouched=material.starters_of(grade))
    assert "1 of 1 check did not pass, since your answer is still the starter" in text_of(page)
    assert "Your answer is still the starter. 1 check did not pass What test_x says." in text_of(page)
    for other in (msgspec.structs.replace(grade, cells=()), a_grade("bob", a_result(), cells=grade.cells)):
        assert material.starters_of(other) == frozenset()  # what a hidden check said decides nothing


def test_nothing_for_staff_reaches_a_student_by_way_of_code_or_groups(tmp_path: Path) -> None:
    hidden = failed("test_hidden_one", staff=f"{SECRET}\n{raised(1, 1)}", public=False, command=f"pytest {SECRET}")
    source = CheckSource("autograder/a/test_q01.py", 1, f"def test_hidden_one(): '{SECRET}'")
    grade = a_grade("bob", hidden, cells=(of("mine = 1"),))
    material = Material({"q01::hidden::test_hidden_one": source}, {"q01": frozenset({SECRET})})
    write(tmp_path, [grade], [], assignment=ASSIGNMENT, max_points=5.0, material=material)
    for path in (tmp_path / "students").rglob("*"):
        if path.is_file():
            assert not [word for word in (SECRET, "hidden::", "autograder", "mine") if word in path.read_text()]
    assert SECRET in (tmp_path / "staff" / ASSIGNMENT / "questions" / "q01.html").read_text()
    assert SECRET in (tmp_path / "staff" / ASSIGNMENT / "bob.html").read_text()


# The page of a question


def test_failures_that_are_alike_are_one_group_and_the_biggest_is_first() -> None:
    def grade(name: str, *results: CheckResult) -> Grade:
        return a_grade(name, *results)

    grades = [
        grade("a", failed(message="assert 2 == 2.5")),
        grade("b", failed(message=raised(3, 4, function="g"), verdict=Verdict.ERROR)),
        grade("c", failed(message=raised(9, 1, function="g"), verdict=Verdict.ERROR)),
        grade("d", failed(message=raised(9, 1, function="h"), verdict=Verdict.ERROR)),
        grade("e", failed(message="assert 7 == 3.5"), failed("test_y", message="assert 7 == 3.5")),
        grade("f", failed(message="assert [1.0, 2.0] == [0.5]")),
        grade("g", failed(message="assert 1 == 2", verdict=Verdict.TIMEOUT)),
    ]
    groups = groups_of(grades, "q01")
    assert [(group.students, group.place) for group in groups] == [
        (("a", "e"), ""), (("b", "c"), "g"), (("d",), "h"), (("e",), ""), (("f",), ""), (("g",), ""),
    ]  # fmt: skip
    assert groups[0].example.message == "assert 2 == 2.5"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("assert 2 == 2.5", "assert -1e-3 == 4"), ("<object at 0x7f01>", "<object at 0xabc>"),
        ("array([1, 2])", "array([3., 4.5, 6.])"), ("max   difference 0.1", "max difference 0.25"),
    ],
)  # fmt: skip
def test_numbers_addresses_and_arrays_do_not_tell_failures_apart(one: str, other: str) -> None:
    assert alike(failed(message=one)) == alike(failed(message=other))
    assert alike(failed(message=one)) != alike(failed(message=f"other {one}"))


def test_a_question_s_page_shows_groups_checks_and_every_student() -> None:
    grades = [a_grade(f"s{n:02}", failed(message=f"assert {n} == 3"), a_result("test_y")) for n in range(12)]
    grades.append(a_grade("open", failed(message=LEFT_OPEN), failed("test_y", message=LEFT_OPEN)))
    page = question_page(grades[0].questions[0], grades, assignment=ASSIGNMENT, material=MATERIAL)
    text = text_of(page)
    assert "12 students ✗ failed What test_x says. assert 0 == 3" in text
    assert "Untouched open" in text
    assert "What test_y says. 12 of 13 passed, 2 points, public" in text
    assert "q01::public::test_x assignments/a/q01/test_public.py 4def test_x():" in text
    assert "s03 2 ✗failed ✓passed" in text and "open 0 (untouched) ✗failed ✗failed" in text
    assert 'href="../s03.html#q01"' in page


def test_a_failed_check_on_the_dashboard_leads_to_those_who_failed_it(tmp_path: Path) -> None:
    write(tmp_path, a_class([(True, False)] * 3), [], assignment=ASSIGNMENT, max_points=5.0)
    for index, to in (("index.html", f"staff/{ASSIGNMENT}/"), (f"staff/{ASSIGNMENT}/index.html", "")):
        page = (tmp_path / index).read_text("utf-8")
        assert f'<a href="{to}questions/q01.html#c2">What test_1 says.</a>' in page
        assert f'<a href="{to}questions/q01.html">The first</a>' in page
    assert 'id="c2"' in (tmp_path / "staff" / ASSIGNMENT / "questions" / "q01.html").read_text("utf-8")


# The dashboard


def test_late_section_and_flags_are_columns_and_filters_of_the_dashboard() -> None:
    origin = Origin(layout="canvas", section="Group A")
    grades = [
        a_grade("ann", origin=origin),
        a_grade("bob", review=("odd",)),
        a_grade("cy", status=Status.NEEDS_ATTENTION, attention=("lost",), file="/a/long/path/to/cy.ipynb"),
    ]
    scores = {"ann": FinalScore(measured=2.0, final=1.8, late_days=2, late_percent=20.0), "bob": OVERRIDDEN}
    page = a_dashboard(grades, [a_broken_file()], assignment=ASSIGNMENT, final_scores=scores)
    found = dict(re.findall(r'<tr data-filters="([^"]*)">\n<th[^>]*><a[^>]*><bdi>([^<]*)', page))
    assert {name: words.split("\n") for words, name in found.items()} == {
        "ann": ["is:late", "section:Group A"], "bob": ["is:review", "is:overridden"], "cy": ["is:attention"],
        "carol": ["is:attention", "is:unreadable"],
    }  # fmt: skip
    assert re.findall(r'<option value="([^"]*)">', page) == [
        "is:attention", "is:late", "is:overridden", "is:review", "is:unreadable", "section:Group_A",
    ]  # fmt: skip
    text = text_of(page)
    assert "see 2 days Group A ann.ipynb" in text
    assert "see cy.ipynb" in text
    plain = a_dashboard([a_grade()], [], assignment=ASSIGNMENT)
    assert "datalist" not in plain and ">Late<" not in plain and ">Section<" not in plain


def test_who_handed_in_nothing_is_a_row_without_pages_in_the_order_of_the_others() -> None:
    absent = (NoSubmission(student="Bea", section="Group A"), NoSubmission(student="çem"))
    grades = [a_grade("ann"), a_grade("bob")]
    page = a_dashboard(grades, [], assignment=ASSIGNMENT, no_submission=absent, final_scores={
        "ann": FinalScore(measured=1, final=0)
    })  # fmt: skip
    assert "4 students, 2 without a submission, none in need of attention" in page
    rows = re.findall(r"<bdi>([^<]*)</bdi>(?:</a>)?</th>\n<td class=\"status\">(.*?)</td>", page)
    assert [(name, text_of(status)) for name, status in rows] == [
        ("ann", "graded"), ("Bea", "no submission"), ("bob", "graded"), ("çem", "no submission"),
    ]  # fmt: skip
    assert 'data-filters="is:no-submission\nsection:Group A"' in page and "bea.html" not in page
    assert '<option value="is:no-submission">' in page


def test_a_final_grade_that_staff_should_look_at_is_found_like_one_that_is_not_final() -> None:
    page = a_dashboard([a_grade("ann", concerns=("imports x",)), a_grade("bob")], [], assignment=ASSIGNMENT)
    assert page.count('data-filters="is:attention"') == 1 and "2 students, 1 in need of attention" in page
    assert "Needs attention imports x" in text_of(staff_page(a_grade("ann", concerns=("imports x",))))


def test_a_mixed_question_is_told_on_its_page_and_the_dashboard_leads_there(tmp_path: Path) -> None:
    mixed = [MixedQuestion(question="q01", what="its checks", students=("bob",), of=2)]
    grades = [a_grade("ann", failed()), a_grade("bob", failed())]
    write(tmp_path, grades, [], assignment=ASSIGNMENT, max_points=4, mixed=mixed)
    folder = tmp_path / "staff" / ASSIGNMENT
    words = "1 of 2 students were graded under another version of its checks: bob"
    assert words in text_of((folder / "questions" / "q01.html").read_text())
    dashboard = (folder / "index.html").read_text()
    assert f"q01 : {words}".replace(" :", ":") in text_of(dashboard).replace(" :", ":")
    assert '<li><a href="questions/q01.html"><code>q01</code></a>' in dashboard
    assert "Mixed" not in question_page(grades[0].questions[0], grades, assignment=ASSIGNMENT)


def test_where_a_cell_failed_stands_in_the_question_before_its_checks_unless_it_is_untouched() -> None:
    event = CellEvent(cell=0, kind="error", text="PermissionError: logs", question="q01")
    grade = a_grade("bob", failed(message=LEFT_OPEN), events=(event,), cells=(of("def f(): ..."),))
    asked = '<section class="question"'
    page = staff_page(grade, material=Material({}, {"q01": frozenset({"other"})}))
    assert 0 < page.find(asked) < page.find("First of all, a cell failed") < page.find("NotImplementedError")
    starter = Material({}, {"q01": frozenset({"def f(): ..."})})
    assert "First of all" not in staff_page(grade, material=starter)
    own = student_page(grade, untouched={"q01"})
    assert 0 < own.find("still the starter.</p>") < own.find("First of all") < own.find("NotImplementedError")


def test_points_are_shaded_by_what_was_reached() -> None:
    questions = (Question(id="q01", title="", points=4.0),)
    grades = [a_grade(f"s{p}", a_result(points=float(p)), questions=questions) for p in range(5)]
    page = a_dashboard(grades, [], assignment=ASSIGNMENT)
    assert re.findall(r'class="number heat (h\d)">(\d)', page) == [
        ("h0", "0"), ("h1", "1"), ("h2", "2"), ("h3", "3"), ("h4", "4"),
    ]  # fmt: skip


def test_questions_stand_above_the_long_table_of_students() -> None:
    text = text_of(a_dashboard(a_class([(True,)] * 3), [], assignment=ASSIGNMENT))
    assert text.index("Mean points") < text.index("Students Search") < text.index("Slowest checks Check")


# From the course to the pages


def test_the_course_s_checks_and_starters_are_read_as_far_as_possible(tmp_path: Path) -> None:
    course = assignments.find(tiny(tmp_path / "course"))
    found = material_of(course, course.assignment("tiny"))
    assert found.checks["q01_double::hidden::test_any_number"].line == 4
    assert found.checks["q01_double::hidden::test_any_number"].text.startswith("@points(2)\n@hint(")
    assert found.checks["q01_double::public::test_two"].path == "assignments/tiny/q01_double/test_public.py"
    (text,) = found.starters["q01_double"]
    assert text.endswith('raise NotImplementedError("double")')
    (course.root / "autograder" / "tiny" / "test_q01_double.py").write_text("def broken(")
    (course.root / "autograder" / "tiny" / "test_q02_halve.py").write_bytes(b"\xff")
    again = material_of(course, course.assignment("tiny"))
    assert sorted(again.checks) == ["q01_double::public::test_two", "q02_halve::public::test_four"]


def test_a_grade_keeps_the_code_that_was_graded_and_the_pages_show_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = passing_course(tmp_path / "course", monkeypatch)
    (course / "ann.ipynb").write_text(notebook(DOUBLE, HALVE))
    assert called(course, "grade", "ann.ipynb").returncode == 0
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        (grade,) = book.latest("tiny")
    assert [(cell.question, cell.source) for cell in grade.cells] == [("q01_double", DOUBLE), ("q02_halve", HALVE)]
    text = text_of((course / "results" / "staff" / "tiny" / "ann.html").read_text())
    assert "Code cell 2 1def halve(x): 2 return x * 0.5" in text
    assert (course / "results" / "staff" / "tiny" / "questions" / "q02_halve.html").is_file()


def test_the_dashboard_of_a_thousand_students_takes_less_than_a_second() -> None:
    grades = [
        msgspec.structs.replace(each, student=f"student {number}")
        for number, each in enumerate(a_class([(True, False) * 40, (False, True) * 40]) * 500)
    ]
    a_dashboard(grades[:2], [], assignment=ASSIGNMENT)  # imports matplotlib
    seconds = []
    for _ in range(3):
        before = time.process_time()
        a_dashboard(grades, [], assignment=ASSIGNMENT)
        seconds.append(time.process_time() - before)
    assert min(seconds) < 1
