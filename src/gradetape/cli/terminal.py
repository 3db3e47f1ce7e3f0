"""The terminal: a console that suits pipes too, and a progress bar."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


def console(*, stderr: bool = True) -> Console:
    """A terminal, or a file that gets neither colours nor broken lines."""
    return Console(stderr=stderr, soft_wrap=True)


def bar(verb: str) -> Progress:
    """A progress bar with an estimate of the time that is left, on stderr."""
    columns: list[Any] = [
        TextColumn(f"{verb} {{task.description}}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TextColumn("left"), TimeRemainingColumn(),
    ]  # fmt: skip
    return Progress(*columns, console=console(), transient=True)


def warn(messages: Iterable[str]) -> None:
    """Prints messages for a person, each on a line of its own, to stderr."""
    for message in messages:
        if message:
            click.echo(message, err=True)
