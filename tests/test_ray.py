"""The engine for Ray clusters, with a pretended cluster: nodes that differ, are lost, freeze, join and leave.

The server of a node is the real one, in its own process. `test_ray_cluster.py` has the real Ray.
"""

from __future__ import annotations

import asyncio
import errno
import os
import select
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gradetape import doctor
from gradetape.course import assignments as courses
from gradetape.course.config import Config
from gradetape.course.gradable import GradableAssignment
from gradetape.doctor import State
from gradetape.engine import Engine, EngineOptions, Finished, LocalEngine, judge
from gradetape.engine.own_code import own_code
from gradetape.engine.ray.messages import (
    CancelHere,
    Describe,
    EndedHere,
    KeepSecrets,
    NodeRefused,
    NodeReply,
    NodeReport,
    NodeRequest,
    Prepare,
    Renewed,
    RenewHere,
    RunHere,
    address_of,
    without_secrets,
)
from gradetape.engine.ray.node_actor import NodeActor, environment
from gradetape.engine.ray.node_server import NodeServer
from gradetape.engine.ray.opening import settings_of
from gradetape.engine.ray.ray_engine import RayEngine, RayPatience
from gradetape.errors import EngineError, InfrastructureError
from gradetape.gradebook import Gradebook
from gradetape.grading.batch import Batch, BatchGrader
from gradetape.grading.events import Event, Warned
from gradetape.records import CollectedChecks, Job, Limits, Lost, Outcome, Said, Status, Verdict
from gradetape.wire.message_channel import MessageChannel
from tests.course import called, tiny
from tests.engines.passing import CHECKS, RIGHT, all_pass
from tests.engines.pretended_cluster import HERE, PretendedCluster, PretendedNode
from tests.leftovers import until
from tests.submissions import script

OLDER = msgspec.structs.replace(HERE, versions={"python": "3.11.9"})
QUICK = RayPatience(start_s=0.5, prepare_s=0.5, ping_s=0.5, recent_s=0.2, pause_s=0.3, nodes_s=60.0)


@pytest.fixture
def gradable(tmp_path: Path) -> GradableAssignment:
    return GradableAssignment.open(courses.find(tiny(tmp_path / "course")), "tiny")


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes are pinged and looked for without delay."""
    for name in ("_PING_S", "_LOOK_S"):
        monkeypatch.setattr(f"gradetape.engine.ray.ray_engine.{name}", 0.02)


def engine_on(gradable: GradableAssignment, cluster: PretendedCluster, patience: RayPatience = QUICK) -> RayEngine:
    return RayEngine(gradable.bundle(), settings_of(gradable, EngineOptions()), lambda: cluster, patience)


def graded(gradable: GradableAssignment, engine: Engine, count: int) -> Batch:
    """A batch of so many different submissions."""
    submissions = [script(f"s{each}", f"{RIGHT}# {each}\n", assignment="tiny") for each in range(count)]
    with engine, Gradebook.open(":memory:") as book:
        batch = BatchGrader(gradable, engine, book, lambda _: None).run(submissions)
    assert batch.fresh == len({grade.student for grade in batch.grades}) == count
    return batch


def jobs_of(*nodes: PretendedNode) -> list[str]:
    """The cells of the submissions that were judged."""
    return [job.cells[0].source for node in nodes for job in node.jobs if not job.trusted]


def test_a_batch_is_judged_on_all_nodes_and_each_submission_once(gradable: GradableAssignment) -> None:
    one, two = PretendedNode("one"), PretendedNode("two")
    cluster = PretendedCluster(one, two)
    batch = graded(gradable, engine_on(gradable, cluster), 8)
    assert [grade.status for grade in batch.grades] == [Status.GRADED] * 8
    assert len(jobs_of(one, two)) == len(set(jobs_of(one, two))) == 8
    assert cluster.closed == 1 and not one.living and not two.living


def test_a_cluster_is_joined_once_and_not_again_when_the_engine_is_closed(gradable: GradableAssignment) -> None:
    cluster, joined = PretendedCluster(PretendedNode("one")), list[PretendedCluster]()

    def join() -> PretendedCluster:
        joined.append(cluster)
        return cluster

    engine = RayEngine(gradable.bundle(), settings_of(gradable, EngineOptions()), join, QUICK)
    assert graded(gradable, engine, 2).isolation == HERE.isolation
    with pytest.raises(InfrastructureError, match="the engine is closed"):
        _ = engine.environment
    assert len(joined) == cluster.closed == 1


def test_jobs_go_to_the_node_with_the_most_free_slots(gradable: GradableAssignment) -> None:
    one, two = PretendedNode("one", slots=3, busy=True), PretendedNode("two", busy=True)
    with engine_on(gradable, PretendedCluster(one, two)) as engine:
        numbers = {engine.submit(gradable.job(gradable.reference, Limits())) for _ in range(5)}
        assert engine.wait(0) == []
        one.busy = two.busy = False
        assert {number for number, _ in engine.wait(2)} == numbers
    assert (len(one.jobs), len(two.jobs)) == (3, 2)


def test_the_environment_is_that_of_the_nodes_and_names_them(gradable: GradableAssignment) -> None:
    engine = engine_on(gradable, PretendedCluster(PretendedNode("one"), PretendedNode("two", slots=3)))
    with engine:
        assert engine.environment.versions == HERE.versions and engine.environment.identity == HERE.identity
        message = "Ray judges 5 at the same time on one (one00000), two (two00000). On the CPU."
        assert engine.environment.message == message
        assert engine.capacity() == 5


def test_the_secrets_travel_once_and_never_with_a_job(gradable: GradableAssignment) -> None:
    nodes = [PretendedNode("one"), PretendedNode("two")]
    cluster = PretendedCluster(*nodes)
    graded(gradable, engine_on(gradable, cluster), 6)
    seed, reference = gradable.answer_key.seed().hex(), gradable.reference[0].source
    assert [seed.encode() in data for data in cluster.kept].count(True) == 1
    runs = [data for node in nodes for method, data in node.requests if method == "run"]
    assert len(runs) == 7 and not any(seed.encode() in data or reference.encode() in data for data in runs[1:])
    assert all(job.seed == seed and job.reference == gradable.reference for node in nodes for job in node.jobs)


def test_no_more_nodes_are_prepared_than_jobs_need_and_a_spare_one_replaces_a_lost_one(
    gradable: GradableAssignment,
) -> None:
    first, spare = PretendedNode("first", slots=3), PretendedNode("spare")
    with engine_on(gradable, PretendedCluster(first, spare)) as engine:
        engine.expect(2)
        assert engine.collected.checks == CHECKS
        assert [method for method, _ in spare.requests] == ["describe"]
        first.dead = True
        assert until(lambda: engine.capacity() == 2)
        assert isinstance(judge(engine, gradable.job(gradable.reference, Limits())), Outcome) and spare.jobs


def test_a_lost_node_loses_no_submission(gradable: GradableAssignment) -> None:
    one, two = PretendedNode("one"), PretendedNode("two")

    def dies(job: Job) -> Outcome | Lost:
        one.dead = one.dead or len(one.jobs) == 3
        return all_pass(job)

    one.answer = dies
    batch = graded(gradable, engine_on(gradable, PretendedCluster(one, two)), 10)
    assert [grade.status for grade in batch.grades] == [Status.GRADED] * 10
    assert len({grade.student for grade in batch.grades}) == 10


def test_the_progress_says_which_nodes_judge_when_one_is_lost(gradable: GradableAssignment) -> None:
    one, two = PretendedNode("one"), PretendedNode("two")

    def dies(job: Job) -> Outcome | Lost:
        one.dead = one.dead or len(one.jobs) == 3
        return all_pass(job)

    def told(event: Event) -> None:
        if isinstance(event, Warned):
            said.append(event.message)

    one.answer = dies
    said: list[str] = []
    engine = engine_on(gradable, PretendedCluster(one, two), replace_patience(pause_s=60.0))
    submissions = [script(f"s{each}", f"{RIGHT}# {each}\n", assignment="tiny") for each in range(10)]
    with engine, Gradebook.open(":memory:") as book:
        BatchGrader(gradable, engine, book, told).run(submissions)
    lost = "Ray judges 2 at the same time on two (two00000). On the CPU. one (one00000) is not used: The actor died"
    assert [each[: len(lost)] for each in said] == [lost]


def test_the_jobs_of_a_lost_node_end_as_lost_and_their_words_reach_no_student(gradable: GradableAssignment) -> None:
    node = PretendedNode("one", busy=True)
    with engine_on(gradable, PretendedCluster(node)) as engine:
        numbers = [engine.submit(gradable.job(gradable.reference, Limits())) for _ in range(2)]
        node.dead = True
        ended = dict(engine.wait(2))
    assert set(ended) == set(numbers)
    for lost in ended.values():
        assert isinstance(lost, Lost) and lost.reason == "one (one00000): The actor died unexpectedly."
        assert lost.said is not None and not lost.said.events and not lost.said.results


def test_a_frozen_node_gets_no_job_and_its_own_are_judged_elsewhere(gradable: GradableAssignment) -> None:
    one, two = PretendedNode("one"), PretendedNode("two")

    def freezes(job: Job) -> Outcome | Lost:
        one.frozen = one.frozen or len(one.jobs) >= 3
        return all_pass(job)

    one.answer = freezes
    batch = graded(gradable, engine_on(gradable, PretendedCluster(one, two)), 10)
    assert [grade.status for grade in batch.grades] == [Status.GRADED] * 10


def test_a_node_whose_disk_fills_up_loses_no_submission(gradable: GradableAssignment) -> None:
    """It answers sooner than the others and would get job after job; it is opened anew, and says what it lacks."""
    one, two = PretendedNode("one", slots=4), PretendedNode("two", slots=1)

    def fills_up(job: Job) -> Outcome | Lost:
        return Lost(reason="No space left on device", said=Said()) if len(one.jobs) > 3 else all_pass(job)

    one.answer = fills_up
    batch = graded(gradable, engine_on(gradable, PretendedCluster(one, two)), 12)
    assert [grade.status for grade in batch.grades] == [Status.GRADED] * 12


def test_a_node_that_loses_every_job_is_opened_anew(gradable: GradableAssignment) -> None:
    one = PretendedNode("one", answer=lambda job: Lost(reason="No space left on device", said=Said()))
    with engine_on(gradable, PretendedCluster(one)) as engine:
        for _ in range(2):
            with pytest.raises(InfrastructureError, match="No space left on device"):
                judge(engine, gradable.job(gradable.reference, Limits()))
        one.unprepared = "No space left on device"
        assert until(lambda: engine.capacity() == 0 and one.actors == 2)
        why = "one (one00000) is not used: it lost 2 submissions in a row: No space left on device"
        assert why in engine.environment.message


def test_a_node_that_thaws_is_opened_again(gradable: GradableAssignment) -> None:
    one = PretendedNode("one", busy=True)
    with engine_on(gradable, PretendedCluster(one)) as engine:
        number = engine.submit(gradable.job(gradable.reference, Limits()))
        one.frozen = True
        assert until(lambda: engine.capacity() == 0)
        ended = engine.wait(2)
        assert ended and ended[0][0] == number
        assert ended[0][1] == Lost(
            reason="one (one00000): it has not answered for 0.5 seconds",
            said=ended[0][1].said,  # type: ignore[union-attr]
        )
        one.frozen = one.busy = False
        assert until(lambda: engine.capacity() == 2) and one.actors == 2 and len(one.living) == 1


def test_a_node_that_joins_in_the_middle_of_a_batch_judges_too(gradable: GradableAssignment) -> None:
    one, two = PretendedNode("one"), PretendedNode("two")
    cluster = PretendedCluster(one)
    with engine_on(gradable, cluster) as engine:
        assert engine.collected.checks and engine.capacity() == 2
        cluster.alive.append(two)
        assert until(lambda: engine.capacity() == 4)
        cluster.alive.remove(one)
        assert until(lambda: engine.capacity() == 2)


def test_a_node_on_which_a_job_was_given_up_gets_no_other_for_a_while(gradable: GradableAssignment) -> None:
    slow, quick = PretendedNode("slow", slots=3, busy=True), PretendedNode("quick")
    with engine_on(gradable, PretendedCluster(slow, quick)) as engine:
        number = engine.submit(gradable.job(gradable.reference, Limits()))
        engine.forget(number)
        assert engine.capacity() == 2
        judge(engine, gradable.job(gradable.reference, Limits()))
        assert quick.jobs and not slow.jobs
        assert until(lambda: engine.capacity() == 5)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"environment": OLDER}, "python is 3.11.9 there, and 3.12.1 on the others"),
        ({"code": "another"}, "gradetape is another version there than here"),
        ({"refusal": "device: gpu, but nvidia-smi finds no GPU"}, "device: gpu, but nvidia-smi finds no GPU"),
    ],
    ids=["version", "code", "device"],
)  # fmt: skip
def test_a_node_that_would_judge_otherwise_is_refused_by_name(
    gradable: GradableAssignment, other: dict[str, Any], why: str
) -> None:
    good, bad = PretendedNode("good", slots=3), PretendedNode("bad", **other)
    with engine_on(gradable, PretendedCluster(bad, good)) as engine:
        assert f"bad (bad00000) is not used: {why}" in engine.environment.message
        assert engine.capacity() == 3
        judge(engine, gradable.job(gradable.reference, Limits()))
    assert good.jobs and not bad.jobs


def test_nodes_with_a_gpu_judge_and_others_are_refused(gradable: GradableAssignment) -> None:
    gpu = PretendedNode("gpu", slots=1, environment=msgspec.structs.replace(HERE, identity="none  gpu"))
    with engine_on(gradable, PretendedCluster(PretendedNode("cpu", slots=8), gpu)) as engine:
        assert engine.environment.identity == "none  gpu" and engine.capacity() == 1
        assert "it judges with none cpu, and the others with none gpu" in engine.environment.message


def test_a_node_that_collects_other_checks_or_lacks_its_sandbox_is_refused(gradable: GradableAssignment) -> None:
    good = PretendedNode("good", slots=3)
    other = PretendedNode("other", checks=CollectedChecks(checks=CHECKS[:1]))
    full = PretendedNode("full", unprepared="Temporary files cannot be created (No space left on device).")
    with engine_on(gradable, PretendedCluster(good, other, full)) as engine:
        assert engine.collected.checks == CHECKS and engine.capacity() == 3
        assert "full (full0000) is not used: Temporary files cannot be created" in engine.environment.message


def test_no_node_is_an_error_that_names_what_each_lacks(gradable: GradableAssignment) -> None:
    frozen, bad = PretendedNode("frozen", frozen=True), PretendedNode("bad", refusal="device: gpu, but there is none")
    with engine_on(gradable, PretendedCluster(frozen, bad)) as engine, pytest.raises(EngineError) as error:
        _ = engine.environment
    assert str(error.value).splitlines() == [
        "No node of the Ray cluster can judge. bad (bad00000): device: gpu, but there is none",
        "frozen (frozen00): no answer. Other work may have its processors; ray status shows it.",
    ]
    with engine_on(gradable, PretendedCluster()) as engine, pytest.raises(EngineError) as error:
        _ = engine.environment
    assert "It has no node with a processor. Look at ray status." in str(error.value)


def test_a_cluster_without_any_node_left_ends_the_batch_and_keeps_its_grades(gradable: GradableAssignment) -> None:
    one = PretendedNode("one")

    def dies(job: Job) -> Outcome | Lost:
        one.dead = len(one.jobs) >= 4
        return all_pass(job)

    one.answer = dies
    with pytest.raises(EngineError, match=r"No node of the Ray cluster has judged for 1 seconds. one \(one00000\)"):
        graded(gradable, engine_on(gradable, PretendedCluster(one), replace_patience(pause_s=9.0, nodes_s=1.0)), 10)


def test_a_cluster_whose_slots_are_all_taken_takes_no_job(gradable: GradableAssignment) -> None:
    one = PretendedNode("one", slots=1, busy=True)
    with engine_on(gradable, PretendedCluster(one)) as engine:
        engine.submit(gradable.job(gradable.reference, Limits()))
        with pytest.raises(InfrastructureError, match="no node of the Ray cluster has a free slot"):
            engine.submit(gradable.job(gradable.reference, Limits()))


def test_changed_checks_are_collected_anew_on_every_node(gradable: GradableAssignment) -> None:
    nodes = [PretendedNode("one"), PretendedNode("two")]
    with engine_on(gradable, PretendedCluster(*nodes)) as engine:
        _ = engine.collected
        bundle = msgspec.structs.replace(gradable.bundle(), student_files={"data.csv": b"changed"})
        engine.recollect(bundle)
        _ = engine.collected
    for node in nodes:
        sent = [msgspec.msgpack.decode(data, type=Prepare) for method, data in node.requests if method == "prepare"]
        assert [each.bundle for each in sent] == [gradable.bundle(), bundle]


def test_renewing_restarts_every_node_and_pauses_one_that_does_not_answer(
    gradable: GradableAssignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradetape.engine.ray.ray_engine._END_S", 0.1)
    one, two = PretendedNode("one"), PretendedNode("two", slots=1)
    with engine_on(gradable, PretendedCluster(one, two), replace_patience(ping_s=60.0, pause_s=60.0)) as engine:
        _ = engine.collected
        two.frozen = True
        engine.renew()
        assert "renew" in [method for method, _ in one.requests] and engine.capacity() == 2


def test_checks_that_a_node_still_collects_when_they_change_are_not_taken_for_the_changed_ones(
    gradable: GradableAssignment,
) -> None:
    one, two = PretendedNode("one"), PretendedNode("two", preparing=True)
    cluster = PretendedCluster(one)
    with engine_on(gradable, cluster, replace_patience(prepare_s=60.0)) as engine:
        assert engine.collected.checks == CHECKS
        cluster.alive.append(two)
        assert until(lambda: engine.wait(0) == [] and len(two.requests) == 1)
        engine.wait(0.1)
        engine.recollect(msgspec.structs.replace(gradable.bundle(), student_files={"data.csv": b"changed"}))
        two.preparing = False
        engine.wait(0.1)
        one.checks = two.checks = CollectedChecks(checks=CHECKS[:1])
        assert engine.collected.checks == CHECKS[:1] and engine.capacity() == 4


def test_nodes_that_left_while_nobody_waited_for_one_end_no_command(
    gradable: GradableAssignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradetape.engine.ray.ray_engine._IDLE_S", 0.2)
    one = PretendedNode("one")
    cluster = PretendedCluster(one)
    with engine_on(gradable, cluster, replace_patience(nodes_s=2.0)) as engine:
        assert engine.collected.checks
        cluster.alive.remove(one)
        time.sleep(2.2)
        assert engine.capacity() == 0
        cluster.alive.append(one)
        assert until(lambda: engine.capacity() == 2)


def test_a_node_that_does_not_become_ready_in_time_is_replaced(gradable: GradableAssignment) -> None:
    nodes = [PretendedNode("hangs", slots=3, preparing=True), PretendedNode("one"), PretendedNode("spare")]
    with engine_on(gradable, PretendedCluster(*nodes), replace_patience(pause_s=60.0)) as engine:
        engine.expect(4)
        assert engine.collected.checks
        assert until(lambda: engine.capacity() == 4)
        assert not nodes[0].living


def test_a_refused_node_keeps_no_processors(gradable: GradableAssignment) -> None:
    good, bad = PretendedNode("good", slots=3), PretendedNode("bad", refusal="device: gpu, but there is none")
    old, other = PretendedNode("old", environment=OLDER), PretendedNode("other", checks=CollectedChecks(checks=()))
    with engine_on(gradable, PretendedCluster(good, bad, old, other)) as engine:
        assert engine.collected.checks == CHECKS
        assert good.living and not bad.living and not old.living and not other.living


def test_a_node_that_cannot_be_prepared_is_tried_once_more(gradable: GradableAssignment) -> None:
    good, full = PretendedNode("good", slots=3), PretendedNode("full", unprepared="No space left on device.")
    with engine_on(gradable, PretendedCluster(good, full), replace_patience(pause_s=2.0)) as engine:
        assert engine.collected.checks and engine.capacity() == 3
        assert "full (full0000) is not used: No space left on device." in engine.environment.message
        full.unprepared = ""
        assert until(lambda: engine.capacity() == 5)
        assert "is not used" not in engine.environment.message


def test_a_node_that_cannot_be_prepared_twice_is_refused(gradable: GradableAssignment) -> None:
    good, full = PretendedNode("good", slots=3), PretendedNode("full", unprepared="No space left on device.")
    with engine_on(gradable, PretendedCluster(good, full), replace_patience(pause_s=0.1)) as engine:
        assert engine.collected.checks
        assert until(lambda: engine.capacity() == 3 and full.actors == 2 and not full.living)
        engine.wait(0.5)
        assert full.actors == 2 and "full (full0000) is not used" in engine.environment.message


def replace_patience(**other: float) -> RayPatience:
    return msgspec.structs.replace(QUICK, **other)


# The actor of a node.


def an_actor(monkeypatch: pytest.MonkeyPatch) -> tuple[NodeActor, MessageChannel]:
    """An actor, and the end of its socket that its server has."""
    ends: list[MessageChannel] = []

    def start(*_: object, stdin: int, **__: object) -> None:
        ends.append(MessageChannel(socket.socket(fileno=os.dup(stdin))))

    with monkeypatch.context() as patch:
        patch.setattr("gradetape.engine.ray.node_actor.subprocess.Popen", start)
        return NodeActor(), ends[0]


def test_each_request_of_an_actor_gets_its_own_answer(
    gradable: GradableAssignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor, server = an_actor(monkeypatch)
    request = msgspec.msgpack.encode(Prepare(bundle=gradable.bundle(), jobs=1))

    async def asked() -> list[bytes]:
        calls = [asyncio.ensure_future(actor.prepare(request)) for _ in range(2)]
        for count in (1, 2):
            await asyncio.to_thread(server.receive, NodeRequest)
            server.send(CollectedChecks(checks=CHECKS[:count]))
        return await asyncio.wait_for(asyncio.gather(*calls), 10)

    answers = [msgspec.msgpack.decode(answer, type=CollectedChecks) for answer in asyncio.run(asked())]
    assert [len(each.checks) for each in answers] == [1, 2]
    server.close()
    actor._socket.close()


def test_an_actor_is_alive_while_its_server_reads_nothing(
    gradable: GradableAssignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor, server = an_actor(monkeypatch)
    bundle = msgspec.structs.replace(gradable.bundle(), student_files={"data.csv": bytes(4 << 20)})
    answered = threading.Event()

    def serve() -> bool:
        alive = answered.wait(10)
        request = server.receive(NodeRequest)
        server.send(CollectedChecks(checks=CHECKS))
        return alive and request.bundle == bundle

    async def asked() -> bool:
        serving = asyncio.ensure_future(asyncio.to_thread(serve))
        call = asyncio.ensure_future(actor.prepare(msgspec.msgpack.encode(Prepare(bundle=bundle, jobs=1))))
        await asyncio.sleep(0.2)
        await actor.ping()
        answered.set()
        await call
        return await serving

    assert asyncio.run(asked())
    server.close()
    actor._socket.close()


# The server of a node.


class NodeServerProcess:
    """A node's server, as its actor starts it."""

    def __init__(self, folder: Path) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-m", "gradetape.engine.ray.node_server"], stdin=theirs.fileno(), cwd="/",
                start_new_session=True, env=environment(os.environ) | {"TMPDIR": str(folder)},
            )  # fmt: skip
        self._socket, self._channel = ours, MessageChannel(ours)

    def send(self, request: NodeRequest) -> None:
        self._channel.send(request)

    def receive(self) -> NodeReply:
        reply: NodeReply = self._channel.receive(NodeReply)
        return reply

    def ask(self, request: NodeRequest) -> NodeReply:
        self.send(request)
        return self.receive()

    def close(self) -> None:
        """Returns when it has ended."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        with suppress(EOFError, OSError):
            while self.receive():
                pass
        self._channel.close()
        self.process.wait(30)


@contextmanager
def node_server() -> Iterator[tuple[NodeServerProcess, Path]]:
    """A node's server and its folder for temporary files."""
    with tempfile.TemporaryDirectory(prefix="node-") as folder:
        server = NodeServerProcess(Path(folder))
        try:
            yield server, Path(folder)
        finally:
            server.close()


def test_a_node_server_reports_prepares_judges_and_leaves_nothing(gradable: GradableAssignment) -> None:
    job, secrets = without_secrets(gradable.job(gradable.reference, Limits(), trusted=True))
    settings = settings_of(gradable, EngineOptions(workers=3))
    with node_server() as (server, folder):
        report = server.ask(Describe(settings=settings, processors=8))
        assert isinstance(report, NodeReport) and (report.slots, report.code) == (3, own_code())
        checks = server.ask(Prepare(bundle=gradable.bundle(), jobs=1))
        assert isinstance(checks, CollectedChecks) and len(checks.checks) == 4 and not checks.broken
        (secret,) = folder.glob("gradetape-course-*")
        assert stat.S_IMODE(secret.stat().st_mode) == 0o700
        assert not any(gradable.answer_key.seed().hex() in text for text in texts(folder))
        digest = address_of(secrets)
        early = server.ask(RunHere(number=6, job=job, digest=digest))
        assert early == EndedHere(number=6, outcome=Lost(reason="the reference did not arrive"))
        server.send(KeepSecrets(digest=digest, data=b"other"))
        assert server.ask(RunHere(number=7, job=job, digest=digest)) == EndedHere(
            number=7, outcome=Lost(reason="the reference did not arrive")
        )
        server.send(KeepSecrets(digest=digest, data=secrets))
        ended = server.ask(RunHere(number=8, job=job, digest=digest))
        assert isinstance(ended, EndedHere) and ended.number == 8 and isinstance(ended.outcome, Outcome)
        assert [each.verdict for each in ended.outcome.results] == [Verdict.PASSED] * 4
        assert ended.outcome.layers and ended.outcome.versions
        assert isinstance(server.ask(RenewHere()), Renewed)
        server.send(RunHere(number=9, job=job, digest=digest))
        server.send(CancelHere(number=9))
        server.close()
        assert list(folder.iterdir()) == []


def texts(folder: Path) -> list[str]:
    return [path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()]


def test_a_node_refuses_with_the_reason_what_it_cannot_do(gradable: GradableAssignment) -> None:
    with node_server() as (server, _):
        gpu = settings_of(gradable, EngineOptions(device="gpu"))
        if not Path("/dev/nvidiactl").exists():
            refused = server.ask(Describe(settings=gpu, processors=1))
            assert isinstance(refused, NodeRefused) and "nvidia-smi finds no GPU" in refused.reason
        inside = Path(sys.prefix) / "lib"
        seen = server.ask(
            Describe(settings=settings_of(gradable, EngineOptions()), processors=1, secret=(str(inside),))
        )
        assert isinstance(seen, NodeRefused) and "which students' code can read" in seen.reason


def test_a_node_without_space_refuses(gradable: GradableAssignment, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(bundle: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("gradetape.engine.local.unpacked", full)
    ours, theirs = map(MessageChannel, socket.socketpair())
    server = threading.Thread(target=NodeServer(theirs).serve)
    server.start()
    ours.send(Describe(settings=settings_of(gradable, EngineOptions()), processors=1))
    assert isinstance(ours.receive(NodeReply), NodeReport)
    ours.send(Prepare(bundle=gradable.bundle(), jobs=1))
    assert "No space left on device" in ours.receive(NodeReply).reason
    ours.close()
    server.join(10)
    theirs.close()


class BreakingEngine(LocalEngine):
    """An engine that fails as soon as a job runs."""

    running = False

    @property
    def collected(self) -> CollectedChecks:
        return CollectedChecks(checks=CHECKS)

    def submit(self, job: Job) -> int:
        self.running = True
        return 1

    def descriptor(self) -> int | None:
        return os.open(os.devnull, os.O_RDONLY) if self.running else None

    def wait(self, timeout_s: float) -> list[Finished]:
        raise EngineError("The zygote does not answer.")

    def renew(self) -> None:
        self.running = False


def test_a_failure_of_a_nodes_engine_loses_its_jobs_and_not_the_node(
    gradable: GradableAssignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradetape.engine.ray.node_server.LocalEngine", BreakingEngine)
    job, secrets = without_secrets(gradable.job(gradable.reference, Limits()))
    ours, theirs = map(MessageChannel, socket.socketpair())
    server = threading.Thread(target=NodeServer(theirs).serve)
    server.start()
    ours.send(Describe(settings=settings_of(gradable, EngineOptions()), processors=1))
    ours.send(Prepare(bundle=gradable.bundle(), jobs=1))
    ours.send(KeepSecrets(digest=address_of(secrets), data=secrets))
    kinds = [type(ours.receive(NodeReply)) for _ in range(2)]
    assert kinds == [NodeReport, CollectedChecks]
    for number in (7, 8):
        ours.send(RunHere(number=number, job=job, digest=address_of(secrets)))
        assert select.select([ours], [], [], 10)[0], "the server has ended"
        lost = Lost(reason="The zygote does not answer.", said=Said())
        assert ours.receive(NodeReply) == EndedHere(number=number, outcome=lost)
    ours.close()
    server.join(10)
    theirs.close()


def test_a_killed_actor_leaves_no_server(gradable: GradableAssignment) -> None:
    """The server sees the end of its channel, also while it is busy."""
    with node_server() as (server, folder):
        server.ask(Describe(settings=settings_of(gradable, EngineOptions()), processors=1))
        server.send(Prepare(bundle=gradable.bundle(), jobs=1))
        assert until(lambda: bool(list(folder.glob("gradetape-course-*"))))
        server.close()
        assert list(folder.iterdir()) == []


def test_a_node_server_gets_nothing_of_rays_variables() -> None:
    kept = environment({"RAY_AUTH_TOKEN": "a", "RAY_AUTH_MODE": "token", "PATH": "/bin"})
    assert kept == {"PATH": "/bin"}


# The doctor.


def test_the_doctor_lists_every_node_with_its_places_versions_and_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [
        PretendedNode("good", slots=3),
        PretendedNode("full", unprepared="No space left on device"),
        PretendedNode("old", slots=1, environment=OLDER),
    ]
    cluster = PretendedCluster(*nodes)
    monkeypatch.setattr("gradetape.engine.ray.opening.joining", lambda address: lambda: cluster)
    found = doctor.cluster(Config(), (), "10.0.0.1:6379")
    assert [(each.name, each.state, each.found, each.remedy) for each in found] == [
        ("ray", State.OK, "good (good0000): 3 at the same time, sandbox proven; python 3.12.1; On the CPU.", ""),
        ("ray", State.WRONG, "full (full0000) cannot judge", "No space left on device"),
        (
            "ray", State.WRONG, "old (old00000) cannot judge",
            "python is 3.11.9 there, and 3.12.1 on the others. Give every node the same image.",
        ),
    ]  # fmt: skip
    assert cluster.closed == 1 and not any(node.living for node in nodes)


def test_the_doctor_says_why_a_cluster_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def join() -> PretendedCluster:
        raise EngineError("No Ray cluster answers")

    monkeypatch.setattr("gradetape.engine.ray.opening.joining", lambda address: join)
    (found,) = doctor.cluster(Config(), (), None)
    assert (found.state, found.found, found.remedy) == (State.WRONG, "no cluster can be used", "No Ray cluster answers")


# The command.


def test_an_address_without_a_cluster_is_refused(tmp_path: Path) -> None:
    course = tiny(tmp_path / "course")
    (course / "ada.py").write_text(RIGHT)
    run = called(course, "grade", "ada.py", "--assignment", "tiny", "--address", "10.0.0.1:6379")
    assert run.returncode != 0 and "--address is the address of a Ray cluster" in run.stderr
    assert "Add --engine ray" in run.stderr


@pytest.mark.parametrize("how", [["--engine", "ray"], []], ids=["option", "configuration"])
def test_without_the_library_the_command_that_installs_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: list[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    for name in ("access", "cluster", "joining"):
        monkeypatch.delitem(sys.modules, f"gradetape.engine.ray.{name}", raising=False)
    course = tiny(tmp_path / "course")
    (course / "ada.py").write_text(RIGHT)
    if not how:
        with (course / "grader_config.yml").open("a") as file:
            file.write("\nengine: ray\n")
    run = called(course, "grade", "ada.py", "--assignment", "tiny", *how)
    assert run.returncode != 0 and "engine: ray needs the Python package ray, which is not installed" in run.stderr
    assert "pip install 'gradetape[ray]'" in run.stderr
