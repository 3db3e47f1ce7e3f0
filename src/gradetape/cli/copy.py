"""`gradetape copy`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape import scaffold
from gradetape.cli import questions
from gradetape.cli.course import here
from gradetape.course import assignments
from gradetape.course.assignments import Course
from gradetape.course.question_ids import resolve_any
from gradetape.errors import RequestError


@click.group("copy")
def command() -> None:
    """Copy a question of another course or assignment.

    \b
    Example:
      gradetape copy question ../other-course/week-3/q05_custom_loss
    """


@command.command("question")
@click.argument("origin", metavar="COURSE/ASSIGNMENT/QUESTION")
@click.option("--to", "assignment", metavar="NAME",
              help="The assignment to copy it to. [default: the one of the same name, or the only one]")  # fmt: skip
@click.option("--as", "name", metavar="ID", help="The id of the copy. [default: the same id]")
@click.option("--after", metavar="ID", help="The question that the copy follows. [default: the last one]")
@questions.dry_run
def question(origin: str, assignment: str | None, name: str | None, after: str | None, dry_run: bool) -> None:
    """Copy a question with all its files and points into an assignment of this course.

    COURSE is the folder of a course; leave it out for this one.

    \b
    Examples:
      gradetape copy question ../last-year/week-3/q05_custom_loss
      gradetape copy question week-3/q05 --to week-4 --as q01_custom_loss
    """
    course = here()
    source, old_assignment, wanted = _origin(course, origin)
    old = resolve_any(wanted, source.assignment(old_assignment))
    target = assignment or _target(course, old_assignment)
    following = after and resolve_any(after, course.assignment(target))
    change = scaffold.copy(source, (old_assignment, old), course, (target, name or old), following)
    if not dry_run:
        scaffold.make(course, change, source)
    questions.report(course, change, None, only_listed=dry_run)


def _origin(course: Course, text: str) -> tuple[Course, str, str]:
    """The course, the assignment and the question that COURSE/ASSIGNMENT/QUESTION names."""
    path = Path(text)
    if len(path.parts) < 2:
        raise RequestError(
            f"{text!r} names no assignment: write COURSE/ASSIGNMENT/QUESTION, such as ../other-course/week-3/q05"
        )
    folder = path.parent.parent
    if len(path.parts) > 2 and assignments.root_of(folder) != folder.resolve():
        raise RequestError(f"{folder} is not the folder of a course: there is no grader_config.yml in it")
    return (assignments.find(folder) if len(path.parts) > 2 else course), path.parent.name, path.name


def _target(course: Course, same: str) -> str:
    names = course.names()
    if same in names or len(names) == 1:
        return same if same in names else names[0]
    raise RequestError(
        f"this course has no assignment {same!r}: name the one to copy to with --to ({', '.join(names) or 'none yet'})"
    )
