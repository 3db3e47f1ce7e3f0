"""The engines, by their names for `engine:` in grader_config.yml."""

from __future__ import annotations

from gradetape.course.gradable import GradableAssignment
from gradetape.engine import local
from gradetape.engine.base import Engine, EngineOptions, OpenEngine

ENGINES: dict[str, OpenEngine] = {"local": local.open_engine}
_AS_CONFIGURED = EngineOptions()


def open_engine(gradable: GradableAssignment, options: EngineOptions = _AS_CONFIGURED) -> Engine:
    """The engine that the course's configuration names.

    Raises InfrastructureError if this machine lacks something that the engine needs: a GPU, a container engine, its
    image.
    """
    return ENGINES[gradable.course.config.engine](gradable, options)
