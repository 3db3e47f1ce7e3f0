"""A Ray cluster, as the engine needs one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from gradetape.engine.ray.cluster_types import Actor, Call, NodeFailure, NodeInfo
from gradetape.engine.ray.node_actor import NodeActor


class RayCluster:
    """The cluster that this process has joined; `leave` is called at the end. Implements `Cluster`."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave = leave
        self._actor = ray.remote(NodeActor)

    def nodes(self) -> tuple[NodeInfo, ...]:
        """The nodes that are alive and have processors."""
        found = (_info(node) for node in ray.nodes() if node["Alive"])
        return tuple(sorted((node for node in found if node.processors), key=lambda node: (node.host, node.id)))

    def open(self, node: NodeInfo, processors: int) -> Actor:
        """An actor that is never started again by Ray: the engine does that."""
        return self._actor.options(
            num_cpus=min(processors, node.processors), num_gpus=node.gpus, max_restarts=0, max_task_retries=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id=node.id, soft=False),
        ).remote()  # fmt: skip

    def call(self, actor: Actor, method: str, *arguments: object) -> Call:
        """Calls a method, and does not wait."""
        return getattr(actor, method).remote(*arguments)

    def keep(self, data: bytes) -> Call:
        """Bytes in the object store; each node fetches them once."""
        return ray.put(data)

    def wait(self, calls: Sequence[Call], timeout_s: float) -> list[Call]:
        """The calls that are answered, or have failed."""
        first, left = ray.wait(list(calls), num_returns=1, timeout=timeout_s)
        others, _ = ray.wait(left, num_returns=len(left), timeout=0) if first and left else ([], left)
        return [*first, *others]

    def result(self, call: Call) -> bytes | NodeFailure | None:
        """The answer, or what Ray says of the failure in its first line."""
        try:
            answer: bytes | None = ray.get(call)
        except RayError as error:
            return NodeFailure(next(iter(str(error).strip().splitlines()), type(error).__name__))
        return answer

    def kill(self, actor: Actor) -> None:
        """Ends an actor at once."""
        with suppress(RayError):
            ray.kill(actor)

    def close(self) -> None:
        """Leaves the cluster, or ends it if this process has started it."""
        self._leave()


def _info(node: dict[str, Any]) -> NodeInfo:
    resources = node["Resources"]
    return NodeInfo(
        id=node["NodeID"], host=node["NodeManagerHostname"], processors=int(resources.get("CPU", 0)),
        gpus=resources.get("GPU", 0.0), folder=str(PurePosixPath(node["ObjectStoreSocketName"]).parents[2]),
    )  # fmt: skip
