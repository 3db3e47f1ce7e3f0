"""A failure of the grader's machinery is reported with the next step, is not a zero for a student, and is not stored as
done."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import MockEngine
from gradetape.errors import InfrastructureError, SandboxError, ZygoteError
from gradetape.gradebook import Gradebook
from gradetape.grading.builder import GradeBuilder
from gradetape.grading.driver import Driver
from gradetape.grading.events import Event, SubmissionBegan, SubmissionGraded, SubmissionLost, SubmissionRetried
from gradetape.grading.rubric import Rubric
from gradetape.grading.shared_gradebook import SharedGradebook
from gradetape.records import CellEvent, CollectedChecks, Limits, Lost, Outcome, Said, Status
from gradetape.remote.budget import CheckBudget
from gradetape.remote.roles import STUDENT
from gradetape.remote.session import RemoteSession
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime.pool import Pool
from gradetape.runtime.slots import Slots
from gradetape.sandbox.base import STUDENT_UIDS, Uids
from gradetape.wire.messages import Exit, Ready
from gradetape.worker.zygote import Policy
from tests.books import done_keys
from tests.course import DOUBLE, HALVE, called, tiny
from tests.factories import a_tiny_grade
from tests.submissions import script

ODD = Path(__file__).with_name("verdicts") / "odd_zygote.py"
READY = Ready(1, ("namespaces",))


@pytest.fixture
def course(tmp_path: Path) -> Path:
    root = tiny(tmp_path / "course")
    (root / "ada.py").write_text(f"{DOUBLE}\n{HALVE}\n")
    return root


# A zygote that says something else than it should


@contextmanager
def a_zygote(*news: Ready | Exit | str) -> Iterator[Path]:
    """The socket of one that lets go of the first worker's end at once, and says this."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(f"{folder}/zygote")
        listener.listen()
        thread = Thread(target=_serve, args=(listener, news))
        thread.start()
        yield Path(folder, "zygote")
        thread.join()


def _serve(listener: socket.socket, news: tuple[Ready | Exit | str, ...]) -> None:
    connection, _ = listener.accept()
    with connection:
        for descriptor in socket.recv_fds(connection, 1 << 16, 4)[1]:
            os.close(descriptor)
        for each in news:
            connection.send(each.encode() if isinstance(each, str) else msgspec.json.encode(each))
        while connection.recv(1 << 16):
            pass


@pytest.mark.parametrize(
    ("news", "kind", "words"),
    [
        (["no news"], ZygoteError, "the zygote sent a malformed message"),
        ([READY, Exit(1, 9)], SandboxError, "a worker ended before any cell was run: crashed: .* SIGKILL"),
        ([READY, Exit(1, 9, lost=True)], ZygoteError, "a worker's sandbox was ended from outside"),
    ],
)
def test_what_happens_to_a_worker_before_its_first_cell_is_the_machinerys_fault(
    news: list[Ready | Exit | str], kind: type[InfrastructureError], words: str
) -> None:
    budget = CheckBudget()
    budget.begin(30)
    with a_zygote(*news) as path, closing(ZygoteClient(path)) as control:
        session = RemoteSession(control, STUDENT, (), Limits(), budget)
        with pytest.raises(kind, match=words):
            session.ready()
        assert isinstance(budget.broken, kind)


def test_a_worker_that_is_not_sandboxed_in_time_is_reported_with_the_limit() -> None:
    words = r"a worker was not sandboxed within 0\.1 s\. If the machine is busy, use fewer --workers"
    with a_zygote() as path, closing(ZygoteClient(path)) as control, pytest.raises(SandboxError, match=words):
        control.spawn("student", 0.1)


def test_a_worker_that_does_not_end_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_zygote(READY) as path, closing(ZygoteClient(path)) as control:
        number, data, _ = control.spawn("student", 30)
        data.close()
        monkeypatch.setattr("gradetape.remote.zygote_client._END_S", 0.1)
        with pytest.raises(ZygoteError, match="the zygote did not end a worker within "):
            control.end(number)


# A case that is lost with the whole machinery


class NoZygote:
    """Stands in a zygote's place, and is at home nowhere."""

    path = Path("/nowhere/zygote")

    def wait_ready(self) -> None:
        """At once."""

    def ended(self, patience_s: float) -> bool:
        return False

    def close(self) -> None:
        """There is nothing to end."""


@pytest.fixture
def no_zygote(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(slots: Slots) -> Pool:
        return Pool(slots.slots, lambda _: NoZygote(), shared=True)  # type: ignore[arg-type,return-value]

    monkeypatch.setattr(Slots, "open", opened)


@pytest.mark.usefixtures("no_zygote")
@pytest.mark.parametrize(
    ("check", "line", "words"),
    [
        ("", "grade ada.py --assignment tiny", "the job was lost: the zygote does not answer at /nowhere/zygote"),
        ("", "verify tiny --workers 1", "adversary liar was lost: the zygote does not answer at /nowhere/zygote"),
        ("after_in_child", "grade ada.py --assignment tiny", "the job was lost: the judge died before any check"),
        ("before", "grade ada.py --assignment tiny", "the job was lost: the judge has ended"),
    ],
)
def test_a_lost_job_is_reported_with_the_command_that_checks_the_machine(
    course: Path, check: str, line: str, words: str
) -> None:
    path = course / "autograder" / "tiny" / "test_q02_halve.py"
    text = f"import os\nos.register_at_fork({check}=lambda: os._exit(3))\n" if check else ""
    path.write_text(text + path.read_text())
    run = called(course, *line.split())
    assert (run.returncode, run.stdout) == (1, "")
    assert words in run.stderr and "Traceback" not in run.stderr
    assert "To check this machine, run gradetape doctor" in run.stderr


# A submission that an engine loses, twice


class Silent(MockEngine):
    """An engine that never reports anything."""

    def wait(self, timeout_s: float) -> list[tuple[int, Outcome | Lost]]:
        return []


SAID = Said(events=(CellEvent(cell=0, kind="output", text="hello"),), results=a_tiny_grade("ada").results[:1])


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (Lost(reason="the zygote has ended"), None),
        (Lost(reason="the zygote has ended", said=SAID), SAID),
        (Outcome(results=SAID.results, events=SAID.events), SAID),
        (None, Said()),
    ],
    ids=["lost before a hidden check", "lost after one", "a fault", "no answer"],
)
def test_what_is_judged_again_comes_with_what_it_said_before(
    course: Path, monkeypatch: pytest.MonkeyPatch, first: Outcome | Lost | None, said: Said | None
) -> None:
    """Its code has seen hidden inputs by then: its student reads nothing that it says the second time."""
    engine = Silent(lambda _: Outcome(results=())) if first is None else MockEngine(lambda _: first)
    if first is None:
        monkeypatch.setattr("gradetape.grading.driver._SLACK_S", -1e6)
    gradable = GradableAssignment.open(courses.find(course), "tiny")
    rubric = Rubric.of(gradable, CollectedChecks(checks=tuple(each.check for each in a_tiny_grade("ada").results)))
    builder = GradeBuilder(gradable, engine.environment)
    with Gradebook.open(course / "gradebook.sqlite") as book:
        shared = SharedGradebook(book, "tiny", book.grader(), [].append, again=False)
        Driver(gradable, engine, rubric, builder, shared, [].append).run([script("ada", DOUBLE, assignment="tiny")])
    assert [job.said for job in engine.jobs] == [None, said]


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (Lost(reason="the zygote has ended"), "failed twice, the second time after a restart: the zygote has ended"),
        (None, "failed twice, the second time after a restart: the engine gave no answer in time"),
        (Outcome(results=()), "q01_double::public::test_two: the judge gave no result for this check"),
    ],
)
def test_what_an_engine_loses_twice_needs_attention_and_is_not_done(
    course: Path, monkeypatch: pytest.MonkeyPatch, end: Outcome | Lost | None, words: str
) -> None:
    monkeypatch.setattr("gradetape.grading.driver._SLACK_S", -1e6)
    gradable = GradableAssignment.open(courses.find(course), "tiny")
    checks = tuple(each.check for each in a_tiny_grade("ada").results)
    engine = Silent(lambda _: Outcome(results=())) if end is None else MockEngine(lambda _: end)
    rubric = Rubric.of(gradable, CollectedChecks(checks=checks))
    builder = GradeBuilder(gradable, engine.environment)
    submission = script("ada", DOUBLE, assignment="tiny")
    events: list[Event] = []
    with Gradebook.open(course / "gradebook.sqlite") as book:
        shared = SharedGradebook(book, "tiny", book.grader(), events.append, again=False)
        (grade,) = Driver(gradable, engine, rubric, builder, shared, events.append).run([submission])
        assert grade.key not in done_keys(book, "tiny")
    assert engine.renewals == 1 and len(engine.jobs) == 2
    lost = [SubmissionLost] if end is None or isinstance(end, Lost) else []
    assert [type(event) for event in events] == [
        SubmissionBegan, SubmissionRetried, SubmissionBegan, *lost, SubmissionGraded
    ]  # fmt: skip
    assert grade.status is Status.NEEDS_ATTENTION
    assert words in "\n".join(grade.attention)


# Isolation layers that cannot be set up


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        ("ending", "a worker ended before its sandbox was complete. Does it have enough memory (limits.memory_mb)?"),
        (
            "loose",
            "a daemon outlived its worker. Grading in such a sandbox is refused: use another machine, or --isolation",
        ),
        ("computed", "its forks would deadlock. Install the TensorFlow that gradetape asks for: pip install"),
        (
            "privileged",
            "but code inside can gain privileges: no_new_privs does not hold. Grading in such a sandbox",
        ),
        ("ordinary", "Landlock isolates signals from version 6 (Linux 6.12). Grade as root, or use --isolation"),
    ],
)
def test_a_zygote_on_an_odd_machine_refuses_and_says_what_to_do(tmp_path: Path, odd: str, words: str) -> None:
    _refused(tmp_path, odd, words)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to keep")
@pytest.mark.parametrize(
    ("odd", "words"),
    [
        ("capable", "the sandbox is set up, but code inside has capabilities. Grading in such a sandbox is refused"),
        ("reachable", "the network can be reached inside: its namespace does not hold. Grading in such"),
    ],
)
def test_a_zygote_of_root_whose_sandbox_leaks_refuses_and_says_what_to_do(tmp_path: Path, odd: str, words: str) -> None:
    _refused(tmp_path, odd, words)


def _refused(tmp_path: Path, odd: str, words: str) -> None:
    policy = msgspec.json.encode(
        Policy(socket=str(tmp_path / "z"), isolation="none", limits=Limits(), secret=())
    ).decode()
    run = subprocess.run(
        [sys.executable, str(ODD), odd], input=f"{policy}\n", capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 1, run.stderr
    assert run.stdout.startswith("broken ") and words in run.stdout


def test_more_workers_than_uids_are_refused_with_the_option_for_fewer() -> None:
    with pytest.raises(SandboxError, match=r"no uid is left: 1400 workers are running\. Use fewer: --workers N"):
        Uids().take(STUDENT_UIDS)
