"""`gradetape comment`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.lines import say, warn
from gradetape.cli.updating import write_pages
from gradetape.grading import check_overrides, comments, overrides
from gradetape.grading.results import Results
from gradetape.records import Comment
from gradetape.text import composed, printable

_NAME, _TEXT = 60, 300


@click.command("comment")
@click.argument("student", type=composed, required=False)
@click.argument("text", required=False)
@click.option("--question", metavar="ID", help="The question, by its id or a unique prefix of it, such as q05.")
@click.option("--check", metavar="NAME", help="The check of the question that the comment is about.")
@click.option("--remove", metavar="N", type=click.IntRange(1), help="Remove the comment with this number in --list.")
@click.option("--list", "listed", is_flag=True, help="List all comments, removed ones included, on all or one student.")
@options.by
@click.option("--assignment", metavar="NAME", help="The assignment, if several have a question with that id.")
@options.results_folder
def command(
    student: str | None, text: str | None, question: str | None, check: str | None, remove: int | None, listed: bool,
    by: str | None, assignment: str | None, results_folder: Path | None,
) -> None:  # fmt: skip
    """Comment on a student's answer; remove or list comments.

    The student reads the comment on the page and in the feedback that is pushed to a platform. It stays when the
    submission is graded again. The pages are written anew. A student is found by the name or id, or by any part of them
    that only one student has.

    \b
    Examples:
      gradetape comment alice --question q06 "The gradient is right. Look at the sign once more."
      gradetape comment alice --question q06 --check test_sign "This one is about the sign."
      gradetape comment --list
      gradetape comment --remove 3
    """
    with Results.open(here(), results_folder) as results:
        warn([results.book.migrated])
        if listed:
            _list(results, assignment, student)
            return
        if remove is not None:
            of, removed = comments.remove(results, remove, options.user(by))
            say(_ended(f"Removed: {_described(removed)}"))
            write_pages(results, results_folder, of, removed.student)
            return
        if student is None or question is None:
            raise click.UsageError('name the student and the question: gradetape comment NAME --question q06 "…"')
        target = overrides.target(results, student, question, assignment)
        about = check_overrides.check_named(results.book.latest(target.assignment), target, check).id if check else ""
        say(_ended(_described(comments.give(results, target, text, options.user(by), about))))
        write_pages(results, results_folder, target.assignment, target.student)


def _list(results: Results, assignment: str | None, student: str | None) -> None:
    found = comments.history(results, results.assignments(assignment), student)
    for name, comment in found:
        removed = f" [removed {comment.removed_at} by {comment.removed_by}]" if comment.removed_at else ""
        say(f"{comment.number}: {comment.at} {comment.by}, in {name}: {_described(comment)}{removed}")
    if not found:
        warn(["There are no comments."])


def _described(comment: Comment) -> str:
    return f"{printable(comment.student, _NAME)}, {comment.check or comment.question}: {printable(comment.text, _TEXT)}"


def _ended(text: str) -> str:
    """A text with a full stop, unless it ends a sentence itself."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
