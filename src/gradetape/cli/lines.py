"""The lines that commands print. Every message passes through here, and is one line whatever texts it holds."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click

from gradetape.text import one_line

_LONGEST = 20_000


def line(message: str) -> str:
    """A message as one line: newlines and control characters, which a text in it may have, are shown as escapes."""
    return one_line(message, _LONGEST)


def say(*messages: str) -> None:
    """Prints messages to stdout, one per line."""
    for message in messages:
        click.echo(line(message))


def warn(messages: Iterable[str]) -> None:
    """Prints messages to stderr, one per line; empty ones are left out."""
    for message in messages:
        if message:
            click.echo(line(message), err=True)


def complain(error: Exception) -> None:
    """Prints an error to stderr. Its line breaks are gradetape's own: untrusted text in an error has none."""
    warn(f"gradetape: {error}".split("\n"))


def document(value: object) -> None:
    """Prints a value as JSON to stdout."""
    click.echo(json.dumps(value, indent=2))
