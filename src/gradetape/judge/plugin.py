"""The pytest plugin: `pytest autograder/` checks the reference, `pytest autograder/ --submission FILE` a submission.

Outside a course it adds an option and four marks, and does nothing else.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import pytest

from gradetape.errors import GradetapeError, InfrastructureError, StudentError
from gradetape.judge.context import CheckContext
from gradetape.judge.items import check_of, place_of, refuse_frameworks
from gradetape.records import CheckResult
from gradetape.text import printable

MARKS = (
    "points(number): what the check is worth",
    "hint(text): what the student reads when the check does not pass",
    "limit(seconds): how long the check may take",
    "gpu: the check needs a GPU",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--submission`."""
    group = parser.getgroup("gradetape")
    group.addoption(
        "--submission", metavar="FILE", help="check this notebook, script or zip, not the reference solution"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marks, and the judge where no server has registered one."""
    for mark in MARKS:
        config.addinivalue_line("markers", mark)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Refuses a check file that imports TensorFlow; and makes a judge for the session at the first check file."""
    if place_of(module_path) is None:
        return None
    try:
        refuse_frameworks(module_path)
    except GradetapeError as error:
        return Refused.from_parent(parent, path=module_path, reason=str(error))
    _appoint(parent.config)
    return None


class Refused(pytest.File):
    """A check file that is not collected; raised any earlier, its error would cost the other files in its folder."""

    def __init__(self, *, reason: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._reason = reason

    def collect(self) -> NoReturn:
        """Tells why."""
        raise self.CollectError(self._reason)


def _appoint(config: pytest.Config) -> None:
    from gradetape.judge.session import Judge

    if not any(isinstance(plugin, Judge) for plugin in config.pluginmanager.get_plugins()):
        desk = InProcessHost(config)
        config.pluginmanager.register(desk, "gradetape-desk")
        config.pluginmanager.register(Judge(desk), "gradetape-judge")


class InProcessHost:
    """The host of an instructor's own pytest session: one zygote, and a bench for each assignment that it meets."""

    def __init__(self, config: pytest.Config) -> None:
        from contextlib import ExitStack

        self._file = config.getoption("--submission")
        self._contexts: dict[tuple[Path, str], CheckContext] = {}
        self._stack = ExitStack()
        config.add_cleanup(self._stack.close)

    def context(self, item: pytest.Item) -> CheckContext:
        """The bench of the item's assignment, made at its first check; a person's mistake ends the session."""
        try:
            check_of(item)
            return self._context(item)
        except InfrastructureError:
            raise
        except GradetapeError as error:
            raise pytest.UsageError(f"gradetape: {error}") from None

    def _context(self, item: pytest.Item) -> CheckContext:
        from gradetape.judge.in_process import open_context

        place = place_of(item.path)
        assert place is not None
        root, assignment, _, _ = place
        if (root, assignment) not in self._contexts:
            self._contexts[root, assignment] = open_context(self._stack, root, assignment, self._file)
        return self._contexts[root, assignment]

    def began(self, item: pytest.Item, seconds: float) -> None:
        """Nobody else keeps the time here."""

    def ended(self, result: CheckResult) -> None:
        """pytest reports."""

    def lost(self, error: InfrastructureError) -> None:
        """No check can be judged any more."""
        pytest.exit(f"gradetape: {error}", returncode=1)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """pytest shows a failure at the check's own line, and its debugger opens there, not in gradetape behind it."""
        if call.excinfo is None or place_of(item.path) is None or call.excinfo.errisinstance(InfrastructureError):
            return
        _end_at(str(item.path), call.excinfo.tb)
        if isinstance(error := call.excinfo.value, StudentError) and error.traceback:
            error.add_note(printable(error.traceback))


def _end_at(file: str, first: TracebackType) -> None:
    """Cuts a traceback that ends within gradetape after its last frame of a file."""
    frames = [first]
    while (following := frames[-1].tb_next) is not None:
        frames.append(following)
    own = [each for each in frames if each.tb_frame.f_code.co_filename == file]
    if own and str(frames[-1].tb_frame.f_globals.get("__name__")).startswith("gradetape."):
        own[-1].tb_next = None
