"""Written answers at the desk: shown as text and pictures, marked by a form, one after the other."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from gradetape.course.assignments import find
from gradetape.desk.names import pseudonym
from gradetape.grading.results import Results
from gradetape.records import Mark
from gradetape.report import page_name
from tests.course import called, write_files
from tests.desk_client import DeskClient
from tests.regrading import grade
from tests.written_course import ESSAY, answered, base64_of, cell, plot, png, with_essay, written_notebook

HERE = f"/written/tiny/{ESSAY}"
HOSTILE = "<img src=x onerror=alert(1)><script>alert(1)</script> [x](javascript:alert(1)) </pre><svg onload=alert(1)>"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Alice, Bob and Carol have answered; Alice's notebook means ill."""
    course = with_essay(tmp_path / "course")
    svg = plot({"image/svg+xml": HOSTILE, "text/html": HOSTILE})
    alice = written_notebook(
        cell("markdown", HOSTILE, f"written:{ESSAY}"),
        cell("code", "show()", outputs=[plot({"image/png": base64_of(png()), "text/html": HOSTILE}), svg]),
        cell("raw", "</textarea>", attachments={"huge": {"image/png": base64_of(png(9_000, 9_000))}}),
    )
    files = {"alice.ipynb": alice, "bob.ipynb": answered("Bob's words"), "carol.ipynb": answered("Carol's")}
    write_files(course / "in", files)
    grade(course)
    return course


@pytest.fixture
def client(course: Path) -> DeskClient:
    return DeskClient(course)


def fields(client: DeskClient, student: str = "alice") -> dict[str, str]:
    [own] = [given for to, given in forms(client, student) if to == "/act/tiny/mark"]
    return own


def forms(client: DeskClient, student: str) -> list[tuple[str, dict[str, str]]]:
    text = client.get(f"{HERE}/{student}.html").text
    found = re.findall(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', text, re.DOTALL)
    hidden = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
    return [(to, {name: html.unescape(value) for name, value in hidden.findall(inner)}) for to, inner in found]


def marks(course: Path) -> list[Mark]:
    with Results.open(find(course)) as results:
        return results.book.marks("tiny")


def test_a_hostile_answer_is_text_and_its_pictures_are_the_desks_own(client: DeskClient) -> None:
    shown = client.get(f"{HERE}/alice.html")
    assert shown.status_code == 200
    assert html.escape(HOSTILE, quote=False) in shown.text.replace("&#34;", '"').replace("&#39;", "'")
    assert not re.search(r"<svg|onerror=(?!alert)|<img src=x", shown.text) and shown.text.count("<script>") == 1
    assert re.findall(r'<img [^>]*src="([^"]+)"', shown.text) == [f"{HERE}/alice.html/1.png"]
    assert "its format is image/svg+xml, and only image/png is shown" in shown.text
    assert "it has 9,000 by 9,000 pixels" in shown.text and "Doubling adds a number to itself." in shown.text
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "img-src 'self'" in policy and "unsafe-inline'; script" not in policy
    found = client.get(f"{HERE}/alice.html/1.png")
    assert (found.content, found.headers["content-type"]) == (png(), "image/png")
    assert found.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "alice.html/2.png", "alice.html/0.png", "alice.html/-1.png", "alice.html/x.png", "nobody.html",
        "..%2Falice.html", "alice",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(client: DeskClient, path: str) -> None:
    assert client.get(f"{HERE}/{path}").status_code == 404
    assert client.get(f"/written/tiny/q02_halve/{path}").status_code == 404


def test_without_the_session_no_answer_is_shown(course: Path) -> None:
    stranger = DeskClient(course, entered=False)
    for path in ("alice.html", "alice.html/1.png", ""):
        assert stranger.get(f"{HERE}/{path}").status_code == 403


def test_answers_are_marked_one_after_the_other(client: DeskClient, course: Path) -> None:
    assert f'<a href="{HERE}">Why halve?</a>: 3 of 3 wait to be marked' in client.get("/staff/tiny/index.html").text
    assert client.get(HERE).headers["location"] == f"{HERE}/alice.html"
    assert f'rel="next" href="{HERE}/bob.html"' in client.get(f"{HERE}/alice.html").text
    given = fields(client) | {"item": "plot", "points": "0.5", "reason": "Well <said>."}
    sent = client.post("/act/tiny/mark", given)
    assert (sent.status_code, sent.headers["location"]) == (303, f"{HERE}/bob.html")
    assert client.post("/act/tiny/mark", given).status_code == 409
    for student, following in (("carol", f"{HERE}/bob.html"), ("bob", "/staff/tiny/index.html")):
        sent = client.post("/act/tiny/mark", fields(client, student) | {"points": "", "reason": "", "none": "yes"})
        assert sent.headers["location"] == following
    assert [(each.student, each.items, each.adjustment, each.by) for each in marks(course)] == [
        ("alice", ("plot",), 0.5, "Ana"), ("carol", (), 0.0, "Ana"), ("bob", (), 0.0, "Ana"),
    ]  # fmt: skip
    assert "No answer to this question waits to be marked." in client.get(HERE).text
    student = client.get("/students/tiny/alice.html").text
    assert "Well &lt;said&gt;." in student and "2.5 of 4 points" in student
    assert f'href="{HERE}/alice.html"' in client.get("/staff/tiny/alice.html").text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "nothing was saved: tick the items that apply, give points, or tick "),
        ({"points": "0", "reason": "Hm."}, "nothing was saved"),
        ({"none": "yes", "item": "plot"}, "items are ticked, and "),
    ],
)
def test_a_form_that_does_not_say_what_applies_changes_nothing(
    client: DeskClient, course: Path, given: dict[str, str], said: str
) -> None:
    sent = client.post("/act/tiny/mark", fields(client) | given)
    assert sent.status_code == 400 and said in sent.text
    assert marks(course) == []


def test_that_nothing_applies_is_said_and_shown_again(client: DeskClient, course: Path) -> None:
    assert 'name="none" value="yes">' in client.get(f"{HERE}/alice.html").text
    assert client.post("/act/tiny/mark", fields(client) | {"none": "yes"}).status_code == 303
    assert 'name="none" value="yes" checked>' in client.get(f"{HERE}/alice.html").text
    assert [(each.items, each.adjustment) for each in marks(course)] == [((), 0.0)]


def test_a_mark_is_shown_again_and_undone(client: DeskClient, course: Path) -> None:
    client.post("/act/tiny/mark", fields(client) | {"item": "plot", "reason": "Well."})
    shown = client.get(f"{HERE}/alice.html").text
    assert (
        'value="plot" data-points="2" checked' in shown and "Ana marked it on " in shown and "Well.</textarea" in shown
    )
    [undone] = [given for to, given in forms(client, "alice") if to.endswith("undo-mark")]
    assert client.post("/act/tiny/undo-mark", undone).headers["location"] == f"{HERE}/alice.html"
    assert marks(course)[0].undone_by == "Ana"


def test_a_form_for_an_answer_that_was_marked_meanwhile_changes_nothing(client: DeskClient, course: Path) -> None:
    given = fields(client)
    assert called(course, "mark", "alice", "q03", "--none", "--by", "Ben").returncode == 0
    sent = client.post("/act/tiny/mark", given | {"item": "plot"})
    assert sent.status_code == 400 and "this answer was marked or handed in anew since the page was loaded" in sent.text
    write_files(course / "in", {"alice.ipynb": answered("Other words")})
    given = fields(client)
    grade(course)
    assert client.post("/act/tiny/mark", given | {"item": "plot"}).status_code == 400
    assert [each.by for each in marks(course)] == ["Ben"]


@pytest.mark.parametrize("wrong", [{"item": "nothing"}, {"points": "many"}, {"points": "nan"}, {"points": "9"}])
def test_a_form_that_was_made_by_hand_is_refused(client: DeskClient, course: Path, wrong: dict[str, str]) -> None:
    assert client.post("/act/tiny/mark", fields(client) | wrong).status_code == 400
    assert marks(course) == []


def test_where_names_are_hidden_neither_the_page_nor_an_address_has_them(client: DeskClient, course: Path) -> None:
    write_files(course / "in", {"bob.ipynb": answered("Bob's words, by bob")})
    grade(course)
    cookies = {"cookie": f"gradetape-desk={client.cookie}; gradetape-names=hidden"}
    first = client.get(HERE, **cookies).headers["location"]
    assert "alice" not in first
    shown = client.get(first, **cookies).text
    following = re.search(r'rel="next" href="([^"]+)"', shown)
    assert following is not None and "alice" not in shown and "bob" not in shown.lower()
    second = client.get(following[1], **cookies).text
    assert "words, by Student " in second and "bob" not in second.lower()
    given = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', shown))
    sent = client.post(
        "/act/tiny/mark", {name: html.unescape(value) for name, value in given.items()} | {"none": "yes"}, **cookies
    )
    assert sent.headers["location"] == following[1]


def test_where_names_are_hidden_a_comment_is_never_sent_back_with_pseudonyms(client: DeskClient, course: Path) -> None:
    client.post("/act/tiny/mark", fields(client) | {"item": "plot", "reason": "Well done, Alice."})
    page = f"{HERE}/{page_name(pseudonym('tiny', 'alice'))}"
    client.cookie += "; gradetape-names=hidden"
    shown = client.get(page).text
    assert "Well done, Student " in shown and ">Well done" in shown
    assert re.findall(r"<textarea[^>]*>(.*?)</textarea>", shown, re.DOTALL) == [""]
    for typed, kept in (("", "Well done, Alice."), (" \n", "Well done, Alice."), ("Better.", "Better.")):
        [sent] = [given for to, given in client.forms(page) if to.endswith("/mark")]
        assert client.post("/act/tiny/mark", sent | {"item": "plot", "reason": typed}).status_code == 303
        assert marks(course)[-1].comment == kept


def test_a_mark_that_somebody_gave_meanwhile_is_not_undone(client: DeskClient, course: Path) -> None:
    client.post("/act/tiny/mark", fields(client) | {"item": "plot"})
    [undone] = [given for to, given in forms(client, "alice") if to.endswith("undo-mark")]
    assert called(course, "mark", "alice", "q03", "--none", "--by", "Ben").returncode == 0
    sent = client.post("/act/tiny/undo-mark", undone)
    assert sent.status_code == 400 and "Look at it again before you mark it or undo a mark" in sent.text
    assert [each.undone_by for each in marks(course)] == ["", ""]
