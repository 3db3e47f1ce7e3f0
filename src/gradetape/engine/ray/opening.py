"""Opens the engine for a Ray cluster; without the library, it says which command installs it."""

from __future__ import annotations

from functools import partial

from gradetape.course.config import Config
from gradetape.course.gradable import GradableAssignment
from gradetape.engine.base import EngineOptions
from gradetape.engine.ray.messages import NodeSettings
from gradetape.engine.ray.ray_engine import RayEngine
from gradetape.errors import RequestError

_OF_NODES = {"keras", "workers", "device", "workers_per_gpu", "isolation", "container", "limits"}


def open_engine(gradable: GradableAssignment, options: EngineOptions) -> RayEngine:
    """An engine on the cluster at `options.address`; the cluster is joined when the environment is asked for.

    Raises RequestError without the library.
    """
    try:
        from gradetape.engine.ray.joining import join
    except ModuleNotFoundError as error:
        raise RequestError(
            f"engine: ray needs the Python package {error.name}, which is not installed. Install it with: "
            "pip install 'gradetape[ray]'"
        ) from None
    return RayEngine(gradable.bundle(), settings_of(gradable, options), partial(join, options.address))


def settings_of(gradable: GradableAssignment, options: EngineOptions) -> NodeSettings:
    """What the nodes need of the course's configuration and of a command's options."""
    config: Config = gradable.course.config
    workers = options.workers or (None if config.workers == "auto" else config.workers)
    return NodeSettings(
        config=config.model_dump_json(include=_OF_NODES, exclude_unset=True), workers=workers,
        isolation=options.isolation, device=options.device,
        secret=tuple(str(path.resolve()) for path in gradable.secret_folders),
        hidden=tuple(str(path.resolve()) for path in options.hidden), packages=gradable.assignment.packages,
    )  # fmt: skip
