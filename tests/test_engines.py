"""The contract of engines: whole batches through a mock, through one in another process, and from an open stream."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from gradetape.course import assignments as courses
from gradetape.course.config import Config
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine, EngineOptions, Finished, LocalEngine, MockEngine, judge, open_engine
from gradetape.engine.factory import ENGINES
from gradetape.errors import CourseError, InfrastructureError
from gradetape.gradebook import Gradebook
from gradetape.grading.batch import Batch, BatchGrader
from gradetape.grading.events import (
    BatchBegan,
    Event,
    SubmissionBegan,
    SubmissionGraded,
    SubmissionKnown,
    SubmissionReplaced,
    SubmissionRetried,
)
from gradetape.grading.request import GradeRequest, plan
from gradetape.grading.run import run
from gradetape.records import Grade, Job, Limits, Lost, Outcome, Slot, Status, Submission, Verdict
from gradetape.runtime.slots import Slots
from gradetape.verify import verify
from tests.course import DOUBLE, called, tiny
from tests.engines.elsewhere import Elsewhere
from tests.engines.passing import CHECKS, RIGHT, all_pass, always
from tests.submissions import script

WRONG = f"{DOUBLE}\ndef halve(x):\n    return x\n"


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


def submissions(*names: str) -> list[Submission]:
    return [script(name, f"{RIGHT}# {name}\n", assignment="tiny") for name in names]


CONTRACT = {name for name in vars(Engine) if not name.startswith("_")} | {"__enter__", "__exit__"}


@pytest.mark.parametrize("kind", [LocalEngine, MockEngine, Elsewhere])
def test_every_engine_has_the_whole_contract(kind: type) -> None:
    attributes = set(vars(MockEngine(all_pass))) if kind is MockEngine else set()
    assert {name for name in CONTRACT if not hasattr(kind, name) and name not in attributes} == set()
    for name in CONTRACT - {"__exit__"} - attributes:
        if callable(wanted := getattr(Engine, name)):
            assert (
                inspect.signature(getattr(kind, name)).parameters.keys() == inspect.signature(wanted).parameters.keys()
            )


def test_the_configuration_allows_exactly_the_engines_that_there_are() -> None:
    assert set(typing.get_args(Config.model_fields["engine"].annotation)) == set(ENGINES)


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
    assert again.jobs == [] and [type(event) for event in events] == [SubmissionKnown, SubmissionKnown, BatchBegan]
    assert events[-1] == BatchBegan(2, 2)
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
        broken = engine.collected.broken
    assert list(broken) == ["autograder/tiny/test_q02_halve.py"]
    assert broken["autograder/tiny/test_q02_halve.py"].startswith("autograder/tiny/test_q02_halve.py, line 1: ")
    assert not any("/" in text.split("autograder")[0] for text in broken.values())


def test_a_bundle_cannot_lead_out_of_its_folder(gradable: GradableAssignment, tmp_path: Path) -> None:
    slots = Slots(slots=(Slot(),), isolation="none", limits=Limits(), keras="3", secret=())
    bundle = gradable.bundle()
    for name in (
        "../../escaped.txt",
        str(tmp_path / "escaped.txt"),
        "autograder/../../tiny/test_q.py",
        "grader_config.yml",
    ):
        odd = msgspec.structs.replace(bundle, files={**bundle.files, name: b"x"})
        with (
            LocalEngine(odd, slots) as engine,
            pytest.raises(InfrastructureError, match="which is not the path of a check file"),
        ):
            engine.submit(gradable.job(gradable.reference, Limits()))


def test_an_engine_with_a_bundle_starts_anew_as_often_as_it_must(gradable: GradableAssignment) -> None:
    slots = Slots(slots=(Slot(),), isolation="namespaces", limits=Limits(), keras="3", secret=())
    job = gradable.job(gradable.reference, Limits(), trusted=True)
    with LocalEngine(gradable.bundle(), slots) as engine:
        for _ in range(2):
            assert all(result.verdict is Verdict.PASSED for result in judge(engine, job).results)
            engine.renew()


def test_changed_checks_are_collected_again_while_the_workers_stay_warm(gradable: GradableAssignment) -> None:
    slots = Slots(slots=(Slot(),), isolation="namespaces", limits=Limits(), keras="3", secret=())
    job = gradable.job(gradable.reference, Limits(), trusted=True)
    hidden = gradable.answer_key.hidden_checks("q02_halve")
    for root in (gradable.course.root, None):
        with LocalEngine(gradable.bundle(), slots, root=root) as engine:
            assert all(result.verdict is Verdict.PASSED for result in judge(engine, job).results)
            before = hidden.read_text()
            hidden.write_text(before.replace("def test_", "def test_new_"))
            engine.recollect(gradable.bundle())
            assert "test_new_odd_number" in [check.name for check in engine.collected.checks]
            names = {result.check.name for result in judge(engine, job).results}
            assert {"test_new_odd_number", "test_four"} <= names
            hidden.write_text(before)


def test_an_engine_judges_nobody_with_checks_that_have_changed_since_it_was_opened(
    gradable: GradableAssignment,
) -> None:
    slots = Slots(slots=(Slot(),), isolation="none", limits=Limits(), keras="3", secret=())
    hidden = gradable.answer_key.hidden_checks("q02_halve")
    with LocalEngine(gradable.bundle(), slots, root=gradable.course.root) as engine:
        engine.expect(0)
        assert engine.collected.checks
        hidden.write_text(f"{hidden.read_text()}\n\nMORE = 1\n")
        engine.renew()
        for _ in range(2):
            with pytest.raises(CourseError, match=r"had read it: autograder/tiny/test_q02_halve\.py"):
                _ = engine.collected
        engine.recollect(gradable.bundle())
        assert engine.collected.checks


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


class Waiting(MockEngine):
    """An engine whose `wait` never returns without an answer, as one that blocks would not."""

    def wait(self, timeout_s: float) -> list[Finished]:
        found = super().wait(timeout_s)
        assert found, "nobody waits where nothing is in progress"
        return found


@pytest.mark.parametrize("names", [("ada",), ("ada", "bob", "eve")])
def test_a_batch_does_not_wait_where_nothing_is_in_progress(
    gradable: GradableAssignment, names: tuple[str, ...]
) -> None:
    batch = batch_of(gradable, Waiting(all_pass, checks=CHECKS), [], lambda grader: grader.run(submissions(*names)))
    assert len(batch.grades) == len(names)


def test_of_two_submissions_of_a_student_in_a_stream_the_newer_counts(gradable: GradableAssignment) -> None:
    """The first one is lost; when its second turn would come, a newer one is there."""
    old, new = (script("ada", f"{RIGHT}# {version}\n", assignment="tiny") for version in (1, 2))
    events: list[Event] = []

    def lost_at_first(job: Job) -> Outcome | Lost:
        return Lost(reason="the node has ended") if "# 1" in job.cells[-1].source else all_pass(job)

    def arriving() -> Iterator[Submission | None]:
        yield old
        while not any(isinstance(event, SubmissionRetried) for event in events):
            yield None
        yield new

    engine = MockEngine(lost_at_first, checks=CHECKS, capacity=2)
    batch_of(gradable, engine, events, lambda grader: grader.run(arriving()))
    assert SubmissionReplaced("ada") in events
    with Gradebook.open(gradable.course.root / "gradebook.sqlite") as book:
        assert [grade.sha256 for grade in book.latest("tiny")] == [new.sha256]


def test_a_submission_that_is_judged_again_alone_waits_for_a_free_place(
    gradable: GradableAssignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Returning(MockEngine):
        """One that has no place for a while after it was restarted."""

        left = 0

        def renew(self) -> None:
            super().renew()
            self.left = 5

        def capacity(self) -> int:
            self.left -= 1
            return 0 if self.left > 0 else 1

        def submit(self, job: Job) -> int:
            assert self.left <= 0, "no place is free"
            return super().submit(job)

    def lost_at_first(job: Job) -> Outcome | Lost:
        return all_pass(job) if job.trusted or engine.renewals else Lost(reason="the node has ended")

    monkeypatch.setattr("gradetape.grading.driver._LOOK_AGAIN_S", 0.0)
    engine = Returning(lost_at_first, checks=CHECKS)
    batch = batch_of(gradable, engine, [], lambda grader: grader.run(submissions("ada")))
    assert [grade.status for grade in batch.grades] == [Status.GRADED]


def test_nothing_is_started_before_something_arrives(
    gradable: GradableAssignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradetape.grading.batch._LOOK_AGAIN_S", 0.0)
    engine = MockEngine(all_pass, checks=CHECKS)
    seen: list[int] = []

    def arriving() -> Iterator[Submission | None]:
        yield None
        seen.append(len(engine.jobs))
        yield None

    batch = batch_of(gradable, engine, [], lambda grader: grader.run(arriving()))
    assert seen == [0] and engine.jobs == [] and batch.grades == []


def test_an_engine_that_cannot_start_a_job_is_asked_three_times(gradable: GradableAssignment) -> None:
    class Refusing(MockEngine):
        def submit(self, job: Job) -> int:
            if not job.trusted:
                asked.append(job)
                raise InfrastructureError("no node is left")
            return super().submit(job)

    asked: list[Job] = []
    with pytest.raises(InfrastructureError, match="no node is left"):
        batch_of(gradable, Refusing(all_pass, checks=CHECKS), [], lambda grader: grader.run(submissions("ada")))
    assert len(asked) == 3


def test_an_empty_question_is_refused(gradable: GradableAssignment, answers: Path) -> None:
    """A variable that is not set must not grade the whole assignment."""
    for verb in (("grade", "in", "--assignment", "tiny"), ("verify", "tiny")):
        run_ = called(gradable.course.root, *verb, "--question", "")
        assert run_.returncode == 2 and "there is no question" in run_.stderr.lower()


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


@pytest.mark.parametrize("out", ["/tmp", "/", "."])
def test_results_may_go_to_a_folder_above_what_workers_can_read(
    gradable: GradableAssignment, answers: Path, out: str
) -> None:
    """Such a folder may hold the interpreter, but nothing else in it can be read."""
    request = GradeRequest(paths=(answers,), assignment="tiny", out=Path(out))
    assert plan(gradable.course, request).engine.environment.isolation == "namespaces"


def test_a_library_that_puts_its_folder_first_among_those_of_modules_changes_nothing(
    gradable: GradableAssignment, answers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(answers.parent / "library")
    request = GradeRequest(paths=(answers,), assignment="tiny", out=Path("."))
    assert plan(gradable.course, request).engine.environment.isolation == "namespaces"


def test_the_folder_that_python_runs_in_is_not_taken_for_one_of_a_workers(
    gradable: GradableAssignment, answers: Path
) -> None:
    """`python -m` puts it first among the folders of modules, and PYTHONPATH others; a zygote has neither."""
    line = [sys.executable, "-m", "gradetape", "grade", "in", "--assignment", "tiny", "--device", "gpu"]
    environment = os.environ | {"PYTHONPATH": str(answers)}
    run_ = subprocess.run(line, cwd=gradable.course.root, env=environment, capture_output=True, text=True, check=False)
    assert "students' code can read" not in run_.stderr and "finds no GPU" in run_.stderr
