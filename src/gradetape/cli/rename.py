"""`gradetape rename`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape import scaffold
from gradetape.cli import options, questions
from gradetape.cli.course import here
from gradetape.cli.lines import say, warn
from gradetape.grading.results import Results, options_again
from gradetape.grading.students import known_student, rename
from gradetape.text import composed


@click.group("rename")
def command() -> None:
    """Give a question another id, or a student another name.

    \b
    Examples:
      gradetape rename question q05_custom_loss q05_quantile_loss
      gradetape rename student jdoe "Jane Doe"
    """


@command.command("question")
@click.argument("old")
@click.argument("new")
@questions.assignment
@questions.dry_run
@questions.force
@options.results_folder
def question(
    old: str, new: str, assignment: str | None, dry_run: bool, force: bool, results_folder: Path | None
) -> None:
    """Rename a question in all places at once: its files in every folder, and its line in assignment.yml.

    It is refused if submissions to the assignment are graded, since their results have the former id. With --force the
    files are renamed and the results stay as they are: grade the submissions again, and give overrides of the question
    again.

    \b
    Examples:
      gradetape rename question q05 q05_quantile_loss --dry-run
      gradetape rename question q05_custom_loss q07_custom_loss --assignment week-3
    """
    course = here()
    of, question_id = questions.found(course, old, assignment)
    change = scaffold.rename(course, of.name, question_id, new)
    if not dry_run:
        questions.refuse_graded(course, of.name, results_folder, forced=force)
        scaffold.make(course, change)
    questions.report(course, change, question_id, only_listed=dry_run)


@command.command("student")
@click.argument("old", type=composed)
@click.argument("new", type=composed)
@options.by
@options.results_folder
def student(old: str, new: str, by: str | None, results_folder: Path | None) -> None:
    """Give a student another name in the gradebook and on the pages, in all assignments.

    A submission that still has the former name is a new student's when it is graded again, unless a platform's id or
    the class list says whose it is. `gradetape audit` shows who renamed whom.

    \b
    Example:
      gradetape rename student jdoe "Jane Doe"
    """
    course = here()
    with Results.open(course, results_folder) as results:
        warn([results.book.migrated])
        known = known_student(results, old)
        folder = results_folder or course.root / course.config.results
        done = rename(results, folder, known, new, options.user(by), options=options_again(results_folder))
    warn(done.warnings)
    say(f"Renamed {done.entry.old} to {done.entry.new} in {', '.join(done.assignments)}.")
