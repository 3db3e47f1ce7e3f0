"""`gradetape release`."""

from __future__ import annotations

import os

import click

from gradetape.cli.course import here, names_of
from gradetape.cli.lines import say
from gradetape.release import left_out, release
from gradetape.text import few


@click.command("release")
@click.argument("assignments", nargs=-1)
def command(assignments: tuple[str, ...]) -> None:
    """Build student/, the files for students, from assignments/.

    \b
    Examples:
      gradetape release                     every assignment
      gradetape release custom-training     one of them
    """
    course = here()
    for name in names_of(course, assignments):
        assignment = course.assignment(name)
        folder = release(assignment, course.root / "student", course.config.keras == "legacy")
        say(f"{os.path.relpath(folder)} is ready for students.")
        if files := left_out(assignment):
            names = few(path.relative_to(assignment.folder).as_posix() for path in files)
            where = f"assignments/{name}/assignment.yml"
            say(f"Students do not receive {names}: list files for them under files in {where}.")
