"""Where more places are idle than submissions are left, one submission's questions are judged side by side."""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Finished, LocalEngine, MockEngine
from gradetape.errors import InfrastructureError
from gradetape.gradebook import Gradebook, QuestionResult, Run
from gradetape.grading.composition import together
from gradetape.grading.events import SubmissionBegan, SubmissionRetried
from gradetape.grading.request import GradePlan
from gradetape.grading.run import GradeReport, run
from gradetape.grading.side_by_side import ReferenceTimes, parts_of
from gradetape.judge.messages import RunJob
from gradetape.judge.parts import SilentParts
from gradetape.judge.process import JudgeProcess
from gradetape.judge.server import Server
from gradetape.judge.session import Judge
from gradetape.judge.transcript import Transcript
from gradetape.records import (
    Cell,
    CellEvent,
    Check,
    CheckResult,
    Grade,
    Job,
    Limits,
    Lost,
    Outcome,
    Part,
    Said,
    Slot,
    Verdict,
)
from gradetape.runtime.slots import Slots
from gradetape.wire.message_channel import MessageChannel, QueueingChannel
from tests.books import attempts
from tests.course import HALVE, called, notebook, tiny, write_files
from tests.regrading import DOUBLED, HALVED, asked, by_its_cells, compared, edit, passed, planned

CHECKS = tuple(f"q{number}::{kind}" for number in range(1, 5) for kind in ("public", "hidden"))


def times(*questions: float, cells: float = 0.0) -> ReferenceTimes:
    return ReferenceTimes(cells=cells, questions={f"q{number}": each for number, each in enumerate(questions, 1)})


def questions_in(parts: Sequence[Sequence[str]]) -> list[str]:
    return [" ".join(dict.fromkeys(check.partition("::")[0] for check in part)) for part in parts]


# How a submission is divided


@pytest.mark.parametrize(
    ("known", "most", "parts"),
    [
        (times(1, 1, 1, 1), 1, ["q1 q2 q3 q4"]),
        (times(1, 1, 1, 1), 0, ["q1 q2 q3 q4"]),
        (ReferenceTimes(), 4, ["q1 q2 q3 q4"]),
        (times(1, 1, 1, 1), 4, ["q1", "q2", "q3", "q4"]),
        (times(1, 1, 1, 1), 9, ["q1", "q2", "q3", "q4"]),
        (times(1, 1, 1, 1), 10**6, ["q1", "q2", "q3", "q4"]),
        (times(1, 2, 3, 4), 2, ["q1 q4", "q2 q3"]),
        (times(9, 2, 3, 4), 4, ["q1", "q2 q3 q4"]),
        (times(1, 1, 1, 1, cells=1.5), 4, ["q1 q3", "q2 q4"]),
        (times(1, 1, 1, 1, cells=3), 4, ["q1 q2 q3 q4"]),
    ],
    ids=[
        "one place", "no place", "no times", "one each", "more places than questions",
        "so many places that none may be tried in vain", "balanced",
        "no shorter than the longest", "cells as long as the checks", "cells longer than the checks",
    ],
)  # fmt: skip
def test_the_parts_are_as_short_as_the_places_and_the_cells_allow(
    known: ReferenceTimes, most: int, parts: list[str]
) -> None:
    found = parts_of(CHECKS, known, most)
    assert questions_in(found) == parts
    assert sorted(check for part in found for check in part) == sorted(CHECKS)
    assert all(list(part) == [check for check in CHECKS if check in part] for part in found)


def test_the_times_are_the_references_and_those_of_its_cells_are_of_whole_jobs() -> None:
    def result(question: str, job: Run, *seconds: float) -> QuestionResult:
        results = tuple(
            CheckResult(check=check(f"{question}::hidden::{number}"), verdict=Verdict.PASSED, points=1, seconds=each)
            for number, each in enumerate(seconds)
        )
        return QuestionResult(question=question, digest=question, parts={}, results=results, run=job)

    whole, old = Run(seconds=5.0), Run(seconds=60.0)
    found = ReferenceTimes.of([result("q1", whole, 1.0, 0.5), result("q2", whole, 2.0), result("q3", old, 1.0)])
    assert (found.questions, found.cells) == ({"q1": 1.5, "q2": 2.0, "q3": 1.0}, 1.5)


# What parts say together


def check(name: str) -> Check:
    question, kind, short = name.split("::")
    return Check(question=question, name=short, public=kind == "public", title="", hint="", points=1)


def outcome(name: str, *events: CellEvent, seconds: float = 1.0, **more: Any) -> Outcome:
    result = CheckResult(check=check(name), verdict=Verdict.PASSED, points=1, seconds=0.25, message=name)
    return Outcome(results=(result,), events=events, seconds=seconds, sent_bytes={name: 1}, **more)


def event(kind: str, text: str, cell: int = 0) -> CellEvent:
    return CellEvent(cell=cell, kind=kind, text=text)


def test_parts_are_told_like_one_job() -> None:
    first = outcome("q1::public::a", event("output", "one"), layers=("a",), review=("x",), versions={"keras": "3"})
    second = outcome(
        "q2::public::b", event("output", "two"), event("quarantined", "it ended", 1), layers=("a", "b"),
        review=("x", "y"), versions={"keras": "3"}, seconds=3.0,
    )  # fmt: skip
    found = together([first, second])
    assert found == Outcome(
        results=(*first.results, *second.results),
        events=(event("output", "one"), event("quarantined", "it ended", 1)),
        layers=("a", "b"), review=("x", "y"), versions={"keras": "3"}, seconds=1.25,
        sent_bytes={"q1::public::a": 1, "q2::public::b": 1},
    )  # fmt: skip
    assert together([first]) is first


def test_cells_that_run_in_a_later_part_alone_are_told_too() -> None:
    quiet, said = outcome("q1::public::a"), outcome("q2::public::b", event("error", "ValueError"))
    assert together([quiet, said]).events == said.events  # type: ignore[union-attr]


SAID = Said(events=(event("output", "hello"),))


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ([Lost(reason="a"), Lost(reason="b")], None),
        ([Lost(reason="a", said=SAID), Lost(reason="b")], SAID),
        ([outcome("q1::hidden::a", *SAID.events), Lost(reason="a")], SAID),
        ([Lost(reason="a"), outcome("q1::public::a")], Said(results=outcome("q1::public::a").results)),
        ([Lost(reason="a", said_before=SAID), Lost(reason="b", said_before=SAID)], None),
        (
            [Lost(reason="a", said_before=SAID), outcome("q1::public::a")],
            Said(events=SAID.events, results=outcome("q1::public::a").results),
        ),
    ],
    ids=["no hidden check", "one has begun", "hidden results", "public results", "nobody heard", "heard before"],
)
def test_a_lost_part_loses_the_submission_with_all_that_was_said(
    ended: list[Outcome | Lost], said: Said | None
) -> None:
    assert together(ended) == Lost(reason="a", said=said)


# What the driver does: one grade, one attempt, and one retry


def slow(job: Job, checks: tuple[Check, ...]) -> Outcome:
    """By the cells; with checks that take ten times as long as the cells."""
    answer = by_its_cells(job, checks)
    results = tuple(msgspec.structs.replace(each, seconds=1.0) for each in answer.results)
    return msgspec.structs.replace(answer, results=results, seconds=len(results) + 0.1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return compared(tmp_path / "course")


def judged(engine: MockEngine) -> list[Job]:
    return [job for job in engine.jobs if not job.trusted]


def graded(root: Path, answer: Callable[[Job, tuple[Check, ...]], Outcome | Lost], *, places: int = 2) -> Any:
    """The engine, the report and the events of a run with so many places."""
    work, engine = planned(root, answer, out=root / f"out{places}")
    engine._capacity = places
    events: list[Any] = []
    return engine, run(work, events.append), events


def only_grade(report: GradeReport) -> Grade:
    [grade] = report.batch.grades
    return grade


def test_one_submission_is_judged_in_two_places_and_gets_what_it_gets_in_one(root: Path) -> None:
    engine, report, events = graded(root, slow)
    first, second = judged(engine)
    assert {check.partition("::")[0] for check in first.only or ()} == {DOUBLED}
    assert {check.partition("::")[0] for check in second.only or ()} == {HALVED}
    assert isinstance(first.part, Part) and first.part == second.part and first.part.count == 2
    assert [type(each) for each in events].count(SubmissionBegan) == 1
    alone, whole, _ = graded(root, slow, places=1)
    assert len(judged(alone)) == 1 and judged(alone)[0].part is None
    assert only_grade(report) == only_grade(whole)
    with Gradebook.open(root / "out2" / "gradebook.sqlite") as book:
        assert len(attempts(book, "tiny", "ada")) == 1
    assert report.messages[-1].startswith("1 graded now")


def test_no_place_is_taken_from_another_submission(root: Path) -> None:
    (root / "in/grace.ipynb").write_text(notebook("def double(x):\n    return x * 2", HALVE))
    engine, _, _ = graded(root, slow)
    assert [job.part for job in judged(engine)] == [None, None]
    engine, _, _ = graded(root, slow, places=3)
    assert sorted(job.part.count if job.part else 1 for job in judged(engine)) == [1, 2, 2]


def test_an_engine_with_several_judge_servers_gets_no_parts(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MockEngine, "parts", 1)
    engine, _, _ = graded(root, slow)
    assert [job.part for job in judged(engine)] == [None]


def test_a_question_alone_has_one_job(root: Path) -> None:
    graded(root, slow)
    edit(root, f"autograder/tiny/test_{DOUBLED}.py", "2 * number", "number + number")
    engine, _, _ = graded(root, slow)
    [job] = judged(engine)
    assert job.part is None


@pytest.mark.parametrize(
    "bad",
    [lambda outcome: Lost(reason="gone"), lambda outcome: msgspec.structs.replace(outcome, results=())],
    ids=["lost", "a fault"],
)
def test_what_happens_to_one_part_is_retried_as_one_job_with_what_all_said(
    root: Path, bad: Callable[[Outcome], Outcome | Lost]
) -> None:
    def answer(job: Job, checks: tuple[Check, ...]) -> Outcome | Lost:
        if job.trusted or job.part is None or not any(check.question == HALVED for check in asked(job, checks)):
            return slow(job, checks)
        return bad(slow(job, checks))

    engine, report, events = graded(root, answer)
    jobs = judged(engine)
    assert [job.part is None for job in jobs] == [False, False, True]
    assert jobs[-1].only is not None and len(jobs[-1].only) == sum(len(job.only or ()) for job in jobs[:2])
    assert jobs[-1].said is not None
    assert {result.check.question for result in jobs[-1].said.results} == {DOUBLED}
    assert [type(each) for each in events].count(SubmissionRetried) == 1
    assert only_grade(report) == only_grade(graded(root, slow, places=1)[1])
    with Gradebook.open(root / "out2" / "gradebook.sqlite") as book:
        assert len(attempts(book, "tiny", "ada")) == 1


class Refusing(MockEngine):
    """Refuses the second part once."""

    refused = False

    def submit(self, job: Job) -> int:
        if job.part and not self.refused and any(each.startswith(HALVED) for each in job.only or ()):
            self.refused = True
            raise InfrastructureError("not now")
        return super().submit(job)


class Slow(MockEngine):
    """Never ends a part of the second question."""

    def wait(self, timeout_s: float) -> list[Finished]:
        found = super().wait(timeout_s)
        return [each for each in found if not self._never(self.jobs[each[0] - 1])]

    def _never(self, job: Job) -> bool:
        return job.part is not None and any(each.startswith(HALVED) for each in job.only or ())


def on(kind: type[MockEngine], work: GradePlan, engine: MockEngine) -> tuple[GradePlan, MockEngine]:
    """A plan on another kind of engine."""
    other = kind(engine._answer, checks=engine.collected.checks, environment=engine.environment, capacity=2)
    return replace(work, engine=other), other


def test_a_part_that_cannot_be_started_cancels_those_before_it(root: Path) -> None:
    work, engine = on(Refusing, *planned(root, slow))
    report = run(work, [].append)
    assert len(engine.forgotten) == 1 and len(judged(engine)) == 3
    assert only_grade(report).points == only_grade(graded(root, slow, places=1)[1]).points


def test_a_part_that_never_ends_loses_the_submission(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work, engine = on(Slow, *planned(root, slow))
    monkeypatch.setattr("gradetape.grading.driver._SLACK_S", -1e6)
    report = run(work, [].append)
    assert len(engine.forgotten) == 1 and engine.renewals == 1
    assert only_grade(report).points == only_grade(graded(root, slow, places=1)[1]).points


class Whole(MockEngine):
    """Judges several submissions at the same time, each by one job."""

    @property
    def parts(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("kind", "isolation", "expected"),
    [(MockEngine, "none", [2]), (MockEngine, "container", [1]), (Whole, "none", [1])],
)
def test_nothing_is_started_for_parts_where_there_are_none(
    root: Path, kind: type[MockEngine], isolation: str, expected: list[int]
) -> None:
    work, engine = on(kind, *planned(root, slow))
    engine.environment = msgspec.structs.replace(engine.environment, isolation=isolation)
    announced: list[int] = []
    engine.expect = announced.append  # type: ignore[method-assign]
    run(work, [].append)
    assert announced == expected


def test_what_takes_no_time_is_one_job(root: Path) -> None:
    engine, _, _ = graded(root, passed)
    assert [job.part for job in judged(engine)] == [None]


# The whole: what real jobs say side by side

SHARED = """
import os, time
FILE = {file!r}
def read(): return open(FILE).read() if os.path.exists(FILE) else 'nothing'
print('kept:', read())
# %%
def double(x):
    with open(FILE, 'a') as file:
        file.write(str(x) + ' ')
    raise ValueError(read())
# %%
def halve(x):
    time.sleep({pause})
    raise ValueError('other part: ' + read())
"""
INPUT = "the-hidden-input"


@pytest.fixture(scope="module")
def gradable(tmp_path_factory: pytest.TempPathFactory) -> GradableAssignment:
    root = tiny(tmp_path_factory.mktemp("parts") / "course")
    edit(root, f"autograder/tiny/test_{DOUBLED}.py", "float(rng.normal())", repr(INPUT))
    return GradableAssignment.open(courses.find(root), "tiny")


@pytest.fixture(scope="module")
def engine(gradable: GradableAssignment) -> Iterator[LocalEngine]:
    """Without isolation, so that the parts can meet in a file."""
    slots = Slots.of(gradable.course.config, workers=2, isolation="none", secret=gradable.secret_folders)
    with LocalEngine(gradable.bundle(), slots, root=gradable.course.root) as engine:
        yield engine


def part_jobs(engine: LocalEngine, gradable: GradableAssignment, source: str, name: str) -> list[Job]:
    cells = tuple(Cell(source=part) for part in source.split("# %%"))
    ids = [each.id for each in engine.collected.checks]
    chosen = [tuple(each for each in ids if each.startswith(question)) for question in (DOUBLED, HALVED)]
    limits, part = gradable.course.config.limits.record(), Part(submission=name, count=2)
    return [gradable.job(cells, limits, only=only, part=part) for only in chosen]


def ended(engine: LocalEngine, numbers: Sequence[int], seconds: float = 120.0) -> list[Outcome | Lost]:
    found: dict[int, Outcome | Lost] = {}
    until = time.monotonic() + seconds
    while len(found) < len(numbers) and time.monotonic() < until:
        found |= dict(engine.wait(1.0))
    return [found[number] for number in numbers]


def test_no_part_tells_its_student_what_another_has_seen_in_a_hidden_check(
    engine: LocalEngine, gradable: GradableAssignment, tmp_path: Path
) -> None:
    source = SHARED.format(file=str(tmp_path / "kept"), pause=2.0)
    numbers = [engine.submit(job) for job in part_jobs(engine, gradable, source, "a")]
    outcome = together(ended(engine, numbers))
    assert isinstance(outcome, Outcome)
    assert INPUT in (tmp_path / "kept").read_text(), "the hidden check has run"
    messages = "\n".join(each.message for each in outcome.results)
    assert "other part: " in messages and INPUT not in messages
    assert [each.text for each in outcome.events] == ["kept: nothing\n"]


def test_a_part_goes_on_when_the_other_is_cancelled(
    engine: LocalEngine, gradable: GradableAssignment, tmp_path: Path
) -> None:
    source = SHARED.format(file=str(tmp_path / "kept"), pause=60.0)
    first, second = [engine.submit(job) for job in part_jobs(engine, gradable, source, "b")]
    time.sleep(1.0)
    engine.forget(second)
    [outcome] = ended(engine, [first])
    assert isinstance(outcome, Outcome) and len(outcome.results) == 2


def test_a_part_that_is_lost_before_its_hidden_checks_says_what_it_had_said(
    engine: LocalEngine, gradable: GradableAssignment, tmp_path: Path
) -> None:
    job, _ = part_jobs(engine, gradable, SHARED.format(file=str(tmp_path / "kept"), pause=0.0), "d")
    number = engine.submit(job)
    running = engine._running[number]
    while not running.results:
        engine.wait(1.0)
    lost = running.lost("gone")
    engine.forget(number)
    assert lost.said is None and lost.said_before is not None
    assert [each.text for each in lost.said_before.events] == ["kept: nothing\n"]
    assert [each.check.public for each in lost.said_before.results] == [True]


def test_the_cells_of_a_part_without_public_checks_run_before_any_hidden_check(
    engine: LocalEngine, gradable: GradableAssignment, tmp_path: Path
) -> None:
    source = SHARED.format(file=str(tmp_path / "kept"), pause=0.0)
    first, second = part_jobs(engine, gradable, source, "c")
    hidden = tuple(check for check in second.only or () if "::hidden::" in check)
    jobs = [first, msgspec.structs.replace(second, only=hidden)]
    found = ended(engine, [engine.submit(job) for job in jobs])
    assert INPUT in (tmp_path / "kept").read_text()
    texts = [each.text for outcome in found if isinstance(outcome, Outcome) for each in outcome.events]
    assert len(texts) == 2  # a part may have seen inputs of the other's public checks, which all may know
    assert all(text.startswith("kept: ") and INPUT not in text for text in texts)


def test_what_is_known_of_parts_is_forgotten_when_all_have_ended() -> None:
    job = Job(cells=(), reference=(), seed="", limits=Limits())
    first, second, other = (
        RunJob(number=number, zygote="", slot=Slot(), job=msgspec.structs.replace(job, part=part))
        for number, part in enumerate([Part(submission="a", count=2)] * 2 + [None])
    )
    parts = SilentParts()
    assert parts.silence(other) and parts.end(other)
    assert [parts.silence(first), parts.silence(first), parts.silence(second)] == [False, False, True]
    assert [parts.end(first), parts.silence(first), parts.end(second)] == [True, True, True]
    assert vars(parts) == vars(SilentParts())
    assert [parts.end(second), parts.end(first)] == [False, True]


def test_what_is_known_of_a_part_is_forgotten_when_it_is_cancelled_and_no_other_runs() -> None:
    job = Job(cells=(), reference=(), seed="", limits=Limits())
    first, second = (
        RunJob(
            number=number, zygote="", slot=Slot(), job=msgspec.structs.replace(job, part=Part(submission="a", count=2))
        )
        for number in range(2)
    )
    parts = SilentParts()
    parts.end(first)
    parts.drop(0, [second])
    assert parts.end(second), "the one that runs knows of the one that has ended"
    parts.end(first)
    parts.drop(1, [])
    assert vars(parts) != vars(SilentParts()), "it may have ended before the second was started"
    parts.drop(0, [])
    assert vars(parts) == vars(SilentParts())


def test_the_judge_forgets_a_cancelled_part_without_another_one() -> None:
    ours, theirs = socket.socketpair()
    job = Job(cells=(), reference=(), seed="", limits=Limits(), part=Part(submission="a", count=2))
    with ours, closing(QueueingChannel(theirs)) as channel, subprocess.Popen(["sleep", "60"]) as sleeping:
        server = Server(channel, Judge(), {})
        request = RunJob(number=1, zygote="", slot=Slot(), job=job)
        forked, child_end = socket.socketpair()
        child_end.close()
        child = JudgeProcess(request, [], sleeping.pid, MessageChannel(forked), 0.0, Transcript())
        server._children[child.pid] = child
        server._selector.register(child.channel, selectors.EVENT_READ, child)
        server._cancel(1)
        server._receive(child)
        server._selector.close()
    assert vars(server._parts) == vars(SilentParts())


# It ends its process in a public check, raises in a cell, prints, and answers wrongly where it is told its own number.
MEETS = (
    "import os\nprint('hello')\nPARTS = sum(name.isdigit() for name in os.listdir('/proc'))",
    "def double(x):\n    if x == 2:\n        os._exit(3)\n    return x + x",
    HALVE,
    "raise ValueError('wrong')",
)


@pytest.mark.parametrize("cells", [MEETS], ids=["a submission that ends its process"])
def test_a_grade_of_parts_is_that_of_one_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: tuple[str, ...]
) -> None:
    root = write_files(tiny(tmp_path / "course"), {"ada.ipynb": notebook(*cells)})
    known = ReferenceTimes(cells=0.0, questions={DOUBLED: 2.0, HALVED: 2.0})
    monkeypatch.setattr("gradetape.grading.reference_proof.ReferenceTimes.of", lambda results: known)
    counted: list[Job] = []
    submit = LocalEngine.submit
    monkeypatch.setattr(LocalEngine, "submit", lambda self, job: (counted.append(job), submit(self, job))[1])
    found = [_told(root, workers) for workers in ("1", "2")]
    assert [job.part is not None for job in counted if not job.trusted] == [False, True, True]
    assert found[0] == found[1]


def _told(root: Path, workers: str) -> Any:
    done = called(root, "grade", "ada.ipynb", "--workers", workers, "--out", f"out{workers}", "--json")
    return _without_times(json.loads(done.stdout)["submissions"])


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(each) for key, each in value.items() if key not in ("seconds", "created")}
    return [_without_times(each) for each in value] if isinstance(value, list) else value
