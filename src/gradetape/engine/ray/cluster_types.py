"""What the engine needs of a cluster: its nodes, an actor on each, and calls that are answered later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

Call = Any  # a reference of Ray, which can be a key of a dictionary
Actor = Any


class NodeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A node: its name, the processors and GPUs that Ray may use there, and the folder with Ray's own files."""

    id: str
    host: str
    processors: int
    gpus: float
    folder: str

    @property
    def name(self) -> str:
        """The host's name, and the beginning of the id, since several nodes may be on one host."""
        return f"{self.host} ({self.id[:8]})"


class NodeFailure(msgspec.Struct, frozen=True):
    """Why a call was not answered."""

    reason: str


class Cluster(Protocol):
    """What the engine needs of a cluster."""

    def nodes(self) -> tuple[NodeInfo, ...]:
        """The nodes that are alive and may compute."""

    def open(self, node: NodeInfo, processors: int) -> Actor:
        """An actor on a node, which gets that many processors and all GPUs once they are free there."""

    def call(self, actor: Actor, method: str, *arguments: object) -> Call:
        """Calls a method, and does not wait."""

    def keep(self, data: bytes) -> Call:
        """Bytes that nodes can fetch; they are gone when nothing refers to them."""

    def wait(self, calls: Sequence[Call], timeout_s: float) -> list[Call]:
        """The calls that are answered; waits for the first."""

    def result(self, call: Call) -> bytes | NodeFailure | None:
        """The answer of a call that is answered."""

    def kill(self, actor: Actor) -> None:
        """Ends an actor at once."""

    def close(self) -> None:
        """Leaves the cluster."""
