"""`gradetape grade --watch`."""

from __future__ import annotations

import time
from pathlib import Path

from gradetape.cli.lines import complain, warn
from gradetape.cli.progress_display import ProgressDisplay
from gradetape.cli.status import OK
from gradetape.cli.watching import changed_files
from gradetape.errors import GradetapeError, InfrastructureError
from gradetape.grading.events import BatchBegan, Event, Listener
from gradetape.grading.request import GradeRequest
from gradetape.grading.run import Interrupted
from gradetape.grading.watching import SETTLE_S, FolderWatch, places


class GradeWatch:
    """Grades what arrives in folders until Ctrl-C."""

    def __init__(self, root: Path, request: GradeRequest) -> None:
        self._root = root
        self._request = request

    def run(self) -> int:
        """Watches. Raises what is wrong at the beginning; later it is shown."""
        with FolderWatch(self._root, self._request) as watch:
            planned = watch.plan()
            warn(planned.warnings)
            changes = changed_files(places(planned, self._request.paths))
            next(changes)  # from here on, nothing that is saved is missed
            try:
                self._look(watch, first=True)
                due = time.monotonic() + SETTLE_S
                for changed in changes:
                    settled = watch.unsettled and time.monotonic() > due
                    if settled or (changed and watch.concerns(planned, changed)):
                        self._again(watch)
                        due = time.monotonic() + SETTLE_S
            except (KeyboardInterrupt, Interrupted):
                warn(["Stopped watching. The grades so far are kept."])
        return OK

    def _again(self, watch: FolderWatch) -> None:
        try:
            self._look(watch)
        except InfrastructureError as error:
            watch.restart()
            complain(error)
        except GradetapeError as error:
            complain(error)

    def _look(self, watch: FolderWatch, *, first: bool = False) -> None:
        planned = watch.plan()
        with ProgressDisplay() as progress:
            report = watch.look(planned, progress if first else _quietly(progress))
        if first or report.batch.recorded:
            warn(report.messages)
            warn(["Waiting for the next file. Ctrl-C ends."])


def _quietly(progress: ProgressDisplay) -> Listener:
    """Leaves out how many have a grade already: every look at the folders counts them again."""

    def listen(event: Event) -> None:
        if not isinstance(event, BatchBegan):
            progress(event)

    return listen
