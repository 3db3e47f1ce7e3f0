"""The host of an instructor's own pytest session: everything but the workers runs in this process."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import pytest

from gradetape import intake
from gradetape.course import assignments as courses
from gradetape.course.check_files import check_file
from gradetape.course.gradable import GradableAssignment
from gradetape.errors import GradetapeError, InfrastructureError, StudentError
from gradetape.judge.context import CheckContext
from gradetape.judge.items import check_of
from gradetape.records import CheckResult, Submission
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime.slots import Slots
from gradetape.text import printable


class InProcessHost:
    """The host of an instructor's own pytest session: one zygote, and a check context for each assignment."""

    def __init__(self, config: pytest.Config) -> None:
        self._file = config.getoption("--submission")
        self._contexts: dict[tuple[Path, str], CheckContext] = {}
        self._stack = ExitStack()
        config.add_cleanup(self._stack.close)

    def context(self, item: pytest.Item) -> CheckContext:
        """The context of the item's assignment, opened at its first check. A user's mistake ends the session."""
        try:
            check_of(item)
            return self._context(item)
        except InfrastructureError:
            raise
        except GradetapeError as error:
            raise pytest.UsageError(f"gradetape: {error}") from None

    def _context(self, item: pytest.Item) -> CheckContext:
        file = check_file(item.path)
        assert file is not None
        key = file.root, file.assignment
        if key not in self._contexts:
            self._contexts[key] = _open_context(self._stack, *key, self._file)
        return self._contexts[key]

    def began(self, item: pytest.Item, seconds: float) -> None:
        """Does nothing: no other process keeps the time."""

    def ended(self, result: CheckResult, said: str) -> None:
        """Does nothing: pytest reports the result, to staff."""

    def lost(self, error: InfrastructureError) -> None:
        """Ends the session: no check can be judged any more."""
        pytest.exit(f"gradetape: {error}", returncode=1)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Shows a failure, and opens the debugger, at the check's own line instead of in gradetape's code."""
        if call.excinfo is None or check_file(item.path) is None or call.excinfo.errisinstance(InfrastructureError):
            return
        _end_at(str(item.path), call.excinfo.tb)
        if isinstance(error := call.excinfo.value, StudentError) and error.traceback:
            error.add_note(printable(error.traceback))


def _end_at(file: str, first: TracebackType) -> None:
    """Cuts a traceback that ends in gradetape after its last frame in a file."""
    frames = [first]
    while (following := frames[-1].tb_next) is not None:
        frames.append(following)
    own = [each for each in frames if each.tb_frame.f_code.co_filename == file]
    if own and str(frames[-1].tb_frame.f_globals.get("__name__")).startswith("gradetape."):
        own[-1].tb_next = None


def _open_context(stack: ExitStack, root: Path, assignment: str, file: str | None) -> CheckContext:
    """The check context of an assignment, for the submission in `file` or, without one, for the reference."""
    gradable = GradableAssignment.open(courses.find(root), assignment)
    config = gradable.course.config
    cells = gradable.reference if file is None else _submission(gradable.course, file, assignment).cells
    job = gradable.job(cells, config.limits.record(), trusted=file is None)
    slots = Slots.of(config, workers=1, secret=gradable.secret_folders)
    lease = stack.enter_context(slots.open()).take()
    control = ZygoteClient(lease.zygote.path, lease.slot)
    stack.callback(control.close)
    context = CheckContext(control, job, beside=gradable.bundle().student_files)
    stack.callback(context.close)
    return context


def _submission(course: courses.Course, file: str, assignment: str) -> Submission:
    found = intake.read([Path(file)], assignment=assignment, secret=course.secret_places)
    if len(found) != 1:
        raise pytest.UsageError(f"--submission takes one notebook, script or zip: {file} holds {len(found)}")
    if not isinstance(found[0], Submission):
        raise pytest.UsageError(f"{file}: {found[0].reason}")
    return found[0]
