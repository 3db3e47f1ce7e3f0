"""Every command of the command line, for the tests that look at all of them."""

from __future__ import annotations

import click


def commands(command: click.Command, path: str) -> list[tuple[str, click.Command]]:
    """A command and every command below it, with the words that call it."""
    if not isinstance(command, click.Group):
        return [(path, command)]
    context = click.Context(command, info_name=path)
    inner = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
    return [(path, command), *(found for name, each in inner if each for found in commands(each, f"{path} {name}"))]
