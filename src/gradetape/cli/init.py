"""`gradetape init`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from gradetape import scaffold
from gradetape.cli.lines import say


@click.command("init")
@click.argument("folder", default=".", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Create a course in FOLDER, or in the working directory, with one example question.

    Nothing is overwritten: if a file of the same name exists, nothing is written at all.

    \b
    Examples:
      gradetape init                a course in this folder
      gradetape init my-course      in a new one
    """
    for path in scaffold.new_course(folder):
        say(os.path.join(folder, path))
    there = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
    say(f"Created a course with the example {scaffold.EXAMPLE}. Prove its checks: {there}gradetape verify")
