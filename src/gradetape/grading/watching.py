"""Grades what arrives in folders, with an engine that stays warm.

Each look at the folders is a run like any other: it judges what has no valid result. So a new file, a file that has
changed and a changed check file need no case of their own. A file that cannot be read and is only moments old may be
half-written: it is left for the next look. One that was gone before it could be read is none.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Self

import msgspec

from gradetape.course.assignments import find
from gradetape.engine import OpenEngine, open_engine
from gradetape.engine.warm import WarmEngine
from gradetape.grading.events import Listener
from gradetape.grading.request import GradePlan, GradeRequest, plan
from gradetape.grading.run import GradeReport, run
from gradetape.records import Unreadable

SETTLE_S = 2.0


class FolderWatch:
    """Looks at folders again and again. A context manager; `unsettled`: a file is left for the next look."""

    def __init__(self, root: Path, request: GradeRequest, open_engine: OpenEngine = open_engine) -> None:
        self._root = root
        self._request = request
        self._warm = WarmEngine(open_engine)
        self._course: object = None
        self.unsettled = False

    def plan(self) -> GradePlan:
        """What there is to grade now, and the warm engine; raises GradetapeError."""
        planned = plan(find(self._root), self._request, self._warm.open)
        there = [entry for entry in planned.selection.unreadable if not _has_vanished(entry)]
        unreadable = tuple(entry for entry in there if not _is_young(entry))
        self.unsettled = len(unreadable) < len(there)
        return replace(planned, selection=msgspec.structs.replace(planned.selection, unreadable=unreadable))

    def look(self, planned: GradePlan, listener: Listener) -> GradeReport:
        """Grades what has no valid result; the first report is about everything, later ones about what is new."""
        course = (planned.gradable.course, planned.gradable.assignment)
        report = run(planned, listener, sparing=course == self._course)
        self._course = course
        self._request = msgspec.structs.replace(self._request, regrade=False)
        _ = planned.engine.collected  # from now on the workers are warm
        return report

    def concerns(self, planned: GradePlan, paths: Iterable[Path]) -> bool:
        """Whether one of these files can change a grade: the results folder's own files cannot."""
        results = planned.folder.resolve()
        return any(not path.is_relative_to(results) for path in paths)

    def restart(self) -> None:
        """Ends the engine: the next look starts another one."""
        self._warm.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._warm.close()


def places(planned: GradePlan, paths: Iterable[Path]) -> list[Path]:
    """The folders and files to watch: the submissions, and what decides their grades."""
    gradable = planned.gradable
    course = (gradable.assignment.folder, gradable.answer_key.solutions, gradable.answer_key.autograder)
    files = (gradable.course.root / "grader_config.yml", gradable.answer_key.autograder.parent / "seed")
    return [path for path in (*paths, *course, *files, *gradable.course.private_tables) if path.exists()]


def _has_vanished(entry: Unreadable) -> bool:
    """Whether a file was listed and then gone: what replaces it is a change of its own."""
    file = Path(entry.file)
    return not entry.sha256 and file.parent.is_dir() and not os.path.lexists(file)


def _is_young(entry: Unreadable) -> bool:
    try:
        return time.time() - Path(entry.file).stat().st_mtime < SETTLE_S
    except OSError:
        return False
