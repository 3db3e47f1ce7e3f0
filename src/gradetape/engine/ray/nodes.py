"""What the engine knows of each node, and which nodes judge alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from gradetape.engine.own_code import own_code
from gradetape.engine.ray.cluster_types import Actor, Call, NodeInfo
from gradetape.engine.ray.messages import NodeReport
from gradetape.records import Environment


class NodeState(StrEnum):
    """What a node is about to do.

    `paused`: it was lost, frozen or slow, and is opened again later. `refused`: it can never judge this batch.
    """

    OPENING = "opening"
    DESCRIBED = "described"
    PREPARING = "preparing"
    READY = "ready"
    PAUSED = "paused"
    REFUSED = "refused"


@dataclass
class Node:
    """A node of the cluster. Times are in seconds of `time.monotonic()`.

    `jobs` are the numbers of those that run there, `pings` the calls that only ask whether it is alive, by their time;
    `heard` is when it last answered one, `until` when a paused node may be opened again, `began` when it was asked to
    prepare itself. `why` says why it is refused or paused, until it is ready. `doubted`: it could not be prepared once.
    `losses` counts the jobs that it lost in a row, `loss` is the last reason.
    """

    info: NodeInfo
    actor: Actor = None
    state: NodeState = NodeState.OPENING
    report: NodeReport | None = None
    jobs: dict[int, Call] = field(default_factory=dict)
    pinged: float = 0.0
    heard: float = 0.0
    until: float = 0.0
    began: float = 0.0
    why: str = ""
    doubted: bool = False
    losses: int = 0
    loss: str = ""

    @property
    def slots(self) -> int:
        """How many jobs it judges at the same time; none before it has reported."""
        return self.report.slots if self.report is not None else 0

    @property
    def free(self) -> int:
        """How many more jobs it can take now."""
        return self.slots - len(self.jobs) if self.state is NodeState.READY else 0

    def refuse(self, why: str) -> None:
        """It does not judge in this batch."""
        self.state, self.why = NodeState.REFUSED, why


class NodeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said of a node: its places and environment, whether it is ready to judge, and why it is not."""

    name: str
    slots: int = 0
    environment: Environment | None = None
    ready: bool = False
    why: str = ""

    @classmethod
    def of(cls, node: Node) -> NodeStatus:
        """The status of a node now."""
        return cls(
            name=node.info.name, slots=node.slots, ready=node.state is NodeState.READY,
            why=node.why or node.state.value, environment=None if node.report is None else node.report.environment,
        )  # fmt: skip


def environment_of(nodes: Sequence[Node]) -> Environment | None:
    """The environment in which a batch is judged: with a GPU if a node has one, then that with the most slots.

    Nodes with other environments are refused by name, with what differs; None if no node has reported.
    """
    reported = [node for node in nodes if node.report is not None and node.state is NodeState.DESCRIBED]
    if not reported:
        return None
    slots: dict[str, int] = {}
    for node in reported:
        slots[_kind(node)] = slots.get(_kind(node), 0) + node.slots
    best = max(reported, key=lambda node: (_on_gpu(node), slots[_kind(node)]))
    assert best.report is not None
    for node in reported:
        refuse_different(node, best.report.environment)
    return best.report.environment


def refuse_different(node: Node, environment: Environment) -> None:
    """Refuses a node that would judge otherwise than the others."""
    if node.report is None:
        return
    if node.report.code != own_code():
        node.refuse("gradetape is another version there than here. Install the same one on every node.")
    elif differences := list(_differences(node.report.environment, environment)):
        node.refuse(f"{', '.join(differences)}. Give every node the same image.")


def _differences(there: Environment, here: Environment) -> Iterator[str]:
    if there.identity != here.identity:
        found, wanted = (" ".join(each.identity.split()) for each in (there, here))
        yield f"it judges with {found}, and the others with {wanted}"
    for name in sorted({*there.versions, *here.versions}):
        found, wanted = (each.versions.get(name, "missing") for each in (there, here))
        if found != wanted:
            yield f"{name} is {found} there, and {wanted} on the others"


def _kind(node: Node) -> str:
    assert node.report is not None
    return f"{node.report.environment.identity} {sorted(node.report.environment.versions.items())}"


def _on_gpu(node: Node) -> bool:
    return node.report is not None and node.report.environment.identity.endswith("gpu")
