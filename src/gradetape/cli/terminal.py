"""The terminal: a console that also works in pipes, and a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


def console(*, stderr: bool = True) -> Console:
    """A console on a terminal, or on a file, without colours or line breaks."""
    return Console(stderr=stderr, soft_wrap=True)


def bar(verb: str) -> Progress:
    """A progress bar with the estimated remaining time, on stderr."""
    columns: list[Any] = [
        TextColumn(f"{verb} {{task.description}}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("left"), TimeRemainingColumn(),
    ]  # fmt: skip
    return Progress(*columns, console=console(), transient=True)


@contextmanager
def counting(verb: str, what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar; gives the function that is called with the number of finished items and their total."""
    with bar(verb) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
