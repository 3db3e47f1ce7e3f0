"""Trials: submissions are judged with the checks as they are now, the reference first, and nothing is recorded."""

from __future__ import annotations

import functools
import html
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from gradetape.course.assignments import find
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import EngineOptions, MockEngine
from gradetape.errors import CourseError, RequestError
from gradetape.gradebook import Gradebook
from gradetape.grading.trial import TrialRequest, tried
from gradetape.records import Cell, Check, Grade, Job, Lost, Outcome, TrialResult, Verdict
from tests.books import recorded
from tests.course import HALVE, called
from tests.desk_client import DeskClient
from tests.factories import SECRET, a_result, a_tiny_grade
from tests.processes import until

ODD = Check(question="q02_halve", name="test_odd", public=False, title="Odd.", hint="H2.", points=2)
REQUEST = TrialRequest(assignment="tiny", question="q02_halve")
WRONG = "def halve(x):\n    return x // 2"


def of(student: str, source: str) -> Grade:
    """A student whose second question got no points, whatever the code."""
    cells = (Cell(source=source, question="q02_halve"),) if source else ()
    return msgspec.structs.replace(a_tiny_grade(student), cells=cells)


GRADES = (of("ada", HALVE), of("bob", WRONG), of("eve", HALVE), of("old", ""))


def judged(job: Job) -> Outcome | Lost:
    """Right code and the reference pass."""
    right = job.trusted or any(cell.source == HALVE for cell in job.cells)
    verdict = Verdict.PASSED if right else Verdict.FAILED
    return Outcome(results=(a_result(check=ODD, verdict=verdict, points=2.0 * right, staff_message=SECRET),))


def failing(message: str) -> Callable[[Job], Outcome | Lost]:
    """An engine's answer: nobody passes, nor does the reference."""
    return lambda _: Outcome(results=(a_result(check=ODD, verdict=Verdict.FAILED, staff_message=message),))


class Engines:
    """Opens an engine whose answers are a function's, and keeps it."""

    def __init__(self, answer: Callable[[Job], Outcome | Lost]) -> None:
        self.answer = answer
        self.opened: list[MockEngine] = []

    def __call__(self, _: GradableAssignment, options: EngineOptions) -> MockEngine:
        self.opened.append(MockEngine(self.answer, checks=(ODD,)))
        return self.opened[-1]


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return recorded(tmp_path, *GRADES)


def stored(course: Path) -> list[Grade]:
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        return book.latest("tiny")


def points(found: list[TrialResult]) -> dict[str, tuple[float, float]]:
    return {each.student: each.points for each in found}


def test_who_would_gain_is_known_and_each_code_runs_once(course: Path) -> None:
    engines = Engines(judged)
    found = list(tried(find(course), REQUEST, GRADES, open_engine=engines))
    assert points(found) == {"ada": (0, 2), "eve": (0, 2), "bob": (0, 0), "old": (0, 0)}
    assert "kept no code" in {each.student: each.lost for each in found}["old"]
    jobs = engines.opened[0].jobs
    assert [job.trusted for job in jobs] == [True, False, False]
    assert {job.only for job in jobs} == {(ODD.id,)}


def test_a_lost_job_costs_nobody_a_point_and_is_named(course: Path) -> None:
    def losing(job: Job) -> Outcome | Lost:
        return judged(job) if job.trusted else Lost(reason="the zygote has ended")

    found = list(tried(find(course), REQUEST, GRADES[:1], open_engine=Engines(losing)))
    assert (found[0].lost, found[0].gain) == ("the zygote has ended", 0)


def test_a_check_that_the_reference_does_not_pass_is_tried_on_nobody(course: Path) -> None:
    engines = Engines(failing("2 == 3"))
    with pytest.raises(CourseError, match="the reference solution does not pass q02_halve::hidden::test_odd"):
        list(tried(find(course), REQUEST, GRADES, open_engine=engines))
    assert len(engines.opened[0].jobs) == 1


def test_a_check_that_is_gone_is_named(course: Path) -> None:
    request = msgspec.structs.replace(REQUEST, checks=frozenset(["q02_halve::hidden::test_gone"]))
    with pytest.raises(RequestError, match="the course no longer has q02_halve::hidden::test_gone"):
        list(tried(find(course), request, GRADES, open_engine=Engines(judged)))


def test_the_command_shows_who_would_gain_and_records_nothing(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradetape.cli.preview.tried", functools.partial(tried, open_engine=Engines(judged)))
    before = stored(course)
    run = called(course, "preview", "q02")
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == [
        "ada: 0 -> 2 points", "eve: 0 -> 2 points",
        "4 students: 2 would gain, 0 would lose, 1 not judged. Nothing was recorded.",
    ]  # fmt: skip
    one = called(course, "preview", "q02", "--student", "bob", "--check", ODD.id)
    assert one.stdout == "1 student: 0 would gain, 0 would lose, 0 not judged. Nothing was recorded.\n"
    assert stored(course) == before


def ended(client: DeskClient, where: str) -> str:
    """The page of a trial once it has ended."""

    def page() -> str:
        text = client.get(where).text
        return "" if "Running" in text else html.unescape(text)

    return str(until(page, 60.0))


def test_at_the_desk_a_question_is_tried_on_all_and_one_check_on_one(course: Path) -> None:
    client, before = DeskClient(course, open_engine=Engines(judged)), stored(course)
    [(to, fields)] = [each for each in client.forms("/staff/tiny/questions/q02_halve.html") if each[0].endswith("try")]
    page = ended(client, client.post(to, fields).headers["location"])
    assert "4 of 4 judged, 2 would gain, 0 would lose. Nothing was recorded." in page
    assert "refresh" not in page and "failed before" in page
    assert client.post(to, fields).status_code == 409
    [(to, fields)] = [each for each in client.forms("/staff/tiny/bob.html") if each[0].endswith("try")]
    assert fields["check"] == ODD.id
    page = ended(client, client.post(to, fields).headers["location"])
    assert "1 of 1 judged, 0 would gain" in page and SECRET in page
    assert client.get("/trial/99").status_code == 404
    assert stored(course) == before


def test_one_trial_runs_at_a_time_and_closing_the_desk_ends_it(course: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(job: Job) -> Outcome | Lost:
        begun.set()
        assert go_on.wait(300)
        return judged(job)

    engines = Engines(slow)
    client = DeskClient(course, open_engine=engines)
    path = "/staff/tiny/questions/q02_halve.html"
    to, fields = client.forms(path)[-1]
    where = client.post(to, fields).headers["location"]
    assert begun.wait(300)
    running = client.get(where).text
    assert "Running" in running and '<meta http-equiv="refresh" content="2">' in running
    to, fields = client.forms(path)[-1]
    refused = client.post(to, fields)
    assert refused.status_code == 400 and "another trial is running" in html.unescape(refused.text)
    threading.Timer(0.2, go_on.set).start()
    client.trials.close()
    assert "Running" not in client.get(where).text
    assert len(engines.opened[0].jobs) == 1


def test_what_ends_a_trial_is_on_its_page(course: Path) -> None:
    client = DeskClient(course, open_engine=Engines(failing("<b>2 == 3")))
    to, fields = client.forms("/staff/tiny/questions/q02_halve.html")[-1]
    where = client.post(to, fields).headers["location"]
    assert "the reference solution does not pass" in ended(client, where)
    assert "<b>2" not in client.get(where).text
