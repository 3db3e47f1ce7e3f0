"""A bench for an instructor's own pytest session: everything in this process but the far side."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from gradetape import course as courses
from gradetape import intake
from gradetape.judge.bench import Bench
from gradetape.judge.cases import Exam
from gradetape.places import Places
from gradetape.records import Submission
from gradetape.wire.control import Control


def open_bench(stack: ExitStack, root: Path, assignment: str, file: str | None) -> Bench:
    """The bench of an assignment, with the reference on it, or the submission in `file`."""
    exam = Exam.open(courses.find(root), assignment)
    config = exam.course.config
    cells = exam.reference if file is None else _submission(file, assignment).cells
    case = exam.case(cells, config.limits.record(), trusted=file is None)
    seat = stack.enter_context(Places.of(config, workers=1, secret=exam.secret_folders).open()).take()
    control = Control(seat.zygote.path, seat.slot)
    stack.callback(control.close)
    bench = Bench(control, case)
    stack.callback(bench.close)
    return bench


def _submission(file: str, assignment: str) -> Submission:
    found = intake.read([Path(file)], assignment=assignment)
    if len(found) != 1:
        raise pytest.UsageError(f"--submission takes one notebook, script or zip: {file} holds {len(found)}")
    if not isinstance(found[0], Submission):
        raise pytest.UsageError(f"{file}: {found[0].reason}")
    return found[0]
