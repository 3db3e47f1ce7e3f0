"""How a batch goes, told on stderr. Imported when a batch begins: rich takes its time."""

from __future__ import annotations

from rich.progress import Progress as Bar
from rich.progress import TaskID
from rich.text import Text

from gradetape.cli import common
from gradetape.gradebook import Grader
from gradetape.records import Grade
from gradetape.text import printable


class Progress:
    """A bar with an ETA on a terminal, a line for each submission elsewhere; always on stderr."""

    def __init__(self) -> None:
        self._console = common.console()
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._total = 0
        self._done = 0

    def begin(self, total: int, known: int) -> None:
        """Says what there is to do."""
        self._total = total - known
        if known:
            self._console.print(f"{known} of {total} are graded already and are not graded again (--regrade does).")
        if self._total and self._console.is_terminal:
            self._bar = common.bar("grading")
            self._bar.start()
            self._task = self._bar.add_task("", total=self._total)

    def graded(self, grade: Grade) -> None:
        """Counts a submission."""
        self._done += 1
        # A Text is printed as it stands, where Rich would take the brackets in a string for markup.
        line = Text(f"{printable(grade.student, 60)}: {grade.points:g} of {grade.max_points:g}")
        if grade.attention:
            line.append(" needs attention", "yellow")
        if self._bar is not None and self._task is not None:
            self._bar.console.print(line)
            self._bar.advance(self._task)
        else:
            self._console.print(Text(f"{self._done}/{self._total} ").append_text(line))

    def shared(self, other: Grader) -> None:
        """Says who else is at work."""
        self._console.print(
            f"Another grader is at work on this gradebook (process {other.pid} on {other.host}). What it has in hand "
            "is left to it, and its grades are taken over.",
            markup=False,
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
