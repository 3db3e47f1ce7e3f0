"""gradetape's command with an engine that runs nothing: what a submission of the tiny course gets depends on its text.

python -m tests.engines.pretending grade submissions/
"""

from __future__ import annotations

from gradetape.cli import main
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import EngineOptions, MockEngine
from gradetape.engine.factory import ENGINES
from gradetape.records import Environment
from tests.regrading import by_its_cells, checks_of


def open_engine(gradable: GradableAssignment, _: EngineOptions) -> MockEngine:
    """The engine for an assignment."""
    checks = checks_of(gradable)
    environment = Environment(isolation="namespaces", identity="mock", versions={"gradetape": "1"})
    return MockEngine(lambda job: by_its_cells(job, checks), checks=checks, environment=environment, capacity=2)


if __name__ == "__main__":
    ENGINES["local"] = open_engine
    main()
