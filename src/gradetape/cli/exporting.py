"""What the subcommands of `gradetape export` share: the one assignment of a file, and how a file is written."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape import files
from gradetape.cli.lines import say
from gradetape.errors import RequestError
from gradetape.grading.results import Results

PATH = click.Path(dir_okay=False, path_type=Path)


def one_of(results: Results, what: str, asked: str | None) -> str:
    """The one assignment that is asked for, or that has grades; `what` holds no more than one."""
    names = results.assignments(asked)
    if len(names) > 1:
        raise click.UsageError(f"{what} holds one assignment: choose {' or '.join(names)} with --assignment")
    return names[0]


def put(path: Path, content: bytes) -> None:
    """Writes a file at once, or not at all; raises RequestError."""
    if path.exists() and not path.is_file():
        raise RequestError(f"{path} is not a file. Choose another one with --out.")
    try:
        files.replace(path, content)
    except OSError as error:
        raise RequestError(f"{path} cannot be written: {error.strerror}. Choose another file with --out.") from error
    say(f"Written to {path}.")
