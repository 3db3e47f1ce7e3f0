"""The desk: it answers its own browser alone, shows the pages of the gradebook, and each form counts once."""

from __future__ import annotations

import html
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import msgspec
import pytest

from gradetape.course.assignments import find
from gradetape.desk import keys
from gradetape.desk.opening import serve
from gradetape.errors import RequestError
from gradetape.gradebook import Gradebook
from gradetape.grading.results import Results
from gradetape.records import Cell, Override
from gradetape.report import page_name
from tests.books import recorded
from tests.course import called
from tests.desk_client import HOST, OWN, DeskClient, desk_of
from tests.factories import NASTY, SECRET, a_broken_file, a_tiny_grade

ALICE = "/staff/tiny/alice.html"
ODD = "q02_halve::hidden::test_odd"
TYPED = {"points": "1.5", "reason": "right idea"}


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Alice and Bob, an unreadable file of Carol's, and somebody whose name and code mean ill."""
    nasty = msgspec.structs.replace(a_tiny_grade(NASTY), key="n", cells=(Cell(source=NASTY, question="q02_halve"),))
    return recorded(tmp_path, a_tiny_grade(), a_tiny_grade("bob"), nasty, unreadable=(a_broken_file(),))


@pytest.fixture
def client(course: Path) -> DeskClient:
    return DeskClient(course)


def is_whole(fields: dict[str, str]) -> bool:
    """Whether a form is about the second question as a whole."""
    return fields["question"] == "q02_halve.html" and "check" not in fields


def of_checks(client: DeskClient) -> list[tuple[str, dict[str, str]]]:
    """The forms on Alice's page that override a check."""
    return [each for each in client.forms(ALICE) if "check" in each[1] and each[0].endswith("override")]


def overrides(course: Path) -> list[Override]:
    with Results.open(find(course)) as results:
        return results.book.overrides("tiny")


def test_the_first_page_is_the_dashboard_and_links_lead_to_every_other(client: DeskClient) -> None:
    first = client.get("/")
    assert (first.status_code, first.headers["location"]) == (303, "/staff/tiny/index.html")
    pages = ("index.html", "alice.html", "carol.html", f"{page_name(NASTY)}", "questions/q02_halve.html")
    found = {page: client.get(f"/staff/tiny/{page}") for page in pages}
    assert {each.status_code for each in found.values()} == {200}
    assert "2 of 2" not in found["alice.html"].text and SECRET in found["alice.html"].text
    student = client.get("/students/tiny/alice.html")
    assert student.status_code == 200 and SECRET not in student.text and "<form" not in student.text
    assert client.get("/index.html").status_code == 200
    assert '"alice"' in client.get("/grades.csv").text and '"alice"' in client.get("/staff/tiny/grades.csv").text


def test_a_page_shows_what_the_gradebook_holds_at_this_moment(client: DeskClient, course: Path) -> None:
    assert client.get("/staff/tiny/dave.html").status_code == 404
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        book.record(a_tiny_grade("dave"), "tiny")
    assert client.get("/staff/tiny/dave.html").status_code == 200


def test_without_the_token_nothing_is_shown_and_the_token_works_once(course: Path) -> None:
    client = DeskClient(course, entered=False)
    for path in ("/", ALICE, "/grades.csv", "/?token=", "/?token=guessed", "/nothing"):
        answer = client.get(path)
        assert answer.status_code == 403 and "alice" not in answer.text
    assert client.post("/act/tiny/override", TYPED).status_code == 403
    entered = client.get(f"/?token={client.keys.entry}")
    assert entered.status_code == 200
    assert {"HttpOnly", "SameSite=strict"} <= set(entered.headers["set-cookie"].split("; "))
    again = client.get(f"/?token={client.keys.entry}")
    assert again.status_code == 403 and "set-cookie" not in again.headers
    assert "Open the address that gradetape printed" in client.get(ALICE).text


def test_a_name_that_was_made_to_lead_here_is_refused(client: DeskClient) -> None:
    for host in ("evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:1", f"{HOST}.evil.example", ""):
        answer = client.get(ALICE, host=host)
        assert answer.status_code == 421 and "alice" not in answer.text
    assert client.get(ALICE, host="localhost:8765").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"}, {"origin": "null"}, {"origin": ""}, {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://localhost:8765"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
    ],
)  # fmt: skip
def test_a_form_of_another_site_changes_nothing(client: DeskClient, course: Path, headers: dict[str, str]) -> None:
    to, fields = client.forms(ALICE)[0]
    answer = client.post(to, fields | TYPED, **headers)
    assert answer.status_code == 403 and "another site" in answer.text
    assert overrides(course) == []


def test_a_form_without_an_origin_and_methods_without_forms_are_refused(client: DeskClient, course: Path) -> None:
    to, fields = client.forms(ALICE)[0]
    assert client.send("POST", to, headers={}, data=fields | TYPED).status_code == 403
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE"):
        assert client.send(method, ALICE, headers={"origin": OWN}).status_code == 405
    assert overrides(course) == []


def test_an_override_counts_at_once_with_who_and_when_and_can_be_undone(client: DeskClient, course: Path) -> None:
    to, fields = next(each for each in client.forms(ALICE) if is_whole(each[1]))
    answer = client.post(to, fields | TYPED)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ALICE}#q02halve")
    [given] = overrides(course)
    assert (given.student, given.question, given.points, given.reason, given.by) == (
        "alice", "q02_halve", 1.5, "right idea", "Ana"
    )  # fmt: skip
    assert "Ana set 1.5 points on 20" in client.get(ALICE).text
    assert "4.5</strong> of 5.0 points" in client.get("/students/tiny/alice.html").text.replace("of 5 ", "of 5.0 ")
    [(undo, hidden)] = [each for each in client.forms(ALICE) if each[0].endswith("undo")]
    assert client.post(undo, hidden).status_code == 303
    assert overrides(course)[0].undone_by == "Ana"


def test_the_points_of_one_check_are_set_and_no_student_reads_its_name(client: DeskClient, course: Path) -> None:
    [(to, fields)] = of_checks(client)
    assert client.post(to, fields | TYPED).status_code == 303
    assert [(each.student, each.question, each.points) for each in overrides(course)] == [("alice", ODD, 1.5)]
    student = client.get("/students/tiny/alice.html").text
    assert "q02_halve: 1.5 points instead of 0, set by the course staff: right idea" in html.unescape(student)
    assert "1.5 points instead of 0, set by the course staff: right idea</p>" in student
    assert "test_odd" not in student
    assert client.post(to, client.forms(ALICE)[0][1] | fields | TYPED).status_code == 409


def test_who_set_the_points_of_a_check_is_read_at_the_check_and_undone_there(client: DeskClient, course: Path) -> None:
    [(to, fields)] = of_checks(client)
    client.post(to, fields | {"points": "1", "reason": "Alice is right"})
    page, by = client.get(ALICE).text, "Ana set 1 point on "
    listed = page.partition("<h4>Odd.</h4>")[2].partition("</li>")[0]
    assert "1 of 2 points (0 from the check)" in listed and by in listed and ": Alice is right</p>" in listed
    assert page.count(by) == 1
    client.cookie += "; gradetape-names=hidden"
    for address in (ALICE, "/staff/tiny/questions/q02_halve.html"):
        hidden = client.get(address).text
        assert by in hidden and " is right" in hidden and "Alice" not in hidden
    [(undo, hidden_fields)] = [each for each in client.forms(ALICE) if each[0].endswith("undo")]
    assert client.post(undo, hidden_fields).status_code == 303
    assert overrides(course)[0].undone_by == "Ana" and by not in client.get(ALICE).text


def test_a_group_of_like_failures_gets_the_points_of_a_check_and_keeps_what_decides(
    client: DeskClient, course: Path
) -> None:
    to, fields = next(each for each in client.forms("/staff/tiny/bob.html") if is_whole(each[1]))
    client.post(to, fields | {"points": "0.5", "reason": "as agreed"})
    (to, fields), _ = client.forms("/staff/tiny/questions/q02_halve.html")
    answer = client.post(to, fields | TYPED)
    assert (answer.status_code, answer.headers["location"]) == (303, "/staff/tiny/questions/q02_halve.html")
    given = {each.student: (each.question, each.points) for each in overrides(course)}
    assert given["alice"] == (ODD, 1.5) and given["bob"] == ("q02_halve", 0.5) and len(given) == 3


def test_a_group_that_has_changed_since_its_page_was_made_gets_nothing(client: DeskClient, course: Path) -> None:
    (to, fields), _ = client.forms("/staff/tiny/questions/q02_halve.html")
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        book.record(a_tiny_grade("dave"), "tiny")
    answer = client.post(to, fields | TYPED)
    assert answer.status_code == 400 and "these failures are others by now" in html.unescape(answer.text)
    assert overrides(course) == []


def test_what_would_change_nothing_is_refused(client: DeskClient, course: Path) -> None:
    whole = next(each for each in client.forms(ALICE) if is_whole(each[1]))
    client.post(whole[0], whole[1] | TYPED | {"check": ""})
    [(to, fields)] = of_checks(client)
    answer = client.post(to, fields | TYPED)
    assert answer.status_code == 400 and "an override of the whole question decides" in html.unescape(answer.text)
    assert len(overrides(course)) == 1


def test_a_form_that_is_sent_again_changes_nothing(client: DeskClient, course: Path) -> None:
    to, fields = client.forms(ALICE)[0]
    assert client.post(to, fields | TYPED).status_code == 303
    again = client.post(to, fields | TYPED)
    assert again.status_code == 409 and "This form was sent before" in html.unescape(again.text)
    for token in ("", "invented"):
        assert client.post(to, fields | TYPED | {"token": token}).status_code == 409
    assert len(overrides(course)) == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"points": "9"}, "is worth 0 to 2 points"), ({"points": "nan"}, "is worth 0 to 2 points"),
        ({"points": "two"}, "the points are not a number"), ({"reason": "  "}, "give a reason, which the student"),
    ],
)  # fmt: skip
def test_what_a_form_asks_for_in_vain_is_explained(
    client: DeskClient, course: Path, typed: dict[str, str], said: str
) -> None:
    to, fields = next(each for each in client.forms(ALICE) if is_whole(each[1]))
    answer = client.post(to, fields | TYPED | typed)
    assert answer.status_code == 400 and said in html.unescape(answer.text)
    assert overrides(course) == []


def test_what_is_no_form_of_the_desk_is_refused(client: DeskClient, course: Path) -> None:
    to, fields = client.forms(ALICE)[0]
    for kind in ("text/plain", "multipart/form-data; boundary=x"):
        answer = client.post(to, fields | TYPED, **{"content-type": kind})
        assert answer.status_code == 400 and "this is no form of the desk" in html.unescape(answer.text)
    much = client.post(to, fields | TYPED | {"reason": "x" * 70_000})
    assert much.status_code == 400 and "larger than any of the desk" in html.unescape(much.text)
    many = client.post(to, fields | {f"field{number}": "" for number in range(30)})
    assert many.status_code == 400 and "the form cannot be read" in html.unescape(many.text)
    assert client.post("/act/tiny/format", client.forms(ALICE)[0][1]).status_code == 404
    assert overrides(course) == []


@pytest.mark.parametrize(
    "path",
    [
        "/staff/tiny/..%2f..%2fgradebook.sqlite", "/staff/tiny/../../gradebook.sqlite", "/staff/..%2f/index.html",
        "/staff/tiny/%2e%2e/%2e%2e/grader_config.yml", "/students/tiny//etc/passwd", "/staff/tiny/%00.html",
        "/staff/tiny/questions/..%2falice.html", "/solutions/tiny/q01_double.py", "/staff/TINY/alice.html",
        "/staff/tiny/C:%5Cx", "/staff/tiny/alice", "/grader_config.yml", "/act/tiny/override",
    ],
)  # fmt: skip
def test_no_address_leads_to_a_file(client: DeskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 405)
    assert "gradetape:" not in answer.text and "root:" not in answer.text


def test_names_code_and_reasons_are_shown_as_text(client: DeskClient) -> None:
    page = f"/staff/tiny/{page_name(NASTY)}"
    to, fields = client.forms(page)[0]
    assert client.post(to, fields | {"points": "1", "reason": NASTY.replace("\ud800", "")}).status_code == 303
    for path in (page, "/staff/tiny/index.html", f"/students/tiny/{page_name(NASTY)}"):
        text = client.get(path).text
        assert "<script>alert(1)" not in text and "<img src=x" not in text and "\u202e" not in text
        assert "&lt;script&gt;alert(1)" in text


def test_every_answer_forbids_scripts_frames_and_caches(client: DeskClient) -> None:
    for answer in (client.get(ALICE), client.get("/nothing"), client.get("/", host="evil.example")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers
    page = client.get(ALICE).text
    assert "form-action 'self'" in page and 'content="same-origin"' in page
    assert "form-action 'none'" in client.get("/students/tiny/alice.html").text


def test_a_gradebook_that_is_gone_is_a_page_and_not_the_end_of_the_desk(client: DeskClient, course: Path) -> None:
    book = course / "results" / "gradebook.sqlite"
    away = book.rename(book.with_name("away"))
    answer = client.get(ALICE)
    assert answer.status_code == 400 and "nothing was graded into that folder" in html.unescape(answer.text)
    away.rename(book)
    assert client.get(ALICE).status_code == 200


def test_the_desk_goes_on_when_a_grader_is_killed_while_it_writes(client: DeskClient, course: Path) -> None:
    writing = (
        "import sqlite3, sys, time; book = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "book.execute('BEGIN IMMEDIATE'); book.execute('DELETE FROM attempts'); print(1, flush=True); time.sleep(600)"
    )
    place = course / "results" / "gradebook.sqlite"
    with subprocess.Popen([sys.executable, "-c", writing, place], stdout=subprocess.PIPE) as grader:
        assert grader.stdout is not None and grader.stdout.readline()
        grader.kill()
    to, fields = client.forms(ALICE)[0]
    assert client.post(to, fields | TYPED).status_code == 303
    assert len(overrides(course)) == 1


def test_only_the_newest_pages_have_forms_that_can_be_sent() -> None:
    made = keys.DeskKeys()
    first, *others = [made.for_form() for _ in range(2001)]
    assert not made.redeem(first) and made.redeem(others[0]) and not made.redeem(others[0])


def test_a_port_in_use_is_an_error_and_says_what_to_do(course: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        run = called(course, "desk", "--port", port)
    assert run.returncode == 2
    assert f"Port {port} cannot be opened: Address already in use. Choose another one with --port" in run.stderr


def test_without_the_libraries_the_command_says_how_to_install_them(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(RequestError, match=r"The desk needs the Python package uvicorn, .* 'gradetape\[desk\]'"):
        serve(find(course), None, "Ana", 0, print)


def test_a_course_without_grades_is_refused(tmp_path: Path) -> None:
    run = called(recorded(tmp_path), "desk", "--port", "0")
    assert run.returncode == 2 and "The gradebook is empty. Grade first" in run.stderr


def test_the_desk_serves_on_its_own_address_until_it_is_interrupted(course: Path) -> None:
    with desk_of(course) as address, httpx.Client(timeout=60) as browser:
        assert browser.get(address).status_code == 200
        page = browser.get(address.partition("?")[0] + "staff/tiny/alice.html")
        assert page.status_code == 200 and "server" not in page.headers
        assert httpx.get(address, timeout=60).status_code == 403
