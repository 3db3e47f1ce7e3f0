"""The pytest plugin: `pytest autograder/` checks the reference, `pytest autograder/ --submission FILE` a submission.

pytest loads it in every session of an environment with gradetape, so it imports the judge only at the first check file
of a course. Outside a course it only adds one option and the marks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

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
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Refuses a check file that imports TensorFlow, and registers a judge at the session's first check file."""
    if check_file(module_path) is None:
        return None
    try:
        refuse_frameworks(module_path)
    except GradetapeError as error:
        return Refused.from_parent(parent, path=module_path, reason=str(error))
    _register_judge(parent.config)
    return None


class Refused(pytest.File):
    """A check file that is not collected. Raised earlier, its error would end the collection of its folder."""

    def __init__(self, *, reason: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._reason = reason

    def collect(self) -> NoReturn:
        """Raises the reason."""
        raise self.CollectError(self._reason)


def _register_judge(config: pytest.Config) -> None:
    """Registers a judge in this process, unless a judge server has registered its own."""
    from gradetape.judge.session import Judge

    if any(isinstance(plugin, Judge) for plugin in config.pluginmanager.get_plugins()):
        return
    from gradetape.judge.in_process import InProcessHost

    host = InProcessHost(config)
    config.pluginmanager.register(host, "gradetape-host")
    config.pluginmanager.register(Judge(host), "gradetape-judge")
