"""Submissions are fetched from Canvas and Moodle, and points pushed, over the APIs that these document."""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from gradetape.errors import LmsError, LmsFileError, RequestError
from gradetape.lms.base import safe_name
from gradetape.lms.opening import token_for
from gradetape.records import Origin
from tests.books import recorded
from tests.course import by_student, called
from tests.engines.passing import passing_course
from tests.factories import a_tiny_grade
from tests.layouts import right
from tests.lms_servers import TOKEN, FakePlatform, serving

httpx = pytest.importorskip("httpx", reason="gradetape[lms] is not installed")
client = pytest.importorskip("gradetape.lms.client", reason="gradetape[lms] is not installed")
BASE = "/api/v1/courses/42/assignments/901"


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CANVAS", "MOODLE"):
        monkeypatch.setenv(f"GRADETAPE_{name}_TOKEN", TOKEN)


@pytest.fixture
def fake() -> Iterator[FakePlatform]:
    made = FakePlatform()
    with serving(made):
        yield made


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return passing_course(tmp_path / "course", monkeypatch)


def options(name: str, fake: FakePlatform) -> tuple[str, ...]:
    return (name, "--url", fake.url, *(("--course", "42") if name == "canvas" else ()), "--id", "901")


def fetched(course: Path, name: str, fake: FakePlatform, *more: str, status: int = 0) -> str:
    run = called(course, "fetch", *options(name, fake), "--into", "in", *more)
    assert run.returncode == status, run.stderr
    assert TOKEN not in run.stdout + run.stderr
    return run.stdout + run.stderr


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {
        ".gradetape-fetch.json"
    }


# fetching


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("canvas", {"doejane_LATE_10001_90011_hw.ipynb", "doejane_10002_90012_hw.ipynb",
                    "zoëmüller_10003_90013_hw.ipynb"}),
        ("moodle", {f"{who}_{number}_assignsubmission_file_/hw.ipynb"
                    for who, number in (("Jane Doe", 10001), ("Jane Doe", 10002), ("Zoë Müller", 10003))}),
    ],
)  # fmt: skip
def test_what_is_fetched_is_graded_as_the_platforms_own_download(
    course: Path, fake: FakePlatform, name: str, expected: set[str]
) -> None:
    assert "3 files fetched into in; 0 there already." in fetched(course, name, fake)
    assert files(course / "in") == expected
    run = called(course, "grade", "in", "--json")
    assert run.returncode == 0, run.stderr
    ids = {each["origin"]["id"]: each for each in by_student(run).values()}
    assert set(ids) == {"10001", "10002", "10003"} and all(each["points"] == 5 for each in ids.values())
    assert "ignored" not in run.stderr
    if name == "canvas":
        assert ids["10001"]["origin"]["late"] is True
    texts = {path.read_text() for path in (course / "in").rglob("*.ipynb")}
    assert texts == {right(1), right(2), right(3)}


@pytest.mark.parametrize("name", ["canvas", "moodle"])
def test_what_is_there_is_not_fetched_again(course: Path, fake: FakePlatform, name: str) -> None:
    fetched(course, name, fake)
    fake.asked.clear()
    assert "0 files fetched into in; 3 there already." in fetched(course, name, fake)
    assert not [each for each in fake.asked if "/files/" in each or "/stored/" in each]
    next((course / "in").rglob("*.ipynb")).write_text("changed")
    assert "1 file fetched into in; 2 there already." in fetched(course, name, fake)


def test_an_interrupted_fetch_goes_on_where_it_stopped(course: Path, fake: FakePlatform) -> None:
    fake.answers["/files/3"] = [(500, {}, "")]
    run = called(course, "fetch", *options("canvas", fake), "--into", "in")
    assert run.returncode == 2 and "it answered 500 to 127.0.0.1/files/3" in run.stderr
    assert len(files(course / "in")) == 2
    assert "1 file fetched into in; 2 there already." in fetched(course, "canvas", fake)


def test_a_newer_attempt_replaces_an_older_one_and_files_of_ones_own_stay(course: Path, fake: FakePlatform) -> None:
    fetched(course, "canvas", fake)
    (course / "in" / "notes.txt").write_text("mine")
    fake.attempt = 2
    assert "3 files fetched into in; 0 there already, 3 removed." in fetched(course, "canvas", fake)
    assert "notes.txt" in files(course / "in") and len(files(course / "in")) == 4


def test_a_dry_run_fetches_nothing(course: Path, fake: FakePlatform) -> None:
    words = fetched(course, "canvas", fake, "--dry-run")
    assert "would fetch: doejane_10002_90012_hw.ipynb" in words and "Nothing was fetched" in words
    assert not (course / "in").exists()


def test_the_times_are_what_late_times_reads(course: Path, fake: FakePlatform) -> None:
    fetched(course, "canvas", fake, "--times", "times.csv")
    with (course / "grader_config.yml").open("a") as file:
        file.write("late:\n  times: times.csv\n")
    called(course, "grade", "in")
    assert called(course, "export", "csv").stdout.count("2026-10-01T21:59:00+00:00") == 3


HOSTILE = (
    "../../../../etc/x.ipynb", "..\\..\\x.ipynb", "/etc/passwd", "C:\\x.ipynb", "a\x00b.ipynb", ".bashrc", "..", "",
    "\u202egnp.ipynb", "x" * 400 + ".ipynb", "10002_90012_hw.ipynb", "doejane_10002_90099_hw.ipynb", "a\nb.ipynb",
    "Jane Doe_10002_assignsubmission_file_", "hw.ipynb/../../y.ipynb", "~root", "con.ipynb", "-rf.ipynb",
    "0001-01-01T00:00:00+14:00.ipynb", "9999-12-31T23:59:59-12:00",
)  # fmt: skip


@pytest.mark.parametrize("name", ["canvas", "moodle"])
def test_a_students_file_name_leads_nowhere_and_is_nobody_else(course: Path, fake: FakePlatform, name: str) -> None:
    def outside() -> set[Path]:
        return {path for path in course.parent.rglob("*") if not path.is_relative_to(course / "in")}

    before = outside()
    for fake.title in HOSTILE:
        fetched(course, name, fake)
        assert outside() == before
        for path in (course / "in").rglob("*.ipynb"):
            owner = next(number for number in (1, 2, 3) if path.read_text() == right(number))
            own = path.name if name == "canvas" else path.parent.name
            assert f"_1000{owner}_" in own.replace("_LATE", "").replace("_9001", "_")[:40]


@pytest.mark.parametrize(
    "title", ["10002_90012_hw.ipynb", "doejane_10002_90099_hw.ipynb", "../doejane_10002_1_hw.ipynb"]
)
@pytest.mark.parametrize("name", ["canvas", "moodle"])
def test_what_is_named_as_somebody_elses_file_stays_its_owners(
    course: Path, fake: FakePlatform, name: str, title: str
) -> None:
    fake.title = title
    fetched(course, name, fake)
    run = called(course, "grade", "in", "--json", "--assignment", "tiny")
    graded = [each for each in by_student(run).values() if each["status"] == "graded"]
    assert graded or run.returncode
    for each in graded:
        assert (course / each["file"]).read_text() == right(int(each["origin"]["id"]) - 10000)


@pytest.mark.parametrize("title", HOSTILE)
def test_a_safe_name_is_one_name(title: str) -> None:
    name = safe_name(title)
    assert name and "/" not in name and "\\" not in name and not name.startswith(".") and len(name) <= 120
    assert name.isprintable()


def test_two_files_that_are_named_alike_are_both_fetched(course: Path, fake: FakePlatform) -> None:
    fake.more_titles = ("a/b.ipynb", "a-b.ipynb")
    fetched(course, "moodle", fake)
    own = course / "in" / "Jane Doe_10001_assignsubmission_file_"
    assert {path.name for path in own.iterdir()} == {"hw.ipynb", "a-b.ipynb", "a-b (2).ipynb"}
    assert "0 files fetched into in; 9 there already." in fetched(course, "moodle", fake)


def test_a_link_in_the_folder_is_replaced_and_a_folder_behind_one_is_refused(course: Path, fake: FakePlatform) -> None:
    (course / "in").mkdir()
    (course / "secret.txt").write_text("mine")
    (course / "in" / "doejane_10002_90012_hw.ipynb").symlink_to(course / "secret.txt")
    fetched(course, "canvas", fake)
    assert (course / "secret.txt").read_text() == "mine"
    (course / "link").symlink_to(course / "in")
    run = called(course, "fetch", *options("canvas", fake), "--into", "link")
    assert run.returncode == 2 and "is a symbolic link, and nothing is fetched through it" in run.stderr


def test_a_students_folder_that_is_a_link_is_refused(course: Path, fake: FakePlatform) -> None:
    (course / "in").mkdir()
    (course / "in" / "Jane Doe_10001_assignsubmission_file_").symlink_to(course / "assignments")
    run = called(course, "fetch", *options("moodle", fake), "--into", "in")
    assert run.returncode == 2 and "is a symbolic link, and nothing is fetched through it" in run.stderr
    assert not (course / "assignments" / "hw.ipynb").exists()


def test_an_anonymous_assignment_has_the_names_of_canvas_and_gets_no_points(course: Path, fake: FakePlatform) -> None:
    fake.anonymous = True
    fetched(course, "canvas", fake)
    assert "LATE_anon_aB1cD_90011_hw.ipynb" in files(course / "in") and len(files(course / "in")) == 4
    run = called(course, "grade", "in", "--json")
    assert {each["origin"]["id"] for each in by_student(run).values()} == {f"aB{number}cD" for number in (1, 2, 3, 4)}
    run = called(course, "push", *options("canvas", fake))
    assert run.returncode == 2 and "no row has this id, login, email or name" in run.stderr


def test_a_note_that_is_damaged_is_named_and_removes_nothing_elsewhere(course: Path, fake: FakePlatform) -> None:
    (course / "in").mkdir()
    (course / "keep.txt").write_text("mine")
    (course / "in" / ".gradetape-fetch.json").write_text('{"../keep.txt": ["1", 1, 4]}')
    fetched(course, "canvas", fake)
    assert (course / "keep.txt").read_text() == "mine"
    (course / "in" / ".gradetape-fetch.json").write_text("{")
    run = called(course, "fetch", *options("canvas", fake), "--into", "in")
    assert run.returncode == 2 and "cannot be read. Remove it: then all files are fetched again." in run.stderr


def test_a_file_that_is_refused_costs_itself_alone(course: Path, fake: FakePlatform) -> None:
    fake.answers["/stored/2"] = [(404, {}, "")]
    words = fetched(course, "canvas", fake, status=1)
    assert "not fetched: doejane_10002_90012_hw.ipynb: 127.0.0.1: it does not give" in words
    assert len(files(course / "in")) == 2


# the token


def test_the_token_is_sent_to_no_other_address(course: Path, fake: FakePlatform) -> None:
    elsewhere = FakePlatform()
    with serving(elsewhere) as address:
        fake.attachment = address
        fetched(course, "canvas", fake)
    assert set(elsewhere.tokens) == {"/stored/1", "/stored/2", "/stored/3"}
    assert set().union(*elsewhere.tokens.values()) == {""}
    assert fake.tokens["/files/1"] == {TOKEN}


def test_a_file_of_moodle_that_is_elsewhere_is_not_asked_for(course: Path, fake: FakePlatform) -> None:
    elsewhere = FakePlatform()
    with serving(elsewhere) as address:
        fake.attachment = address
        run = called(course, "fetch", *options("moodle", fake), "--into", "in")
    assert run.returncode == 2 and "a file is not at the platform's own address but at 127.0.0.1/files/1" in run.stderr
    assert elsewhere.asked == []


def test_the_next_page_is_not_elsewhere(course: Path, fake: FakePlatform) -> None:
    fake.answers[f"{BASE}/submissions"] = [(200, {"link": '<https://evil.example.org/x>; rel="next"'}, "[]")]
    run = called(course, "fetch", *options("canvas", fake), "--into", "in")
    assert run.returncode == 2 and "the next page would be elsewhere: evil.example.org/x" in run.stderr


def test_a_redirect_without_encryption_is_refused(course: Path, fake: FakePlatform) -> None:
    fake.answers["/files/1"] = [(302, {"location": "http://storage.example.org/x?key=1"}, "")]
    run = called(course, "fetch", *options("canvas", fake), "--into", "in")
    assert run.returncode == 2
    assert (
        "it leads to an address without encryption: storage.example.org/x. " in run.stderr and "key=1" not in run.stderr
    )


def test_no_message_and_no_log_has_the_token(
    course: Path, fake: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.answers["/webservice/rest/server.php"] = [
        (200, {}, json.dumps({"exception": "moodle_exception", "message": f"no {TOKEN} here"}))
    ]
    run = called(course, "fetch", *options("moodle", fake), "--into", "in")
    assert run.returncode == 2 and "core_course_get_course_module failed: no (token) here" in run.stderr
    assert TOKEN not in run.stderr and TOKEN not in "".join(record.getMessage() for record in caplog.records)


def test_a_token_comes_from_the_environment_or_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    assert token_for("canvas", "https://canvas.example.edu") == TOKEN
    monkeypatch.delenv("GRADETAPE_CANVAS_TOKEN")
    keyring = pytest.importorskip("keyring", reason="gradetape[lms] is not installed")
    stored = {("gradetape-canvas", "canvas.example.edu"): "fromthekeyring"}
    monkeypatch.setattr(keyring, "get_password", lambda *asked: stored.get(asked))
    assert token_for("canvas", "https://canvas.example.edu/") == "fromthekeyring"
    with pytest.raises(RequestError, match="There is no token for Canvas"):
        token_for("canvas", "https://other.example.edu")
    monkeypatch.setenv("GRADETAPE_CANVAS_TOKEN", "se\u200bcret secret")
    with pytest.raises(RequestError, match="or in the keyring is none: it is short, or has other letters"):
        token_for("canvas", "https://other.example.edu")


def test_a_keyring_that_cannot_be_opened_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = pytest.importorskip("keyring.errors", reason="gradetape[lms] is not installed")
    keyring = pytest.importorskip("keyring")
    monkeypatch.delenv("GRADETAPE_CANVAS_TOKEN")

    def locked(*_: str) -> str:
        raise errors.KeyringLocked

    monkeypatch.setattr(keyring, "get_password", locked)
    with pytest.raises(RequestError, match="There is no token"):
        token_for("canvas", "https://canvas.example.edu")


def test_a_token_in_a_file_of_the_course_is_an_unknown_key(course: Path, fake: FakePlatform) -> None:
    with (course / "grader_config.yml").open("a") as file:
        file.write(f"token: {TOKEN}\n")
    assert "unknown key 'token'" in called(course, "push", *options("canvas", fake)).stderr


@pytest.mark.parametrize(
    "url", ["http://canvas.example.edu", "canvas.example.edu", "https://me:x@canvas.example.edu", "ftp://x", "https://"]
)
def test_an_address_without_encryption_or_with_a_password_is_refused(course: Path, url: str) -> None:
    run = called(course, "fetch", "canvas", "--url", url, "--course", "1", "--id", "2", "--into", "in")
    assert (
        run.returncode == 2 and "is no address of a platform. Write one like https://canvas.example.edu" in run.stderr
    )


# waiting


def asking(fake: FakePlatform, act: Callable[[object], object], **headers: str) -> tuple[object, list[float]]:
    waits: list[float] = []
    made = client.LmsClient(fake.url, TOKEN, bearer=True, wait=waits.append)
    try:
        return act(made), waits
    finally:
        made.close()


@pytest.mark.parametrize(
    ("answer", "waits"),
    [
        ((429, {"retry-after": "7"}, ""), [7.0]),
        ((429, {}, ""), [1.0]),
        ((403, {}, "403 Forbidden (Rate Limit Exceeded)"), [1.0]),
        ((503, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, ""), [0.0]),
        ((503, {"retry-after": "soon"}, ""), [1.0]),
    ],
)
def test_a_platform_that_is_asked_too_often_is_asked_again_when_it_says(
    fake: FakePlatform, answer: tuple[int, dict[str, str], str], waits: list[float]
) -> None:
    fake.answers[BASE] = [answer]
    found, waited = asking(fake, lambda made: made.json("GET", BASE))
    assert found["points_possible"] == 5 and waited == waits


def test_few_requests_that_are_left_are_spread(fake: FakePlatform) -> None:
    fake.answers[BASE] = [(200, {"x-rate-limit-remaining": "20.0"}, "{}"), (200, {"x-rate-limit-remaining": "x"}, "{}")]
    _, waited = asking(fake, lambda made: [made.json("GET", BASE), made.json("GET", BASE)])
    assert waited == [3.0]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([(429, {"retry-after": "3600"}, "")], "it wants to be asked again in 3600 seconds. Run the command"),
        ([(503, {}, "")] * 6, "it answered 503 to 127.0.0.1/api/v1/courses/42/assignments/901, 6 times"),
        ([(401, {}, "")], "it does not accept the token. Make a new one there, and set it as docs/lms.md shows."),
        ([(404, {}, "")], "Check the numbers of the course and the assignment, and that the token"),
        ([(200, {}, "<html>")], "was answered with something that is no JSON"),
        ([(418, {}, "")], "it answered 418 to"),
        ([(302, {"location": BASE}, "")] * 5, "leads in a circle"),
    ],
)  # fmt: skip
def test_a_platform_that_refuses_is_an_error_that_says_what_to_do(
    fake: FakePlatform, answers: list[tuple[int, dict[str, str], str]], words: str
) -> None:
    fake.answers[BASE] = list(answers)
    with pytest.raises(LmsError) as error:
        asking(fake, lambda made: made.json("GET", BASE))
    assert words in str(error.value)


@pytest.mark.parametrize(("answers", "of_one_file"), [([(404, {}, "")], True), ([(503, {}, "")] * 6, False)])
def test_whether_an_error_is_of_one_file_alone_is_not_read_from_the_files_name(
    fake: FakePlatform, answers: list[tuple[int, dict[str, str], str]], of_one_file: bool
) -> None:
    fake.answers["/stored/5MiB.h5"] = answers
    with pytest.raises(LmsError) as error:
        asking(fake, lambda made: made.content(f"{fake.url}/stored/5MiB.h5"))
    assert isinstance(error.value, LmsFileError) == of_one_file


def test_a_list_that_is_none_is_an_error(fake: FakePlatform) -> None:
    with pytest.raises(LmsError, match="was answered with something that is no list"):
        asking(fake, lambda made: list(made.pages(BASE)))


def test_an_answer_is_not_read_without_end(fake: FakePlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_FILE_BYTES", 100)
    with pytest.raises(LmsError, match="has more than 0 MiB"):
        asking(fake, lambda made: made.content(f"{fake.url}/stored/1"))


def test_a_platform_that_is_not_there_is_asked_again_and_a_change_is_not(fake: FakePlatform) -> None:
    fake.url = "http://127.0.0.1:9"
    with pytest.raises(LmsError, match="ConnectError for"):
        asking(fake, lambda made: made.json("GET", "/x"))
    with pytest.raises(LmsError, match="It is not known whether it was done"):
        asking(fake, lambda made: made.json("PUT", "/x", {"a": "b"}))


def test_a_change_is_not_sent_elsewhere(fake: FakePlatform) -> None:
    fake.answers["/x"] = [(307, {"location": "https://evil.example.org/"}, "")]
    with pytest.raises(LmsError) as error:
        asking(fake, lambda made: made.json("PUT", "/x", {"a": "b"}))
    assert "127.0.0.1/x leads elsewhere. Check the address that --url names" in str(error.value)


def test_the_command_says_how_to_install_what_is_missing(
    course: Path, fake: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "gradetape.lms.client", None)
    run = called(course, "fetch", *options("canvas", fake), "--into", "in")
    assert run.returncode == 2 and "which is not installed. Install it with: pip install 'gradetape[lms]'" in run.stderr


# pushing


def graded(tmp_path: Path, layout: str) -> Path:
    people = (("Jane Doe", "10001"), ("Jane Doe (10002)", "10002"), ("Zoë Müller", "10003"))
    return recorded(tmp_path, *(
        msgspec.structs.replace(a_tiny_grade(name), origin=Origin(layout=layout, id=number)) for name, number in people
    ))  # fmt: skip


@pytest.mark.parametrize("name", ["canvas", "moodle"])
def test_only_points_that_differ_are_pushed(tmp_path: Path, fake: FakePlatform, name: str) -> None:
    course = graded(tmp_path, name)
    fake.points = {"10001": 3.0, "10002": 1.0}
    run = called(course, "push", *options(name, fake), "--dry-run")
    assert run.returncode == 0, run.stderr
    assert (
        "Jane Doe (10002) (user 10002): 1 -> 3" in run.stdout and "Zoë Müller (user 10003): nothing -> 3" in run.stdout
    )
    assert "2 scores would be set" in run.stdout and fake.points == {"10001": 3.0, "10002": 1.0}
    run = called(course, "push", *options(name, fake))
    assert run.returncode == 0 and "2 scores set on" in run.stdout and "1 there already" in run.stdout
    assert fake.points == {"10001": 3.0, "10002": 3.0, "10003": 3.0}
    fake.asked.clear()
    assert "0 scores set on" in called(course, "push", *options(name, fake)).stdout
    assert not [each for each in fake.asked if each.startswith("PUT") or "save" in each]


def test_a_push_that_was_interrupted_goes_on_where_it_stopped(tmp_path: Path, fake: FakePlatform) -> None:
    course = graded(tmp_path, "canvas")
    fake.answers[f"{BASE}/submissions/10003"] = [(500, {}, "")]
    assert called(course, "push", *options("canvas", fake)).returncode == 2
    assert set(fake.points) == {"10001", "10002"}
    assert "1 score set on Canvas; 2 there already." in called(course, "push", *options("canvas", fake)).stdout


def test_points_that_are_excused_stay(tmp_path: Path, fake: FakePlatform) -> None:
    fake.excused = "10001"
    run = called(graded(tmp_path, "canvas"), "push", *options("canvas", fake))
    assert "left as it is: Jane Doe: excused" in run.stderr and set(fake.points) == {"10002", "10003"}


def test_nothing_is_pushed_if_anything_is_wrong(tmp_path: Path, fake: FakePlatform) -> None:
    grade = msgspec.structs.replace(a_tiny_grade("Nobody"), origin=Origin(layout="canvas", id="666"))
    course = recorded(tmp_path, a_tiny_grade("rroe"), grade)
    run = called(course, "push", *options("canvas", fake))
    assert run.returncode == 2 and fake.points == {}
    assert "Nothing was pushed to Canvas:" in run.stderr and "Nobody has 3 points: no row has this id" in run.stderr
    assert "Name a student there with --match STUDENT=ID" in run.stderr
    run = called(course, "push", *options("canvas", fake), "--match", "Nobody=10003")
    assert run.returncode == 0 and fake.points == {"10003": 3.0, "10004": 3.0}
    assert called(course, "push", *options("canvas", fake), "--partial").returncode == 0
    run = called(course, "push", *options("canvas", fake), "--partial", "--match", "Who=1")
    assert run.returncode == 2 and "--match names 'Who': no result" in run.stderr


def test_two_of_one_name_without_ids_are_not_guessed(tmp_path: Path, fake: FakePlatform) -> None:
    run = called(recorded(tmp_path, a_tiny_grade("Jane Doe")), "push", *options("canvas", fake))
    assert run.returncode == 2 and "could be meant" in run.stderr and fake.points == {}


@pytest.mark.parametrize("name", ["canvas", "moodle"])
def test_points_above_the_maximum_and_other_scales_are_refused(tmp_path: Path, fake: FakePlatform, name: str) -> None:
    course = graded(tmp_path, name)
    fake.most = 2.0
    run = called(course, "push", *options(name, fake))
    assert run.returncode == 2 and "3 points, more than the maximum, 2" in run.stderr
    fake.most, fake.grading = 10.0, "letter_grade"
    assert "the assignment is not graded by points" in called(course, "push", *options(name, fake)).stderr
    fake.grading = "points"
    assert "points are not scaled" in called(course, "push", *options(name, fake), "--dry-run").stderr
    assert fake.points == {}


def test_a_number_of_moodle_that_is_no_assignments_is_refused(course: Path, fake: FakePlatform) -> None:
    fake.grading = "quiz"
    run = called(course, "fetch", *options("moodle", fake), "--into", "in")
    assert (
        run.returncode == 2
        and "the number is not an assignment's. Use the one in the address of its page" in run.stderr
    )


# Moodle's users and participants have numbers of their own


def unnumbered(fake: FakePlatform) -> None:
    """Moodle has given nobody a participant's number yet."""
    fake.numbers = {user: -1 for user in ("10001", "10002", "10003", "10004")}


def test_a_user_without_a_participants_number_is_none_of_the_participants(course: Path, fake: FakePlatform) -> None:
    """Between the fetch and the push Moodle numbers the participants, one of them as another user is numbered."""
    unnumbered(fake)
    fetched(course, "moodle", fake)
    assert "Zoë Müller_user-10003_assignsubmission_file_/hw.ipynb" in files(course / "in")
    run = called(course, "grade", "in", "--json")
    assert {each["origin"]["id"] for each in by_student(run).values()} == {"user-10001", "user-10002", "user-10003"}
    fake.numbers = {"10001": 10002, "10002": 10003, "10003": 10004, "10004": 10001}
    run = called(course, "push", *options("moodle", fake), "--dry-run")
    assert run.returncode == 0, run.stderr
    assert "Jane Doe (user-10001) (user 10001): nothing -> 5" in run.stdout
    assert "Zoë Müller (user 10003): nothing -> 5" in run.stdout
    assert called(course, "push", *options("moodle", fake)).returncode == 0
    assert set(fake.points) == {"10001", "10002", "10003"}


def test_a_participants_number_is_no_users(tmp_path: Path, fake: FakePlatform) -> None:
    """A grade of Moodle's own download has the number of a participant; another user has that number."""
    unnumbered(fake)
    grade = msgspec.structs.replace(a_tiny_grade("Zoë Müller"), origin=Origin(layout="moodle", id="10004"))
    course = recorded(tmp_path, grade)
    assert called(course, "push", *options("moodle", fake)).returncode == 0
    assert fake.points == {"10003": 3.0}
    fake.points.clear()
    fake.numbers = {"10001": 1, "10002": 2, "10003": 3, "10004": 4}
    run = called(course, "push", *options("moodle", fake))
    assert run.returncode == 2 and "its id or email is another one" in run.stderr and fake.points == {}


def filled(course: Path, fake: FakePlatform, sheet: str) -> subprocess.CompletedProcess[str]:
    """Fills Moodle's worksheet with the grades of what is fetched from it."""
    (course / "sheet.csv").write_text(sheet)
    fetched(course, "moodle", fake)
    called(course, "grade", "in")
    return called(course, "export", "moodle", "--into", "sheet.csv")


WORKSHEETS = {
    "English": ("Identifier,Full name,Grade,Maximum Grade\n", "Participant {}"),
    "German": ("ID,Vollständiger Name,Bewertung,Bestwertung\n", "Teilnehmer/in{}"),
    "German, with a space": ("ID,Vollständiger Name,Bewertung,Bestwertung\n", "Teilnehmer/in {}"),
    "French and Japanese words": ("Identifier,Full name,Grade,Maximum Grade\n", "参加者 {}"),
    "Arabic digits": ("Identifier,Full name,Grade,Maximum Grade\n", "مشترك {arabic}"),
    "right to left": ("Identifier,Full name,Grade,Maximum Grade\n", "\u200fمشترك {}\u200f"),
}  # fmt: skip


@pytest.mark.parametrize("language", WORKSHEETS)
def test_moodles_worksheet_is_filled_after_a_fetch(course: Path, fake: FakePlatform, language: str) -> None:
    """By the number of the participant, where Moodle has said it, else by a name that one person has."""
    header, who = WORKSHEETS[language]
    arabic = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    people = (("10001", "Jane Doe"), ("10002", "Jane Doe"), ("10003", "Zoë Müller"))
    rows = "".join(f"{who.format(user, arabic=user.translate(arabic))},{name},{{}},5.00\n" for user, name in people)
    run = filled(course, fake, header + rows.format("", "", ""))
    assert run.returncode == 0, run.stderr
    assert (course / "sheet-filled.csv").read_text() == header + rows.format(*["5"] * 3)


def test_an_identifier_with_two_numbers_is_nobodys(course: Path, fake: FakePlatform) -> None:
    rows = "".join(f"Group 10002 Participant 1000{number},,,5.00\n" for number in (1, 2, 3))
    run = filled(course, fake, f"Identifier,Full name,Grade,Maximum Grade\n{rows}")
    assert run.returncode == 2 and run.stderr.count("no row has this id, login, email or name") == 3


def test_a_worksheet_is_not_filled_by_the_numbers_of_users(course: Path, fake: FakePlatform) -> None:
    unnumbered(fake)
    header, who = WORKSHEETS["German"]
    numbers = (("10003", "Jane Doe"), ("10001", "Jane Doe"), ("10002", "Zoë Müller"))
    rows = "".join(f"{who.format(number)},{name},{{}},5.00\n" for number, name in numbers)
    run = filled(course, fake, header + rows.format("", "", ""))
    assert run.returncode == 2 and "Jane Doe (user-10001) has 5 points" in run.stderr
    assert not (course / "sheet-filled.csv").exists()
    more = ("--match", "Jane Doe (user-10001)=Teilnehmer/in10003", "--match", "Jane Doe (user-10002)=10001")
    run = called(course, "export", "moodle", "--into", "sheet.csv", *more)
    assert run.returncode == 0, run.stderr
    run = called(course, "export", "feedback", "--for", "moodle", "--out", "pages.zip")
    assert run.returncode == 2 and "is not in a folder like 'First Last_12345_assignsubmission_file_'" in run.stderr


def test_the_times_of_moodle_tell_two_of_one_name_apart(course: Path, fake: FakePlatform) -> None:
    unnumbered(fake)
    fetched(course, "moodle", fake, "--times", "times.csv")
    with (course / "grader_config.yml").open("a") as file:
        file.write("late:\n  times: times.csv\n")
    called(course, "grade", "in")
    assert called(course, "export", "csv").stdout.count("2026-09-21T") == 3


# comments


def comment_of(fake: FakePlatform, user: str) -> str:
    return fake.comments[user][-1][1]


def test_students_get_a_comment_that_canvas_shows_as_it_is(tmp_path: Path, fake: FakePlatform) -> None:
    course = graded(tmp_path, "canvas")
    run = called(course, "push", *options("canvas", fake), "--dry-run")
    assert "Jane Doe (user 10001): nothing -> 3 and a comment\n    Automatic feedback: 3 of 5 points\n" in run.stdout
    assert "3 scores would be set" in run.stdout and "3 comments would be set." in run.stdout and fake.comments == {}
    run = called(course, "push", *options("canvas", fake))
    assert "3 scores set on Canvas; 0 there already.\n3 comments set.\n" in run.stdout
    for user in ("10001", "10002", "10003"):
        assert comment_of(fake, user).startswith("Automatic feedback: 3 of 5 points\n")
        assert "\n- " in comment_of(fake, user) and "<" not in comment_of(fake, user)
    assert len([each for each in fake.asked if each.startswith("PUT")]) == 3


def test_moodle_gets_the_feedback_comment_of_its_worksheet(tmp_path: Path, fake: FakePlatform) -> None:
    course = graded(tmp_path, "moodle")
    run = called(course, "push", *options("moodle", fake))
    assert run.returncode == 0 and "3 comments set." in run.stdout
    assert comment_of(fake, "10001").startswith('<div class="gradetape"><p><strong>3 of 5 points</strong>')
    shown = called(course, "push", *options("moodle", fake), "--replace-comments", "--dry-run").stdout
    assert "0 scores would be set on Moodle; 3 there already." in shown and "comment" not in shown


@pytest.mark.parametrize("name", ["canvas", "moodle"])
def test_a_comment_that_is_there_is_not_sent_again(tmp_path: Path, fake: FakePlatform, name: str) -> None:
    course = graded(tmp_path, name)
    called(course, "push", *options(name, fake))
    before = {user: list(texts) for user, texts in fake.comments.items()}
    fake.asked.clear()
    assert called(course, "push", *options(name, fake)).returncode == 0
    assert fake.comments == before and not [each for each in fake.asked if each.startswith("PUT") or "save" in each]
    fake.points["10001"] = 1.0
    run = called(course, "push", *options(name, fake))
    assert "1 score set on" in run.stdout and "comment" not in run.stdout and fake.comments == before


def test_a_comment_alone_is_set_where_the_points_are_the_same(tmp_path: Path, fake: FakePlatform) -> None:
    for name in ("canvas", "moodle"):
        course = graded(tmp_path / name, name)
        fake.comments.clear()
        called(course, "push", *options(name, fake), "--no-comments")
        assert fake.points == {"10001": 3.0, "10002": 3.0, "10003": 3.0} and not any(fake.comments.get("10001", ()))
        run = called(course, "push", *options(name, fake), "--dry-run")
        assert "Jane Doe (user 10001): a comment\n" in run.stdout
        run = called(course, "push", *options(name, fake))
        assert "0 scores set on" in run.stdout and "3 comments set." in run.stdout
        assert fake.points == {"10001": 3.0, "10002": 3.0, "10003": 3.0}


def test_comments_of_an_interrupted_push_follow_with_the_next(tmp_path: Path, fake: FakePlatform) -> None:
    course = graded(tmp_path, "canvas")
    fake.answers[f"{BASE}/submissions/10002"] = [(500, {}, "")]
    assert called(course, "push", *options("canvas", fake)).returncode == 2
    assert set(fake.comments) == {"10001"}
    assert "2 comments set." in called(course, "push", *options("canvas", fake)).stdout
    assert {user: len(texts) for user, texts in fake.comments.items()} == {"10001": 1, "10002": 1, "10003": 1}


def test_a_students_comment_is_not_taken_for_gradetapes(tmp_path: Path, fake: FakePlatform) -> None:
    course = graded(tmp_path, "canvas")
    called(course, "push", *options("canvas", fake))
    wanted = comment_of(fake, "10001")
    fake.comments = {"10001": [(10001, wanted)], "10002": [(77, wanted), (77, "Well done."), (10002, "Thanks!")]}
    assert "2 comments set." in called(course, "push", *options("canvas", fake)).stdout
    assert fake.comments["10001"] == [(10001, wanted), (77, wanted)] and len(fake.comments["10002"]) == 3


def test_a_comment_on_canvas_that_has_changed_is_added(tmp_path: Path, fake: FakePlatform) -> None:
    course = graded(tmp_path, "canvas")
    fake.comments = {"10001": [(77, "Automatic feedback: 1 of 5 points"), (77, "See me.")]}
    called(course, "push", *options("canvas", fake))
    assert [author for author, _ in fake.comments["10001"]] == [77, 77, 77]


@pytest.mark.parametrize("more", [(), ("--no-comments",)])
def test_a_comment_of_somebody_else_on_moodle_stays(tmp_path: Path, fake: FakePlatform, more: tuple[str, ...]) -> None:
    fake.comments, fake.points = {"10001": [(5, "<p>See me.</p>")]}, {"10001": 1.0}
    course = graded(tmp_path, "moodle")
    run = called(course, "push", *options("moodle", fake), *more)
    assert fake.points["10001"] == 3.0 and comment_of(fake, "10001") == "<p>See me.</p>"
    words = "left as it is: Jane Doe: the comment is not gradetape's (--replace-comments replaces it)"
    assert (words in run.stderr) is (not more)
    if not more:
        called(course, "push", *options("moodle", fake), "--replace-comments")
        assert "3 of 5 points" in comment_of(fake, "10001")


def test_a_comment_that_moodle_does_not_show_is_not_emptied(tmp_path: Path, fake: FakePlatform) -> None:
    fake.comments, fake.points, fake.workflow = {"10001": [(5, "<p>See me.</p>")]}, {"10001": 1.0}, True
    course = graded(tmp_path, "moodle")
    for more in ((), ("--no-comments",)):
        run = called(course, "push", *options("moodle", fake), *more)
        assert "Moodle does not show the comment before the grade is released (--replace-comments" in run.stderr
        assert fake.points["10001"] == 1.0 and comment_of(fake, "10001") == "<p>See me.</p>"
    assert fake.points["10002"] == 3.0
    called(course, "push", *options("moodle", fake), "--replace-comments")
    assert fake.points["10001"] == 3.0 and "3 of 5 points" in comment_of(fake, "10001")


def test_an_assignment_without_comments_gets_points_alone(tmp_path: Path, fake: FakePlatform) -> None:
    fake.takes_comments = False
    run = called(graded(tmp_path, "moodle"), "push", *options("moodle", fake))
    assert run.returncode == 0 and "3 scores set on Moodle" in run.stdout
    assert "the assignment takes no comments on Moodle: points alone are set" in run.stderr and fake.comments == {}
