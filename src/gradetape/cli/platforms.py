"""What `gradetape fetch` and `gradetape push` share: options that name an assignment on a platform, and progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from gradetape.cli.lines import warn
from gradetape.lms import LmsPlace

_Command = TypeVar("_Command", bound=Callable[..., Any])


def place_options(name: str) -> Callable[[_Command], _Command]:
    """The options that name an assignment on a platform."""

    def added(command: _Command) -> _Command:
        where = "that of its page, .../assignments/901" if name == "canvas" else "that of its page, .../view.php?id=901"
        text, count = f"The assignment's number: {where}.", click.IntRange(1)
        command = click.option("--id", "number", metavar="N", required=True, type=count, help=text)(command)
        if name == "canvas":
            text = "The course's number, in its address."
            command = click.option("--course", metavar="N", required=True, type=count, help=text)(command)
        return click.option("--url", metavar="URL", required=True, help="The platform's address.")(command)

    return added


def place(url: str, number: int, course: int | None = None) -> LmsPlace:
    """The assignment that the options name."""
    return LmsPlace(url=url, course="" if course is None else str(course), assignment=str(number))


def progress(name: str, number: int, total: int) -> None:
    """A line for each step."""
    warn([f"{number} of {total}: {name}"])
