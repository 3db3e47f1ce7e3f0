"""A mock of an engine for the tiny course: every check that is asked for passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradetape.engine import Engine, MockEngine, OpenEngine
from gradetape.engine.factory import ENGINES
from gradetape.records import Check, CheckResult, Job, Outcome, Verdict
from tests.course import DOUBLE, HALVE, tiny

RIGHT = f"{DOUBLE}\n{HALVE}\n"
CHECKS = (
    Check(question="q01_double", name="test_two", public=True, title="Two.", hint="", points=3),
    Check(question="q02_halve", name="test_four", public=False, title="Four.", hint="", points=2),
)


def all_pass(job: Job) -> Outcome:
    """Each check that the job asks for passes."""
    wanted = [check for check in CHECKS if job.only is None or check.id in job.only]
    return Outcome(
        results=tuple(CheckResult(check=each, verdict=Verdict.PASSED, points=each.points, seconds=0) for each in wanted)
    )


def always(engine: Engine) -> OpenEngine:
    """What opens this engine, whatever the configuration says."""
    return lambda gradable, options: engine


def passing_course(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """A tiny course in which nothing is run: every check passes."""
    patch.setitem(ENGINES, "local", always(MockEngine(all_pass, checks=CHECKS)))
    return tiny(folder)
