"""`gradetape release`."""

from __future__ import annotations

import os

import click

from gradetape.cli.common import here, names_of


@click.command("release")
@click.argument("assignments", nargs=-1)
def command(assignments: tuple[str, ...]) -> None:
    """Build student/ from assignments/: what students receive.

    \b
    Examples:
      gradetape release                     every assignment
      gradetape release custom-training     one of them
    """
    from gradetape.release import release as build

    course = here()
    for name in names_of(course, assignments):
        folder = build(course.assignment(name), course.root / "student", course.config.keras == "legacy")
        click.echo(f"{os.path.relpath(folder)} is ready for students.")
