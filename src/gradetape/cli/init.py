"""`gradetape init`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click


@click.command("init", short_help="Begin a course, with one question as an example.")
@click.argument("folder", default=".", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Begin a course in FOLDER, or here, with one question as an example.

    Nothing is overwritten: where a file of the same name is there already, nothing is written at all.

    \b
    Examples:
      gradetape init                a course in this folder
      gradetape init my-course      in a new one
    """
    from gradetape import scaffold as draft

    for path in draft.new_course(folder):
        click.echo(os.path.join(folder, path))
    there = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
    click.echo(f"A course with the example {draft.EXAMPLE}. Prove its checks: {there}gradetape verify")
