"""A cluster in this process, for tests of the engine for Ray: nodes that answer, freeze, leave or join as a test says.

What crosses it is bytes, as with Ray: requests are decoded by their types, answers encoded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from gradetape.engine.own_code import own_code
from gradetape.engine.ray.cluster_types import NodeFailure, NodeInfo
from gradetape.engine.ray.messages import (
    Describe,
    JobSecrets,
    NodeRefused,
    NodeReport,
    Prepare,
    Renewed,
    RunHere,
    with_secrets,
)
from gradetape.records import CollectedChecks, Environment, Job, Lost, Outcome
from tests.engines.passing import CHECKS, all_pass

COLLECTED = CollectedChecks(checks=CHECKS)
HERE = Environment(isolation="none", identity="none  cpu", versions={"python": "3.12.1"}, message="On the CPU.")


@dataclass(eq=False)
class PretendedNode:
    """`frozen` nodes answer nothing, `dead` ones fail whatever is asked; jobs wait while `busy`.

    One that is `preparing` does not become ready.
    """

    name: str
    slots: int = 2
    environment: Environment = HERE
    code: str = field(default_factory=own_code)
    checks: CollectedChecks = COLLECTED
    refusal: str = ""
    unprepared: str = ""
    answer: Callable[[Job], Outcome | Lost] = all_pass
    frozen: bool = False
    dead: bool = False
    busy: bool = False
    preparing: bool = False
    jobs: list[Job] = field(default_factory=list)
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    actors: int = 0
    living: set[int] = field(default_factory=set)

    @property
    def info(self) -> NodeInfo:
        return NodeInfo(id=f"{self.name}{'0' * 8}", host=self.name, processors=self.slots, gpus=0.0, folder="/tmp/ray")


@dataclass(eq=False)
class PretendedCall:
    """A call of an actor's method."""

    node: PretendedNode
    actor: int
    method: str
    arguments: tuple[object, ...]


class PretendedCluster:
    """Implements `Cluster`; `alive` are its nodes, and `kept` what was put into its store."""

    def __init__(self, *alive: PretendedNode) -> None:
        self.alive = list(alive)
        self.kept: list[bytes] = []
        self.closed = 0

    def nodes(self) -> tuple[NodeInfo, ...]:
        return tuple(node.info for node in self.alive)

    def open(self, node: NodeInfo, processors: int) -> tuple[PretendedNode, int]:
        found = next(each for each in self.alive if each.info.id == node.id)
        found.actors += 1
        found.living.add(found.actors)
        return found, found.actors

    def call(self, actor: tuple[PretendedNode, int], method: str, *arguments: object) -> PretendedCall:
        return PretendedCall(*actor, method, arguments)

    def keep(self, data: bytes) -> bytes:
        self.kept.append(data)
        return data

    def wait(self, calls: Sequence[PretendedCall], timeout_s: float) -> list[PretendedCall]:
        answered = [call for call in calls if not _waits(call)]
        if not answered:
            time.sleep(min(timeout_s, 0.01))
        return answered

    def result(self, call: PretendedCall) -> bytes | NodeFailure | None:
        if call.node.dead or call.actor not in call.node.living:
            return NodeFailure("The actor died unexpectedly.")
        answer = _answer(call.node, call.method, *call.arguments)
        return None if answer is None else msgspec.msgpack.encode(answer)

    def kill(self, actor: tuple[PretendedNode, int]) -> None:
        actor[0].living.discard(actor[1])

    def close(self) -> None:
        self.closed += 1


def _waits(call: PretendedCall) -> bool:
    """Ray answers a call of an actor that was ended, whatever its node does."""
    if call.actor not in call.node.living or call.node.dead:
        return False
    node, method = call.node, call.method
    return node.frozen or (method == "run" and node.busy) or (method == "prepare" and node.preparing)


def _answer(node: PretendedNode, method: str, *arguments: object) -> object:
    data = next((each for each in arguments if isinstance(each, bytes)), b"")
    node.requests.append((method, data))
    match method:
        case "describe":
            msgspec.msgpack.decode(data, type=Describe)
            report = NodeReport(environment=node.environment, slots=node.slots, code=node.code)
            return NodeRefused(reason=node.refusal) if node.refusal else report
        case "prepare":
            msgspec.msgpack.decode(data, type=Prepare)
            return NodeRefused(reason=node.unprepared) if node.unprepared else node.checks
        case "renew":
            return Renewed()
        case "run":
            request = msgspec.msgpack.decode(data, type=RunHere)
            (secrets,) = arguments[1]  # type: ignore[misc]
            node.jobs.append(with_secrets(request.job, msgspec.msgpack.decode(secrets, type=JobSecrets)))
            return node.answer(node.jobs[-1])
    return None
