"""Where jobs are judged. `Engine` is the contract; `LocalEngine` judges on this machine, `MockEngine` in tests.

`open_engine` makes the engine that a course's configuration names.
"""

from gradetape.engine.base import Engine, EngineOptions, Finished, OpenEngine, judge
from gradetape.engine.factory import open_engine
from gradetape.engine.local import LocalEngine
from gradetape.engine.mock import MockEngine

__all__ = ["Engine", "EngineOptions", "Finished", "LocalEngine", "MockEngine", "OpenEngine", "judge", "open_engine"]
