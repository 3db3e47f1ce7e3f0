"""Opens the engine for a Ray cluster; without the library, it says which command installs it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from gradetape.course.config import Config
from gradetape.course.gradable import GradableAssignment
from gradetape.engine.base import EngineOptions
from gradetape.engine.ray.cluster_types import Cluster
from gradetape.engine.ray.messages import NodeSettings
from gradetape.engine.ray.nodes import NodeStatus
from gradetape.engine.ray.ray_engine import RayEngine
from gradetape.errors import RequestError
from gradetape.records import AssignmentBundle

_OF_NODES = {"keras", "workers", "device", "workers_per_gpu", "isolation", "container", "limits"}


def open_engine(gradable: GradableAssignment, options: EngineOptions) -> RayEngine:
    """An engine on the cluster at `options.address`; the cluster is joined when the environment is asked for.

    Raises RequestError without the library.
    """
    return RayEngine(gradable.bundle(), settings_of(gradable, options), joining(options.address))


def nodes_of(config: Config, secret: tuple[Path, ...], address: str | None) -> tuple[NodeStatus, ...]:
    """The nodes of a cluster, each with a proven sandbox or with what it lacks; raises GradetapeError."""
    bundle = AssignmentBundle(assignment="", keras=str(config.keras), limits=config.limits.record(), files={})
    with RayEngine(bundle, node_settings(config, EngineOptions(), secret), joining(address)) as engine:
        return engine.statuses()


def joining(address: str | None) -> Callable[[], Cluster]:
    """What joins the cluster at an address; raises RequestError without the library."""
    try:
        from gradetape.engine.ray.joining import join
    except ModuleNotFoundError as error:
        raise RequestError(
            f"engine: ray needs the Python package {error.name}, which is not installed. Install it with: "
            "pip install 'gradetape[ray]'"
        ) from None
    return partial(join, address)


def settings_of(gradable: GradableAssignment, options: EngineOptions) -> NodeSettings:
    """What the nodes need of the course's configuration and of a command's options."""
    made = node_settings(gradable.course.config, options, gradable.secret_folders)
    return msgspec.structs.replace(made, packages=gradable.assignment.packages)


def node_settings(config: Config, options: EngineOptions, secret: tuple[Path, ...]) -> NodeSettings:
    """The same without an assignment."""
    workers = options.workers or (None if config.workers == "auto" else config.workers)
    return NodeSettings(
        config=config.model_dump_json(include=_OF_NODES, exclude_unset=True), workers=workers,
        isolation=options.isolation, device=options.device, secret=tuple(str(path.resolve()) for path in secret),
        hidden=tuple(str(path.resolve()) for path in options.hidden),
    )  # fmt: skip
