"""Judges on the nodes of a cluster: gives each job to a node, and takes the outcomes back.

Each node has an actor, which is asked for a report, then prepared (its sandbox is proven and its workers start), and
then given jobs. Whatever an actor is asked is answered later, as a call. The engine waits for all open calls together:

    describe    -> the node's report: refused, or described
    prepare     -> its checks: ready
    run         -> a job's outcome
    ping        -> it is alive

A node whose actor ends, that does not answer a ping in time, that loses two jobs in a row, or on which the driver gives
up a job, gets no more jobs for a while; then it is opened again. Its jobs end as `Lost`, and the driver decides what to
do about them. Nodes that join the cluster are opened when they are seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Self

import msgspec

from gradetape.engine.base import Finished
from gradetape.engine.ray.cluster_types import Call, Cluster, NodeFailure
from gradetape.engine.ray.messages import (
    Describe,
    NodeRefused,
    NodeReply,
    NodeReport,
    NodeSettings,
    Prepare,
    RunHere,
    address_of,
    without_secrets,
)
from gradetape.engine.ray.nodes import Node, NodeState, NodeStatus, environment_of, refuse_different
from gradetape.errors import EngineError, InfrastructureError
from gradetape.records import AssignmentBundle, CollectedChecks, Environment, Job, Lost, Outcome, Said
from gradetape.text import few

_TURN_S = 1.0
_LOOK_S = 5.0
_PING_S = 3.0
_END_S = 60.0
_IDLE_S = 10.0
_LOSSES = 2


class RayPatience(msgspec.Struct, frozen=True, kw_only=True):
    """How long the engine waits, in seconds.

    `start_s` is for a node's report, `prepare_s` until it is ready, `ping_s` until a silent node is lost, `pause_s`
    until such a node is opened again, `nodes_s` until the batch ends because no node is left. A node that does not
    answer a ping for `recent_s` gets no new job.
    """

    start_s: float = 120.0
    prepare_s: float = 300.0
    ping_s: float = 30.0
    recent_s: float = 10.0
    pause_s: float = 30.0
    nodes_s: float = 300.0


class RayEngine:
    """Judges one job per slot of every node at the same time; implements `Engine`.

    `join` joins the cluster, when the environment is asked for. Large because it has the twelve methods of the
    contract, and a method for whatever can happen to a node.
    """

    def __init__(
        self, bundle: AssignmentBundle, settings: NodeSettings, join: Callable[[], Cluster],
        patience: RayPatience | None = None,
    ) -> None:  # fmt: skip
        self._bundle = bundle
        self._settings = settings
        self._join = join
        self._patience = patience or RayPatience()
        self._joined: Cluster | None = None
        self._closed = False
        self._nodes: dict[str, Node] = {}
        self._calls: dict[Call, tuple[str, Node, int]] = {}
        self._secrets: dict[str, Call] = {}
        self._environment: Environment | None = None
        self._collected: CollectedChecks | None = None
        self._prepare: Call = None
        self._jobs: int | None = None
        self._ended: list[Finished] = []
        self._count = 0
        self._looked = 0.0
        self._last_ready = 0.0
        self._last_turn = 0.0

    @property
    def environment(self) -> Environment:
        """The environment of the nodes that judge; joins the cluster and asks every node for its own."""
        self._described()
        assert self._environment is not None
        nodes = [node for node in self._nodes.values() if not node.why]
        refused = [f"{node.info.name} is not used: {node.why}" for node in self._nodes.values() if node.why]
        slots = f"{sum(node.slots for node in nodes)} at the same time on {few(node.info.name for node in nodes)}"
        message = " ".join(filter(None, [f"Ray judges {slots}.", self._environment.message, *refused]))
        return msgspec.structs.replace(self._environment, message=message)

    @property
    def collected(self) -> CollectedChecks:
        """The checks, and the files that cannot be read; proves the sandbox of the nodes that are needed."""
        self._ready()
        assert self._collected is not None
        return self._collected

    def capacity(self) -> int:
        """How many jobs may run at the same time, on the nodes that can judge now."""
        if self._collected is None:
            self._described()
            return sum(node.slots for node in self._with(NodeState.DESCRIBED))
        self._ended += self._turn(0.0)
        ready = self._with(NodeState.READY)
        return sum(node.slots if self._is_recent(node) else len(node.jobs) for node in ready)

    @property
    def parts(self) -> int:
        """1: each node has a judge server of its own, and parts wait for one another in theirs."""
        return 1

    def expect(self, jobs: int) -> None:
        """Prepares no more nodes than so many jobs need; the others replace nodes that are lost."""
        self._jobs = jobs

    def submit(self, job: Job) -> int:
        """Gives a job to the node with the most free slots; raises InfrastructureError if there is none."""
        self._ready()
        self._wait_until(lambda: self._freest() is not None, self._patience.ping_s)
        if (node := self._freest()) is None:
            raise InfrastructureError("no node of the Ray cluster has a free slot. Look at ray status.")
        self._count += 1
        job, secrets = without_secrets(job)
        digest = address_of(secrets)
        if digest not in self._secrets:
            self._secrets[digest] = self._cluster.keep(secrets)
        request = msgspec.msgpack.encode(RunHere(number=self._count, job=job, digest=digest))
        node.jobs[self._count] = self._call("run", node, request, [self._secrets[digest]], number=self._count)
        return self._count

    def wait(self, timeout_s: float) -> list[Finished]:
        """The jobs that have ended since the last call."""
        deadline = time.monotonic() + timeout_s
        while not self._ended and self._joined is not None:
            left = deadline - time.monotonic()
            self._ended += self._turn(max(min(left, _TURN_S), 0.0))
            if left <= 0:
                break
        ended, self._ended = self._ended, []
        return ended

    def forget(self, number: int) -> None:
        """Cancels a job; its node gets no other for a while."""
        self._ended = [each for each in self._ended if each[0] != number]
        for node in self._nodes.values():
            if (call := node.jobs.pop(number, None)) is not None:
                self._calls.pop(call, None)
                self._cluster.call(node.actor, "cancel", number)
                node.until = time.monotonic() + self._patience.pause_s

    def statuses(self) -> tuple[NodeStatus, ...]:
        """Every node of the cluster, once the sandbox of those that judge alike is proven."""
        self._joined = self._cluster
        with suppress(EngineError):  # what is wrong is said of each node
            self._ready()
        return tuple(map(NodeStatus.of, self._nodes.values()))

    def renew(self) -> None:
        """Restarts the workers and the judge of every node."""
        calls = {self._call("renew", node): node for node in self._with(NodeState.READY)}
        self._wait_until(lambda: not (calls.keys() & self._calls.keys()), _END_S)
        for call, node in calls.items():
            if self._calls.pop(call, None) is not None:
                self._pause(node, "it did not restart its workers in time")

    def recollect(self, bundle: AssignmentBundle) -> None:
        """Sends the changed checks to every node, which collects them anew; checks that are still awaited are older."""
        self._bundle, self._collected, self._prepare = bundle, None, None
        self._calls = {call: each for call, each in self._calls.items() if each[0] != "prepare"}
        for node in self._with(NodeState.READY, NodeState.PREPARING):
            node.state = NodeState.DESCRIBED

    def close(self) -> None:
        """Ends every actor and everything on its node, and leaves the cluster; it is not joined again."""
        cluster, self._joined, self._closed = self._joined, None, True
        if cluster is not None:
            try:
                _end(cluster, [node for node in self._nodes.values() if node.actor is not None])
            finally:
                self._nodes, self._calls, self._secrets, self._prepare = {}, {}, {}, None
                self._environment = self._collected = None
                cluster.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _cluster(self) -> Cluster:
        if self._closed:
            raise InfrastructureError("the engine is closed")
        if self._joined is None:
            self._joined = self._join()
        return self._joined

    def _described(self) -> None:
        """Waits until every node has reported, and chooses the environment."""
        if self._environment is not None:
            return
        self._look()
        self._wait_until(lambda: not list(self._with(NodeState.OPENING)), self._patience.start_s)
        self._environment = environment_of(list(self._nodes.values()))
        if self._environment is None:
            raise EngineError(f"No node of the Ray cluster can judge. {self._complaints()}")

    def _ready(self) -> None:
        """Prepares the nodes that are needed, and waits for one of them; for all of them at the start."""
        self._described()
        at_start = self._collected is None
        self._prepare_enough()
        self._wait_until(
            lambda: not list(self._with(NodeState.PREPARING)) if at_start else bool(list(self._with(NodeState.READY))),
            self._patience.prepare_s,
        )
        if self._collected is None or not list(self._with(NodeState.READY)):
            raise EngineError(f"No node of the Ray cluster can judge. {self._complaints()}")

    def _complaints(self) -> str:
        found = [f"{node.info.name}: {node.why}" for node in self._nodes.values() if node.why]
        waiting = [node.info.name for node in self._with(NodeState.OPENING) if not node.why]
        if waiting:
            found.append(f"{few(waiting)}: no answer. Other work may have its processors; ray status shows it.")
        return "\n".join(found) or "It has no node with a processor. Look at ray status."

    def _prepare_enough(self) -> None:
        """Prepares described nodes, those with the most slots first, until there are enough slots."""
        waiting = sorted(self._with(NodeState.DESCRIBED), key=lambda node: -node.slots)
        coming = [*self._with(NodeState.PREPARING), *filter(self._is_recent, self._with(NodeState.READY))]
        slots = sum(node.slots for node in coming)
        for node in waiting:
            if self._jobs is not None and slots >= max(self._jobs, 1):
                return
            if self._prepare is None:
                request = Prepare(bundle=self._bundle, jobs=1 << 20 if self._jobs is None else self._jobs)
                self._prepare = self._cluster.keep(msgspec.msgpack.encode(request))
            node.state, node.began = NodeState.PREPARING, time.monotonic()
            slots += node.slots
            self._call("prepare", node, self._prepare)

    def _look(self) -> None:
        """Opens the nodes that have joined, and loses those that have left."""
        self._looked = time.monotonic()
        there = {info.id: info for info in self._cluster.nodes()}
        for info in there.values():
            if info.id not in self._nodes:
                self._open(self._nodes.setdefault(info.id, Node(info)))
        for node in list(self._nodes.values()):
            if node.info.id not in there:
                self._ended += self._lost(node, "the node has left the cluster")
                del self._nodes[node.info.id]

    def _open(self, node: Node) -> None:
        node.actor = self._cluster.open(node.info, self._settings.workers or node.info.processors)
        node.state, node.report, node.losses = NodeState.OPENING, None, 0
        request = Describe(settings=self._settings, processors=node.info.processors, secret=(node.info.folder,))
        self._call("describe", node, msgspec.msgpack.encode(request))

    def _call(self, method: str, node: Node, *arguments: object, number: int = 0) -> Call:
        call = self._cluster.call(node.actor, method, *arguments)
        self._calls[call] = (method, node, number)
        return call

    def _wait_until(self, holds: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not holds() and time.monotonic() < deadline:
            self._ended += self._turn(min(_TURN_S, max(deadline - time.monotonic(), 0.0)))

    def _turn(self, timeout_s: float) -> list[Finished]:
        """Handles what is answered, then what the clock says."""
        if not self._calls:
            time.sleep(timeout_s)
        ended = [each for call in self._answered(timeout_s) for each in self._handle(call)]
        self._keep_time()
        return ended

    def _answered(self, timeout_s: float) -> list[Call]:
        return self._cluster.wait(list(self._calls), timeout_s) if self._calls else []

    def _handle(self, call: Call) -> Iterator[Finished]:
        if call not in self._calls:  # its node was lost a moment ago
            return
        method, node, number = self._calls.pop(call)
        answer = self._cluster.result(call)
        if isinstance(answer, NodeFailure):
            node.jobs.pop(number, None)
            if method == "run":
                yield number, _lost(node, answer.reason)
            yield from self._lost(node, answer.reason)
            return
        node.heard = time.monotonic()
        if answer is None:
            return
        if method == "run":
            node.jobs.pop(number, None)
            yield number, self._noted(node, msgspec.msgpack.decode(answer, type=Outcome | Lost))
        else:
            yield from self._replied(node, method, msgspec.msgpack.decode(answer, type=NodeReply))

    def _noted(self, node: Node, outcome: Outcome | Lost) -> Outcome | Lost:
        """Counts what a node loses in a row: with a full disk it would lose one job after the other, and quickly."""
        node.losses = node.losses + 1 if isinstance(outcome, Lost) else 0
        node.loss = outcome.reason if isinstance(outcome, Lost) else ""
        return outcome

    def _replied(self, node: Node, method: str, reply: NodeReply) -> list[Finished]:
        match reply:
            case NodeRefused(reason=reason) if method == "describe" or node.doubted:
                node.refuse(reason)
            case NodeRefused(reason=reason):  # a full disk may be so for a moment
                node.doubted = True
                return self._lost(node, reason)
            case NodeReport():
                node.state, node.report = NodeState.DESCRIBED, reply
                if self._environment is not None:
                    refuse_different(node, self._environment)
            case CollectedChecks():
                self._collected = self._collected or reply
                node.state, node.pinged, node.why = NodeState.READY, node.heard, ""
                if reply != self._collected:
                    node.refuse("its checks are others than those of the other nodes")
        return []

    def _lost(self, node: Node, reason: str) -> list[Finished]:
        """Ends all jobs of a node, and pauses it."""
        lost: list[Finished] = [(number, _lost(node, reason)) for number in node.jobs]
        self._pause(node, reason)
        return lost

    def _pause(self, node: Node, reason: str) -> None:
        self._calls = {call: each for call, each in self._calls.items() if each[1] is not node}
        node.jobs.clear()
        if node.state is not NodeState.REFUSED:
            node.state, node.why = NodeState.PAUSED, reason
        node.until = time.monotonic() + self._patience.pause_s
        if node.actor is not None:
            self._cluster.kill(node.actor)
            node.actor = None

    def _keep_time(self) -> None:
        """Pings nodes, pauses those that do not answer, opens paused ones again, and looks for new ones."""
        now = time.monotonic()
        for node in list(self._with(NodeState.READY)):
            if node.pinged > node.heard and now > node.pinged + self._patience.ping_s:
                self._ended += self._lost(node, f"it has not answered for {self._patience.ping_s:g} seconds")
            elif node.pinged <= node.heard and now > node.heard + _PING_S:
                node.pinged = now
                self._call("ping", node)
        for node in list(self._with(NodeState.PREPARING)):
            if now > node.began + self._patience.prepare_s:
                self._ended += self._lost(node, f"it was not ready within {self._patience.prepare_s:g} seconds")
        for node in list(self._with(NodeState.READY)):
            if node.losses >= _LOSSES and not node.jobs:
                self._ended += self._lost(node, f"it lost {node.losses} submissions in a row: {node.loss}")
        if now > self._looked + _LOOK_S:
            self._look()
        for node in list(self._with(NodeState.REFUSED)):
            if node.actor is not None:  # other work may have its processors
                self._ended += self._lost(node, node.why)
        for node in list(self._with(NodeState.PAUSED)):
            if now > node.until:
                self._open(node)
        if self._collected is not None:
            self._prepare_enough()
            self._refuse_endless_waiting(now)

    def _refuse_endless_waiting(self, now: float) -> None:
        idle = now > self._last_turn + _IDLE_S  # nobody waited for a node in the meantime
        self._last_turn = now
        if idle or list(self._with(NodeState.READY)):
            self._last_ready = now
        elif now > self._last_ready + self._patience.nodes_s:
            raise EngineError(
                f"No node of the Ray cluster has judged for {self._patience.nodes_s:g} seconds. {self._complaints()}\n"
                "The grades so far are kept. Run the same command to continue when nodes are back."
            )

    def _freest(self) -> Node | None:
        """The node that answers and has the most free slots; one that has just lost a job only if there is no other."""
        free = [node for node in self._with(NodeState.READY) if node.free and self._is_recent(node)]
        return max(free, key=lambda node: (not node.losses, node.free), default=None)

    def _is_recent(self, node: Node) -> bool:
        """Whether it may get a job: it is not paused, no ping waits for its answer, and it does not lose every job."""
        now = time.monotonic()
        waits = node.pinged > node.heard and now > node.pinged + self._patience.recent_s
        return node.until < now and not waits and node.losses < _LOSSES

    def _with(self, *states: NodeState) -> Iterator[Node]:
        return (node for node in self._nodes.values() if node.state in states)


def _lost(node: Node, reason: str) -> Lost:
    """What its code has said by then is not known, so its student reads nothing of it."""
    return Lost(reason=f"{node.info.name}: {reason}", said=Said())


def _end(cluster: Cluster, nodes: list[Node]) -> None:
    """Lets the nodes end what they have started; those that do not answer in time are ended by Ray."""
    calls = [cluster.call(node.actor, "end") for node in nodes if node.report is not None]
    deadline = time.monotonic() + _END_S
    while calls and time.monotonic() < deadline:
        done = cluster.wait(calls, deadline - time.monotonic())
        calls = [call for call in calls if call not in done]
    for node in nodes:
        cluster.kill(node.actor)
