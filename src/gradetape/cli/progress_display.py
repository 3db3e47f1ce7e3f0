"""The progress of a batch on stderr."""

from __future__ import annotations

from rich.progress import Progress, TaskID
from rich.text import Text

from gradetape.cli.lines import line
from gradetape.cli.terminal import bar, console
from gradetape.grading.events import (
    BatchBegan,
    Event,
    GraderJoined,
    SubmissionGraded,
    SubmissionLost,
    SubmissionReplaced,
    SubmissionRetried,
    Warned,
    WorkPlanned,
)
from gradetape.records import Grade
from gradetape.text import one_line

_NAME = 60


class ProgressDisplay:
    """A listener that shows a bar with an ETA on a terminal, and a line for each submission elsewhere."""

    def __init__(self) -> None:
        self._console = console()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._total = 0
        self._done = 0

    def __call__(self, event: Event) -> None:
        """Shows an event."""
        match event:
            case BatchBegan():
                self._begin(event)
            case WorkPlanned(workload):
                for text in workload.lines:
                    self._print(text)
            case SubmissionGraded(grade):
                self._graded(grade)
            case SubmissionRetried(student, reason):
                self._print(f"{one_line(student, _NAME)}: will be judged again: {one_line(reason)}")
            case SubmissionReplaced(student):
                self._print(f"{one_line(student, _NAME)}: replaced by a newer submission")
            case SubmissionLost(student, _):
                self._print(f"{one_line(student, _NAME)}: could not be judged")
            case Warned(message):
                self._print(message)
            case GraderJoined(other):
                self._print(
                    f"Another grader uses this gradebook (process {other.pid} on {other.host}). This run skips "
                    "the submissions that it has claimed, and uses its grades."
                )

    def __enter__(self) -> ProgressDisplay:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _begin(self, event: BatchBegan) -> None:
        self._total = (event.total or 0) - event.known
        if event.known:
            self._print(
                f"{event.known} of {event.total} already have a grade and are skipped (--regrade repeats them)."
            )
        if self._total and self._console.is_terminal:
            self._bar = bar("grading")
            self._bar.start()
            self._task = self._bar.add_task("", total=self._total)

    def _graded(self, grade: Grade) -> None:
        self._done += 1
        # Rich would read the brackets in a string as markup; it prints a Text unchanged.
        shown = Text(f"{one_line(grade.student, _NAME)}: {grade.points:g} of {grade.max_points:g}")
        if grade.reasons:
            shown.append(" needs attention", "yellow")
        if self._bar is not None and self._task is not None:
            self._bar.console.print(shown)
            self._bar.advance(self._task)
        else:
            self._console.print(Text(f"{self._done}/{self._total} " if self._total else "").append_text(shown))

    def _print(self, message: str) -> None:
        self._console.print(Text(line(message)))
