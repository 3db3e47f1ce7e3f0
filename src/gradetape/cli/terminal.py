"""The terminal: a console that also works in pipes, and a progress bar."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
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


def warn(messages: Iterable[str]) -> None:
    """Prints messages to stderr, one per line."""
    for message in messages:
        if message:
            click.echo(message, err=True)
