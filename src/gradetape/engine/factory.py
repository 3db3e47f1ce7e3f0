"""The engines, by their names for `engine:` in grader_config.yml."""

from __future__ import annotations

from gradetape.course.gradable import GradableAssignment
from gradetape.engine import local
from gradetape.engine.base import Engine, EngineOptions, OpenEngine
from gradetape.engine.ray import opening as ray
from gradetape.errors import RequestError

ENGINES: dict[str, OpenEngine] = {"local": local.open_engine, "ray": ray.open_engine}
_AS_CONFIGURED = EngineOptions()


def open_engine(gradable: GradableAssignment, options: EngineOptions = _AS_CONFIGURED) -> Engine:
    """The engine that the options name, otherwise the course's configuration.

    Raises RequestError for an address without a cluster or a library that is not installed, InfrastructureError if this
    machine lacks something that the engine needs: a GPU, a container engine, its image.
    """
    name = options.engine or gradable.course.config.engine
    if options.address is not None and name != "ray":
        raise RequestError(
            "--address is the address of a Ray cluster, and this grades with engine: local. Add --engine ray."
        )
    return ENGINES[name](gradable, options)
