"""The pytest plugin: `pytest autograder/` checks the reference, `pytest autograder/ --submission FILE` a submission.

pytest loads it in every session of an environment with gradetape, so it imports the judge only at the first check file
of a course. Outside a course it only adds one option and the marks.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from gradetape.course.check_files import check_file
from gradetape.errors import GradetapeError
from gradetape.judge.items import refuse_frameworks
from gradetape.judge.registry import MARKS


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--submission`."""
    group = parser.getgroup("gradetape")
    group.addoption(
        "--submission", metavar="FILE", help="check this notebook, script or zip instead of the reference solution"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marks."""
    for mark in MARKS:
        config.addinivalue_line("markers", f"{mark.signature}: {mark.description}")


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Collects check files as such, and registers a judge at the session's first one.

    pytest asks this of every file in the folder of each file that it is given: here no file is read.
    """
    if check_file(module_path) is None:
        return None
    _register_judge(parent.config)
    return CheckModule.from_parent(parent, path=module_path)


class CheckModule(pytest.Module):
    """A check file; one that imports TensorFlow, or that Python cannot parse, is refused when it is collected."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Its checks."""
        try:
            refuse_frameworks(self.path)
        except GradetapeError as error:
            raise self.CollectError(str(error)) from None
        return super().collect()


def _register_judge(config: pytest.Config) -> None:
    """Registers a judge in this process, unless a judge server has registered its own."""
    from gradetape.judge.session import Judge

    if any(isinstance(plugin, Judge) for plugin in config.pluginmanager.get_plugins()):
        return
    from gradetape.judge.in_process import InProcessHost

    host = InProcessHost(config)
    config.pluginmanager.register(host, "gradetape-host")
    config.pluginmanager.register(Judge(host), "gradetape-judge")
