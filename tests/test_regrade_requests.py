"""Regrade requests: imported from files, listed, answered once with points or a reason, and read by their students."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from gradetape.course.assignments import find
from gradetape.gradebook import Gradebook
from gradetape.grading.merging import merge
from gradetape.grading.results import Results
from gradetape.records import Override, RegradeRequest
from tests.books import recorded
from tests.course import called
from tests.desk_client import DeskClient
from tests.factories import NASTY, a_tiny_grade

ALICE = "/staff/tiny/alice.html"
DASHBOARD = "/staff/tiny/index.html"
TEXT = "My sign is right.\n\n<b>Please</b> look again."
BY = ("--by", "Ana")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return recorded(tmp_path, a_tiny_grade(), a_tiny_grade("bob"))


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def imported(course: Path, text: str = TEXT) -> None:
    file = write(course, "alice.txt", f"question: q02\n\n{text}\n")
    assert called(course, "request", "import", file, *BY).returncode == 0


def requests(course: Path) -> list[RegradeRequest]:
    with Results.open(find(course)) as results:
        return results.book.notes.requests("tiny")


def overrides(course: Path) -> list[Override]:
    with Results.open(find(course)) as results:
        return results.book.overrides("tiny")


def page(course: Path, reader: str) -> str:
    return html.unescape((course / "results" / reader / "tiny" / "alice.html").read_text("utf-8"))


def form(client: DeskClient) -> tuple[str, dict[str, str]]:
    return next(each for each in client.forms(ALICE) if each[0].endswith("/answer"))


def test_a_text_file_is_imported_once_and_shown_to_its_student(course: Path) -> None:
    file = write(course, "a.txt", f"\ufeffStudent: ALICE\r\nquestion: q02\r\n\r\n{TEXT}\r\n")
    run = called(course, "request", "import", file, *BY)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("Added: alice, q02_halve: My sign is right.")
    [request] = requests(course)
    assert (request.student, request.question, request.text, request.by) == ("alice", "q02_halve", TEXT, "Ana")
    for reader in ("students", "staff"):
        assert TEXT in page(course, reader) and "Not answered yet" in page(course, reader)
    again = called(course, "request", "import", file, *BY)
    assert "1 request there before." in again.stderr and len(requests(course)) == 1


def test_the_name_of_a_file_says_whose_it_is_and_options_say_it_before_the_file(course: Path) -> None:
    imported(course)
    other = write(course, "x.txt", "student: alice\nquestion: q01\nWhy?")
    assert called(course, "request", "import", other, "--student", "bo", "--question", "q02", *BY).returncode == 0
    assert [(each.student, each.question, each.text) for each in requests(course)] == [
        ("alice", "q02_halve", TEXT), ("bob", "q02_halve", "Why?"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["Question: why is my sign wrong?\nIt is right.", "question: q01\nWhy?"])
def test_a_first_line_that_only_looks_like_one_of_these_is_a_part_of_the_request(course: Path, text: str) -> None:
    file = write(course, "alice.txt", f"Question: q02\n{text}\n")
    assert called(course, "request", "import", file, *BY).returncode == 0
    assert [(each.question, each.text) for each in requests(course)] == [("q02_halve", text)]
    alone = write(course, "bob.txt", "Question: why is my sign wrong?\n")
    assert called(course, "request", "import", alone, "--question", "q01", *BY).returncode == 0
    assert requests(course)[1].text == "Question: why is my sign wrong?"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_each_row_of_a_csv_file_is_a_request(course: Path, separator: str) -> None:
    lines = [("When", "Name", "Question", "Reason"), ("1", "alice", "q01", '"Two\nlines"'), ("2", "bob", "q02", "b")]
    file = write(course, "r.csv", "\n".join(separator.join(line) for line in lines) + "\n\n")
    assert called(course, "request", "import", file, *BY).returncode == 0
    assert [(each.student, each.question, each.text) for each in requests(course)] == [
        ("alice", "q01_double", "Two\nlines"), ("bob", "q02_halve", "b"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("alice.txt", "Why?", "alice.txt: no question is named: write a line such as question: q06 at the top"),
        ("alice.txt", "question: q02\n \n", "alice.txt: the request is empty: write a text"),
        ("alice.txt", "question: q77\nWhy?", "alice.txt: "),
        ("ali.txt", "question: q02\nWhy?", "ali.txt: The gradebook has no student 'ali'"),
        ("r.csv", "student,question,text\nali,q02,x\n", "r.csv, line 2: The gradebook has no student 'ali'"),
        ("zoe.txt", "question: q02\nWhy?", "zoe.txt: The gradebook has no student 'zoe'"),
        ("alice.txt", b"\xff\xfe\x00", "alice.txt is no text in UTF-8: save the request as text"),
        ("alice.txt", b"x" * (4 * 1024 * 1024 + 1), "alice.txt is larger than 4 MiB, so it is no request"),
        ("r.csv", "who,what\n", "and no column text: its first line must name the columns. It has who"),
        ("r.csv", "student,question,text\nbob,q02,x\nzoe,q02,y\n", "r.csv, line 3: The gradebook has no student 'zoe'"),
        ("r.csv", 'student,question,text\nalice,q02,"x"y\n', "r.csv, line 2 is not valid CSV"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_explained_and_nothing_is(
    course: Path, name: str, content: str | bytes, said: str
) -> None:
    run = called(course, "request", "import", write(course, name, content), *BY)
    assert run.returncode == 2 and said in run.stderr
    assert requests(course) == []


def test_a_file_that_cannot_be_read_is_explained(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    file = write(course, "alice.txt", "Why?")
    monkeypatch.setattr(Path, "read_bytes", refused)
    run = called(course, "request", "import", file, *BY)
    assert run.returncode == 2
    assert "alice.txt cannot be read: Permission denied. Check the path of the request" in run.stderr


def test_of_several_requests_that_cannot_be_imported_each_is_named(course: Path) -> None:
    file = write(course, "r.csv", "student,question,text\nzoe,q02,x\nalice,,y\n")
    run = called(course, "request", "import", file, *BY)
    assert "Nothing was imported, since not every request can be:" in run.stderr
    assert "r.csv, line 2" in run.stderr and "r.csv, line 3" in run.stderr


def test_an_answer_with_points_is_an_override_and_is_read_by_the_student(course: Path) -> None:
    imported(course)
    run = called(course, "request", "answer", "1", "1.5", "--reason", "You are right.", *BY)
    assert run.returncode == 0, run.stderr
    assert [(each.question, each.points, each.reason, each.by) for each in overrides(course)] == [
        ("q02_halve", 1.5, "You are right.", "Ana")
    ]
    assert "Answer of the course staff, 20" in page(course, "students") and ": 1.5 points" in page(course, "students")
    assert "Ana" not in page(course, "students") and "Answer of Ana" in page(course, "staff")
    shown = called(course, "show", "alice").stdout
    assert "My sign is right." in shown and "You are right." in shown and "4.5 of 5" in shown
    listed = called(course, "request", "list").stdout
    assert listed.startswith("1: 20") and "by Ana: 1.5 points: You are right.]" in listed
    assert "There are no requests." in called(course, "request", "list", "--open").stderr


def test_points_of_an_answer_that_are_taken_back_are_told_so(course: Path) -> None:
    imported(course)
    called(course, "request", "answer", "1", "2", "--reason", "You are right.", *BY)
    called(course, "override", "alice", "q02", "1", "--reason", "Nearly.", *BY)
    called(course, "override", "alice", "q02", "--undo", "--by", "Ben")
    assert "taken back" not in page(course, "students")
    called(course, "override", "alice", "q02", "--undo", "--by", "Ben")
    student, staff = page(course, "students"), page(course, "staff")
    assert ": 2 points, later taken back by the course staff, 20" in student and "Ben" not in student
    assert ": 2 points, later taken back by Ben, 20" in staff and "You are right." in staff
    assert ": 2 points, later taken back by Ben, 20" in called(course, "show", "alice", "--staff").stdout
    listed = called(course, "request", "list").stdout
    assert ": 2 points: You are right., taken back 20" in listed and " by Ben]" in listed


def test_an_answer_with_a_reason_alone_changes_no_points(course: Path) -> None:
    imported(course)
    assert called(course, "request", "answer", "1", "--reason", "The sign is wrong.", *BY).returncode == 0
    assert overrides(course) == [] and "The sign is wrong." in page(course, "students")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("1", "9", "--reason", "x"), "q02_halve is worth 0 to 2 points, not 9"),
        (("1", "1"), "the answer is empty: write a text that the student can read"),
        (("1",), "the answer is empty"),
        (("7", "--reason", "x"), "there is no request with the number 7. List all: gradetape request list"),
    ],
)
def test_what_is_no_answer_is_explained_and_changes_nothing(
    course: Path, arguments: tuple[str, ...], said: str
) -> None:
    imported(course)
    run = called(course, "request", "answer", *arguments, *BY)
    assert run.returncode == 2 and said in run.stderr
    assert overrides(course) == [] and requests(course)[0].answered_at == ""


def test_at_the_desk_a_request_waits_on_the_dashboard_until_it_is_answered_beside_the_answer(course: Path) -> None:
    imported(course)
    client = DeskClient(course)
    called(course, "done", "alice", *BY)
    shown = client.get(DASHBOARD).text
    assert "Regrade requests that wait" in shown and "&lt;b&gt;Please&lt;/b&gt;" in shown and "2 to do" in shown
    assert "is:request" in shown and 'href="../../staff/tiny/alice.html#q02halve"' in shown
    to, fields = form(client)
    answer = client.post(to, fields | {"points": "2", "reason": "You are right."})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ALICE}#q02halve")
    assert [each.points for each in overrides(course)] == [2] and requests(course)[0].answered_by == "Ana"
    assert "Regrade requests that wait" not in client.get(DASHBOARD).text
    assert "You are right." in client.get("/students/tiny/alice.html").text


def test_at_the_desk_a_reason_alone_is_an_answer(course: Path) -> None:
    imported(course)
    client = DeskClient(course)
    to, fields = form(client)
    assert client.post(to, fields | {"points": "", "reason": "No."}).status_code == 303
    assert overrides(course) == [] and requests(course)[0].answer == "No."


def test_a_request_is_answered_once_whoever_answers_it(tmp_path: Path, place: str) -> None:
    course = recorded(tmp_path, a_tiny_grade())
    if "://" in place:
        config = course / "grader_config.yml"
        config.write_text(f"{config.read_text()}\ngradebook: '{place}'\n")
        with Gradebook.open(place) as book:
            book.record(a_tiny_grade(), "tiny")
    imported(course)
    one, other = DeskClient(course), DeskClient(course)
    forms = [form(one), form(other)]
    assert one.post(forms[0][0], forms[0][1] | {"points": "2", "reason": "Yes."}).status_code == 303
    late = other.post(forms[1][0], forms[1][1] | {"points": "0", "reason": "No."})
    assert late.status_code == 400
    assert "request 1 was answered before, so nothing was changed" in html.unescape(late.text)
    assert [each.points for each in overrides(course)] == [2] and "Yes." in other.get(ALICE).text


def test_requests_are_merged_once_and_an_answer_too(tmp_path: Path, place: str) -> None:
    course = recorded(tmp_path, a_tiny_grade())
    request = RegradeRequest(student="alice", question="q02_halve", text=TEXT, by="Ana", at="2026-10-01T10:00:00+00:00")
    with Gradebook.open(place) as book:
        book.record(a_tiny_grade(), "tiny")
        book.notes.request([("tiny", request)])
    assert merge(find(course), [place]).report.notes.requests == 1
    assert merge(find(course), [place]).report.notes.requests == 0
    with Gradebook.open(place) as book:
        [stored] = book.notes.requests("tiny")
        at = "2026-10-02T10:00:00+00:00"
        answered = RegradeRequest(**{name: getattr(stored, name) for name in stored.__struct_fields__} | {
            "answer": "No.", "answered_by": "Bo", "answered_at": at,
        })  # fmt: skip
        assert book.notes.answer("tiny", answered, None) and not book.notes.answer("tiny", answered, None)
    merge(find(course), [place])
    assert [(each.answer, each.answered_by, each.answered_at) for each in requests(course)] == [("No.", "Bo", at)]


def test_a_hostile_request_is_shown_as_text(course: Path) -> None:
    imported(course, NASTY.replace("\ud800", ""))
    client = DeskClient(course)
    for path in (DASHBOARD, ALICE, "/students/tiny/alice.html"):
        text = client.get(path).text
        assert "<script>alert(1)" not in text and "<img src=x" not in text and "\u202e" not in text
        assert "&lt;script&gt;alert(1)" in text
    listed = called(course, "request", "list").stdout
    assert "\x1b" not in listed and "\u202e" not in listed and listed.count("\n") == 1
