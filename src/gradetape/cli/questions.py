"""Options and messages of the commands that change the questions of an assignment."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape import scaffold
from gradetape.cli.lines import say
from gradetape.course.assignments import Assignment, Course
from gradetape.course.question_ids import resolve_any
from gradetape.errors import RequestError
from gradetape.grading.results import graded_students
from gradetape.text import few

assignment = click.option(
    "--assignment", metavar="NAME", help="The assignment, if several have a question with that id."
)
dry_run = click.option("--dry-run", is_flag=True, help="List what would change, and change nothing.")
force = click.option(
    "--force",
    is_flag=True,
    help="Also if submissions are graded: their results keep the former questions until you grade them again.",
)


def found(course: Course, question: str, name: str | None) -> tuple[Assignment, str]:
    """The assignment of a question, and its full id.

    Raises RequestError if no assignment has the question, or if several have it.
    """
    every = [course.assignment(each) for each in ([name] if name else course.names())]
    question_id = resolve_any(question, *every)
    having = [each for each in every if question_id in each.order]
    if len(having) > 1:
        raise RequestError(
            f"{question_id} is in {few(each.name for each in having)}: name the assignment with --assignment"
        )
    return having[0], question_id


def refuse_graded(course: Course, name: str, folder: Path | None, *, forced: bool) -> None:
    """Raises RequestError if submissions to the assignment are graded, unless `forced`."""
    count = 0 if forced else graded_students(course, name, folder)
    if count:
        raise RequestError(
            f"{name} has results (of {count} student{'' if count == 1 else 's'}), in which the question has its former "
            "id and points. With --force the files change and these results stay as they are: grade the submissions "
            "again afterwards, and give overrides of this question again."
        )


def report(course: Course, change: scaffold.Change, former: str | None, *, only_listed: bool) -> None:
    """Prints what changed, other files that name the former id, and what to do next."""
    for path, target in change.parts:
        say(f"{path} -> {target}" if target else f"{path} removed")
    for path, text in change.texts:
        say(f"{path} {'changed' if text else 'removed'}")
    named = scaffold.mentions(course, change.assignment, former) if former and not only_listed else ()
    if named:
        say(f"{former} is still named in {few(map(str, named))}. Change these by hand.")
    if only_listed:
        say("Nothing was changed, since this is a dry run.")
        return
    released = (course.root / "student" / change.assignment).is_dir()
    following = ["verify", "release"] if released else ["verify"]
    say(f"Next: {', then '.join(f'gradetape {verb} {change.assignment}' for verb in following)}")
