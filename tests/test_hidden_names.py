"""Names are hidden at the desk: no page has a trace of whom it is about, and every form still works."""

from __future__ import annotations

import html
import re
from pathlib import Path

import msgspec
import pytest

from gradetape.course.assignments import find
from gradetape.desk.names import HiddenName, pseudonym, without_names
from gradetape.desk.trials import BackgroundTrial
from gradetape.grading.results import Results, pages_of
from gradetape.records import (
    Cell,
    CellEvent,
    Comment,
    Grade,
    MixedQuestion,
    NoSubmission,
    Origin,
    Override,
    PointsChange,
    RegradeRequest,
    TrialResult,
    Unreadable,
)
from gradetape.report import Actions, AssignmentPages, page_name, trial_page
from tests.books import recorded
from tests.course import called
from tests.desk_client import OWN, DeskClient
from tests.factories import a_tiny_grade

JANE, CAROL, MARY = "Jane Doe", "Carol King", "Mary Major"
TRACES = re.compile(r"(?<![a-z])(?:jane|doe|4711|jdoe7|carol|king|mary|major)(?![a-z])", re.IGNORECASE)
AT = "2026-10-01T10:00:00+00:00"
NAME = pseudonym("tiny", JANE)
PAGE = page_name(NAME)
STAFF = f"/staff/tiny/{PAGE}"
DASHBOARD = "/staff/tiny/index.html"
REAL = f"/staff/tiny/{page_name(JANE)}"


def jane() -> Grade:
    """A grade with the student's name wherever one can be."""
    grade = a_tiny_grade(JANE)
    file = "/home/doe/downloads/jane_doe_4711_hw.ipynb"
    words = f"in {file}, by JANE DOE (jdoe7, jane.doe@example.edu)"
    said = f"Jane's work, and that of Doe, {words}"
    results = tuple(
        msgspec.structs.replace(each, message=said, staff_message=said, command=f"pytest x --submission {file}")
        for each in grade.results
    )
    return msgspec.structs.replace(
        grade, file=file, results=results, notes=(words,), attention=(words,), review=(words,), concerns=(words,),
        origin=Origin(layout="canvas", id="4711", login="jdoe7", email="jane.doe@example.edu", section="Lab 1"),
        cells=(Cell(source=f"# Jane, {words}\nhalve = max", question="q02_halve"),),
        events=(CellEvent(cell=0, kind="output", text=said, question="q02_halve"),),
    )  # fmt: skip


def carol() -> Unreadable:
    reason = "in/carol_king/hw.docx and in/jane_doe_4711_hw.ipynb of Jane Doe lead to Carol King"
    return Unreadable(student=CAROL, file="in/carol_king/hw.docx", sha256="cd" * 32, reason=reason)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Jane, who is written about everywhere, Bob, and an unreadable file of Carol's."""
    root = recorded(tmp_path, jane(), a_tiny_grade("Bob Roe"), unreadable=(carol(),))
    with Results.open(find(root)) as results:
        results.book.override("tiny", Override(
            student=JANE, question="q01_double", points=2, reason="Jane was right", by="Ana", at=AT
        ))  # fmt: skip
        for student, text in ((JANE, "Well done, Jane and jane doe!"), (CAROL, "Well done, Carol. See Jane Doe.")):
            results.book.notes.comment("tiny", Comment(
                student=student, question="q02_halve", text=text, by="Ana", at=AT
            ))  # fmt: skip
        results.book.notes.request([
            ("tiny", RegradeRequest(student=JANE, question="q02_halve", text="I am Jane (4711).", by="Ana", at=AT))
        ])  # fmt: skip
    return root


@pytest.fixture
def client(course: Path) -> DeskClient:
    """The desk with hidden names."""
    found = DeskClient(course)
    answer = found.get("/names/hidden")
    assert answer.status_code == 303 and "gradetape-names=hidden; HttpOnly" in answer.headers["set-cookie"]
    found.cookie += "; gradetape-names=hidden"
    return found


def traces(text: str) -> list[str]:
    """What is left of a name in a page, its style and script apart."""
    shown = re.sub(r"<style>.*?</style>|<script.*?</script>", "", html.unescape(text), flags=re.DOTALL)
    return [shown[max(found.start() - 40, 0) : found.end() + 40] for found in TRACES.finditer(shown)]


def with_names(client: DeskClient) -> DeskClient:
    client.cookie = client.cookie.partition(";")[0]
    return client


def test_no_page_has_a_trace_of_a_name_and_links_lead_on(client: DeskClient) -> None:
    carols = f"/staff/tiny/{page_name(pseudonym('tiny', CAROL))}"
    paths = [DASHBOARD, STAFF, carols, "/staff/tiny/questions/q02_halve.html", "/index.html", "/grades.csv"]
    paths += ["/staff/tiny/grades.csv", f"/students/tiny/{PAGE}", carols.replace("staff", "students")]
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert traces(answer.text) == [], path
    dashboard = client.get(DASHBOARD).text
    assert NAME in dashboard and f'href="../../staff/tiny/{PAGE}"' in dashboard and "Lab 1" in dashboard
    assert "Names are hidden." in dashboard and "halve = max" in html.unescape(
        re.sub("<[^>]+>", "", client.get(STAFF).text)
    )


def test_names_are_shown_where_nobody_has_hidden_them(client: DeskClient) -> None:
    shown = with_names(client)
    assert JANE in shown.get(DASHBOARD).text and "Names are shown." in shown.get(DASHBOARD).text
    assert JANE in shown.get(STAFF).text and JANE in shown.get(REAL).text


def test_an_address_with_a_name_leads_to_the_page_without_it(client: DeskClient) -> None:
    answer = client.get(REAL)
    assert answer.status_code == 200 and traces(answer.text) == [] and NAME in answer.text


@pytest.mark.parametrize(
    ("referer", "to"),
    [
        (f"{OWN}{REAL}", STAFF), (f"{OWN}{STAFF}", STAFF), (f"{OWN}{DASHBOARD}", DASHBOARD),
        (f"{OWN}/staff/tiny/questions/q02_halve.html", "/staff/tiny/questions/q02_halve.html"),
        (f"{OWN}/staff/tiny/nobody.html", "/"), (f"{OWN}/staff/other/index.html", "/"), ("", "/"),
        ("http://evil.example//evil.example/x", "/"), (f"{OWN}/trial/1", "/"),
    ],
)  # fmt: skip
def test_hiding_names_leads_back_to_the_same_page(client: DeskClient, referer: str, to: str) -> None:
    assert client.get("/names/hidden", referer=referer).headers["location"] == to


def test_showing_names_leads_back_to_the_page_with_the_name(client: DeskClient) -> None:
    answer = client.get("/names/shown", referer=f"{OWN}{STAFF}")
    assert answer.headers["location"] == REAL and "gradetape-names=shown" in answer.headers["set-cookie"]


def test_forms_of_pages_without_names_reach_the_student(client: DeskClient, course: Path) -> None:
    typed = {"points": "1.5", "reason": "right idea", "text": "Look again."}
    for action in ("override", "comment", "done", "answer"):
        to, fields = next(
            each for each in client.forms(STAFF)
            if each[0].endswith(f"/{action}") and each[1].get("question", "q02_halve.html") == "q02_halve.html"
            and "check" not in each[1]
        )  # fmt: skip
        answer = client.post(to, fields | typed)
        assert answer.status_code == 303 and answer.headers["location"].startswith(STAFF), action
    with Results.open(find(course)) as results:
        assert results.book.overrides("tiny", JANE)[-1].points == 1.5
        assert results.book.notes.comments("tiny", JANE)[-1].text == "Look again."
        assert [mark.student for mark in results.book.notes.marks("tiny")] == [JANE]
        assert results.book.notes.requests("tiny")[0].answer == "right idea"
    assert "no longer done" not in client.get(STAFF).text and ", done" in client.get(STAFF).text


def test_a_group_of_like_failures_is_the_same_without_names(client: DeskClient, course: Path) -> None:
    groups = [each for each in client.forms("/staff/tiny/questions/q02_halve.html") if each[0].endswith("-alike")]
    for to, fields in groups:
        fields["token"] = client.forms("/staff/tiny/questions/q02_halve.html")[0][1]["token"]
        assert client.post(to, fields | {"points": "1", "reason": "typo"}).status_code == 303
    with Results.open(find(course)) as results:
        given = {each.student for each in results.book.overrides("tiny") if each.question.startswith("q02_halve::")}
    assert given == {JANE, "Bob Roe"}


def test_what_only_pages_of_a_whole_course_have_is_hidden_too(course: Path) -> None:
    with Results.open(find(course)) as results:
        pages = pages_of(results, results.scored("tiny"))
    more = {
        "changes": [PointsChange(student=JANE, question="q02_halve", before=1, after=0, at=AT)],
        "mixed": [MixedQuestion(question="q02_halve", what="its checks", students=(JANE,), of=2)],
        "no_submission": [NoSubmission(student=MARY, id="4711", email="mary@example.edu", section="Lab 1")],
        "actions": Actions("t", "tiny", True),
    }
    whole = AssignmentPages(**{name: getattr(pages, name) for name in pages.__dataclass_fields__} | more)
    hidden = without_names(whole)
    assert traces(whole.dashboard()) != [] and traces(hidden.dashboard()) == []
    assert pseudonym("tiny", MARY) in hidden.dashboard()
    assert traces(hidden.of_question(hidden.questions["q02_halve.html"])) == []


def test_a_pseudonym_is_the_same_each_time_and_another_one_for_everybody_else() -> None:
    assert pseudonym("tiny", JANE) == pseudonym("tiny", JANE) and re.fullmatch(r"Student [a-z2-7]{8}", NAME)
    assert len({pseudonym(name, student) for name in ("a", "b") for student in ("x", "y", "\ud800")}) == 6


def test_a_name_that_is_a_word_of_python_stays_in_code_and_no_part_of_a_word_is_replaced() -> None:
    name = HiddenName("Student x", ["Max"], ["Max"])
    assert name.code("y = max(1, 2)") == "y = max(1, 2)" and name.text("of max, maximum") == "of Student x, maximum"
    assert HiddenName("Student x", ["a", ""]).text("a b") == "a b"


def test_a_trial_is_shown_without_names_and_leads_back_to_the_page_without_one() -> None:
    grade = jane()
    before = grade.results[1:]
    now = tuple(msgspec.structs.replace(each, points=2, message="Jane says 4711") for each in before)
    trial = BackgroundTrial(
        assignment="tiny", question=grade.questions[1], student=JANE, folder="tiny", grades=[grade],
        make=lambda _: iter(()),
        tried=[TrialResult(student=JANE, before=before, now=now, lost="of Jane Doe")],
    )  # fmt: skip
    hidden = trial.without_names()
    page = trial_page(hidden.title, hidden.tried, of=1, running=False, back=hidden.place, folder="tiny")
    assert f"Half: {NAME}" in page and f"/staff/tiny/{PAGE}#q02halve" in page
    assert JANE not in page and "JANE DOE" not in page and page_name(JANE) not in page and traces(page) == []
    assert trial.title == f"Half: {JANE}" and trial.place == f"{REAL}#q02halve"


def test_publishing_writes_the_pages_with_names_as_the_command_does(client: DeskClient, course: Path) -> None:
    assert "were never written into" in client.get("/published/tiny").text
    to, fields = next(each for each in client.forms(DASHBOARD) if each[0].endswith("/publish"))
    answer = client.post(to, fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/published/tiny")
    assert "The dashboard of tiny in " in client.get("/published/tiny").text
    assert "was last written at 20" in client.get("/published/tiny").text
    written = {path: path.read_bytes() for path in (course / "results").rglob("*.html")}
    assert (course / "results" / "students" / "tiny" / page_name(JANE)) in written
    called(course, "report")
    assert written == {path: path.read_bytes() for path in (course / "results").rglob("*.html")}
    assert client.get("/published/other").status_code == 404


def test_publishing_shows_what_is_doubtful_as_the_command_does(client: DeskClient, course: Path) -> None:
    config = course / "grader_config.yml"
    config.write_text(f"{config.read_text('utf-8')}\nroster: people.csv\n", encoding="utf-8")
    (course / "people.csv").write_text("name,section\nBob Roe,Lab 1\n", encoding="utf-8")
    [said] = [line for line in called(course, "report").stderr.splitlines() if "class list" in line]
    hidden = client.get("/published/tiny").text
    assert "Warning: 1 warning may name students" in hidden and traces(hidden) == []
    shown = html.unescape(with_names(client).get("/published/tiny").text)
    assert f"Warning: {said}" in shown and "Jane Doe" in shown
