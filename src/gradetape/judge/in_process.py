"""A bench for an instructor's own pytest session: everything in this process but the far side."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from gradetape import intake
from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.judge.context import CheckContext
from gradetape.records import Submission
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime.slots import Slots


def open_context(stack: ExitStack, root: Path, assignment: str, file: str | None) -> CheckContext:
    """The bench of an assignment, with the reference on it, or the submission in `file`."""
    gradable = GradableAssignment.open(courses.find(root), assignment)
    config = gradable.course.config
    cells = gradable.reference if file is None else _submission(file, assignment).cells
    job = gradable.job(cells, config.limits.record(), trusted=file is None)
    lease = stack.enter_context(Slots.of(config, workers=1, secret=gradable.secret_folders).open()).take()
    control = ZygoteClient(lease.zygote.path, lease.slot)
    stack.callback(control.close)
    context = CheckContext(control, job)
    stack.callback(context.close)
    return context


def _submission(file: str, assignment: str) -> Submission:
    found = intake.read([Path(file)], assignment=assignment)
    if len(found) != 1:
        raise pytest.UsageError(f"--submission takes one notebook, script or zip: {file} holds {len(found)}")
    if not isinstance(found[0], Submission):
        raise pytest.UsageError(f"{file}: {found[0].reason}")
    return found[0]
