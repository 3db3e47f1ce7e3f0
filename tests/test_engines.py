"""The contract of engines: whole batches through a mock, through one in another process, and from an open stream."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine, EngineOptions, LocalEngine, MockEngine, OpenEngine, judge, open_engine
from gradetape.errors import InfrastructureError
from gradetape.gradebook import Gradebook
from gradetape.grading.batch import Batch, BatchGrader
from gradetape.grading.events import BatchBegan, Event, SubmissionBegan, SubmissionGraded
from gradetape.grading.request import GradeRequest, plan
from gradetape.grading.run import run
from gradetape.records import Check, CheckResult, Grade, Job, Limits, Lost, Outcome, Status, Submission, Verdict
from gradetape.verify import verify
from tests.course import DOUBLE, HALVE, called, tiny
from tests.engines.elsewhere import Elsewhere
from tests.submissions import script

RIGHT, WRONG = f"{DOUBLE}\n{HALVE}\n", f"{DOUBLE}\ndef halve(x):\n    return x\n"


@pytest.fixture
def gradable(tmp_path: Path) -> GradableAssignment:
    return GradableAssignment.open(courses.find(tiny(tmp_path / "course")), "tiny")


@pytest.fixture
def answers(gradable: GradableAssignment) -> Path:
    folder = gradable.course.root / "in"
    folder.mkdir()
    (folder / "ada.py").write_text(RIGHT)
    (folder / "bob.py").write_text(WRONG)
    return folder


CHECKS = (
    Check(question="q01_double", name="test_two", public=True, title="Two.", hint="", points=3),
    Check(question="q02_halve", name="test_four", public=False, title="Four.", hint="", points=2),
)


def all_pass(job: Job) -> Outcome:
    """Each check that the job asks for passes."""
    wanted = [check for check in CHECKS if job.only is None or check.id in job.only]
    return Outcome(
        results=tuple(CheckResult(check=each, verdict=Verdict.PASSED, points=each.points, seconds=0) for each in wanted)
    )


def submissions(*names: str) -> list[Submission]:
    return [script(name, RIGHT, assignment="tiny") for name in names]


def always(engine: Engine) -> OpenEngine:
    return lambda gradable, options: engine


@pytest.mark.parametrize("kind", [LocalEngine, MockEngine, Elsewhere])
def test_every_engine_has_the_whole_contract(kind: type) -> None:
    contract = {name for name in vars(Engine) if not name.startswith("_")} | {"__enter__", "__exit__"}
    own = {*vars(kind), *inspect.signature(MockEngine.__init__).parameters} | {"collected", "environment"}
    assert contract <= own
    for name in contract & set(vars(kind)):
        if callable(getattr(kind, name)) and name != "__exit__":
            assert list(inspect.signature(getattr(kind, name)).parameters) == list(
                inspect.signature(getattr(Engine, name)).parameters
            )


def test_a_batch_is_graded_by_whatever_engine_the_factory_gives(gradable: GradableAssignment, answers: Path) -> None:
    engine, events = MockEngine(all_pass, checks=CHECKS, capacity=2), list[Event]()
    report = run(
        plan(gradable.course, GradeRequest(paths=(answers,), assignment="tiny"), always(engine)), events.append
    )
    assert {grade.student: grade.points for grade in report.batch.grades} == {"ada": 5, "bob": 5}
    reference, *jobs = engine.jobs
    assert reference.trusted and [job.cells[0].source for job in jobs] == [RIGHT, WRONG]
    assert [type(event) for event in events].count(SubmissionBegan) == 2
    assert report.index.is_file() and not report.needs_attention


def test_nothing_is_asked_of_an_engine_where_everything_is_graded(gradable: GradableAssignment, answers: Path) -> None:
    request = GradeRequest(paths=(answers,), assignment="tiny")
    run(plan(gradable.course, request, always(MockEngine(all_pass, checks=CHECKS))), lambda _: None)
    again, events = MockEngine(all_pass, checks=CHECKS), list[Event]()
    report = run(plan(gradable.course, request, always(again)), events.append)
    assert again.jobs == [] and events == [BatchBegan(2, 2)]
    assert (report.batch.fresh, len(report.batch.grades)) == (0, 2)


def test_what_a_mock_is_given_is_what_another_machine_would_get(gradable: GradableAssignment) -> None:
    job = gradable.job(gradable.reference, Limits())
    engine = MockEngine(lambda job: Lost(reason="no room"))
    with pytest.raises(InfrastructureError, match="the job was lost: no room"):
        judge(engine, job)
    assert engine.jobs == [job] and engine.jobs[0] is not job


def test_a_whole_batch_is_graded_in_another_process_that_gets_only_bytes(
    gradable: GradableAssignment, answers: Path, tmp_path: Path
) -> None:
    """The other process works in an empty folder, and the course's is out of its reach while it starts."""
    (tmp_path / "empty").mkdir()
    request = GradeRequest(paths=(answers,), assignment="tiny", out=tmp_path / "elsewhere")
    here = GradeRequest(paths=(answers,), assignment="tiny", out=tmp_path / "here")
    away = run(plan(gradable.course, request, always(Elsewhere(gradable.bundle(), tmp_path / "empty"))), lambda _: None)
    near = run(plan(gradable.course, here), lambda _: None)
    assert [verdicts(grade) for grade in away.batch.grades] == [verdicts(grade) for grade in near.batch.grades]
    assert [grade.points for grade in away.batch.grades] == [5, 3]
    assert all(grade.status is Status.GRADED for grade in away.batch.grades)


def verdicts(grade: Grade) -> tuple[str, list[tuple[str, str, float, str]]]:
    found = [(each.check.id, each.verdict.value, each.points, each.message) for each in grade.results]
    return grade.student, found


def test_another_process_reports_a_broken_check_file_by_its_path_in_the_course(
    gradable: GradableAssignment, tmp_path: Path
) -> None:
    gradable.answer_key.hidden_checks("q02_halve").write_text("import tensorflow\n")
    with Elsewhere(gradable.bundle(), tmp_path) as engine:
        assert list(engine.collected.broken) == ["autograder/tiny/test_q02_halve.py"]


def test_verify_gets_its_engine_from_the_factory(gradable: GradableAssignment) -> None:
    engine = MockEngine(all_pass, checks=CHECKS)
    asked: list[EngineOptions] = []

    def opened(_: GradableAssignment, options: EngineOptions) -> Engine:
        asked.append(options)
        return engine

    proof = verify(gradable, EngineOptions(workers=3), open_engine=opened)
    assert asked == [EngineOptions(workers=3)] and engine.jobs
    assert any(problem.startswith("no mutant fails ") for problem in proof.problems)


# An open stream


def test_a_stream_may_stay_open_and_what_arrives_is_graded_at_once(
    gradable: GradableAssignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradetape.grading.driver._LOOK_AGAIN_S", 0.01)
    events: list[Event] = []

    def arriving() -> Iterator[Submission | None]:
        for each in submissions("ada", "bob"):
            yield None
            yield each
            while each.student not in graded(events):
                yield None

    batch = batch_of(gradable, MockEngine(all_pass, checks=CHECKS), events, lambda grader: grader.run(arriving()))
    assert [grade.student for grade in batch.grades] == ["ada", "bob"] == graded(events)
    assert events[0] == BatchBegan(None, 0)


def test_what_the_gradebook_knows_is_not_judged_again_when_it_arrives(gradable: GradableAssignment) -> None:
    engine = MockEngine(all_pass, checks=CHECKS)
    events: list[Event] = []

    def both(grader: BatchGrader) -> Batch:
        grader.run(submissions("ada"))
        return grader.run(iter(submissions("ada", "bob")))

    batch = batch_of(gradable, engine, events, both)
    assert {grade.student for grade in batch.grades} == {"ada", "bob"} and batch.fresh == 1
    assert len([job for job in engine.jobs if not job.trusted]) == 2


def test_a_retry_in_an_open_stream_comes_when_there_is_nothing_else(gradable: GradableAssignment) -> None:
    tries: list[Job] = []

    def lost_once(job: Job) -> Outcome | Lost:
        if job.trusted:
            return all_pass(job)
        tries.append(job)
        return Lost(reason="the node is gone") if len(tries) == 1 else all_pass(job)

    engine = MockEngine(lost_once, checks=CHECKS)
    batch = batch_of(gradable, engine, [], lambda grader: grader.run(iter(submissions("ada", "bob"))))
    assert {grade.points for grade in batch.grades} == {5} and len(tries) == 3
    assert engine.renewals == 1


def batch_of(
    gradable: GradableAssignment, engine: Engine, events: list[Event], work: Callable[[BatchGrader], Batch]
) -> Batch:
    with Gradebook.open(gradable.course.root / "gradebook.sqlite") as book:
        return work(BatchGrader(gradable, engine, book, events.append))


def graded(events: list[Event]) -> list[str]:
    return [event.grade.student for event in events if isinstance(event, SubmissionGraded)]


# What the factory makes


def test_the_results_and_the_submissions_are_hidden_from_workers(gradable: GradableAssignment, answers: Path) -> None:
    seen: list[EngineOptions] = []

    def opened(_: GradableAssignment, options: EngineOptions) -> Engine:
        seen.append(options)
        return MockEngine(all_pass, checks=CHECKS)

    request = GradeRequest(paths=(answers,), assignment="tiny", out=gradable.course.root / "out")
    plan(gradable.course, request, opened)
    assert {gradable.course.root / "out", answers} <= set(seen[0].hidden)


def test_a_folder_that_students_code_can_read_is_refused_for_results(
    gradable: GradableAssignment, answers: Path
) -> None:
    """The interpreter's own folder is visible to every worker."""
    visible = Path(typing.__file__).parent
    run = called(gradable.course.root, "grade", "in", "--assignment", "tiny", "--out", visible / "results")
    assert run.returncode == 1
    assert f"{visible / 'results'} is inside " in run.stderr and "which students' code can read" in run.stderr


def test_an_engine_costs_nothing_until_it_is_used(gradable: GradableAssignment) -> None:
    with open_engine(gradable, EngineOptions(workers=2)) as engine:
        assert engine.environment.isolation == "namespaces" and "gradetape" in engine.environment.versions
        assert engine.capacity() == 2
        engine.expect(1)
        assert engine.capacity() == 1
