"""`gradetape request`."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.lines import say, warn
from gradetape.cli.updating import write_pages
from gradetape.grading import regrade_requests
from gradetape.grading.request_files import requests_in
from gradetape.grading.results import Results
from gradetape.records import RegradeRequest
from gradetape.text import as_points, composed, counted, printable

_NAME, _TEXT = 60, 300
_ASSIGNMENT = click.option("--assignment", metavar="NAME", help="The assignment, if several have the question.")


@click.group("request")
def command() -> None:
    """Import, list and answer regrade requests of students.

    \b
    Examples:
      gradetape request import requests.csv
      gradetape request list
      gradetape request answer 3 1.5 --reason "You are right: the sign was not asked for."
    """


@command.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--student", metavar="NAME", type=composed, help="Whose text the file is; overrides what it says.")
@click.option("--question", metavar="ID", help="The question that the text is about; overrides what it says.")
@_ASSIGNMENT
@options.by
@options.results_folder
def import_requests(
    files: tuple[Path, ...], student: str | None, question: str | None, assignment: str | None, by: str | None,
    results_folder: Path | None,
) -> None:  # fmt: skip
    """Import requests from text files of students, or from CSV files with a row for each request.

    A text file may begin with the lines "student: NAME" and "question: ID"; without the first, its name says whose it
    is. A CSV file has the columns student (or name, id, email), question, and text (or request, reason), and may have
    assignment. A file gives a student's whole name or id; for --student, a part is enough. A request that was imported
    before, in the same words, is not added again.

    \b
    Examples:
      gradetape request import requests.csv
      gradetape request import jane.txt --student "Jane Doe" --question q06
    """
    chosen = {"student": student, "question": question, "assignment": assignment}
    given = {name: value for name, value in chosen.items() if value}
    texts = [msgspec.structs.replace(each, **given) for path in files for each in requests_in(path)]
    with Results.open(here(), results_folder) as results:
        warn([results.book.migrated])
        done = regrade_requests.add(results, texts, options.user(by), parts=bool(student))
        say(*(f"Added: {_described(each)}" for _, each in done.added))
        warn([f"{counted(done.known, 'request')} there before."] if done.known else [])
        for name, who in dict.fromkeys((name, each.student) for name, each in done.added):
            write_pages(results, results_folder, name, who)


@command.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only those without an answer.")
@_ASSIGNMENT
@options.results_folder
def list_requests(only_open: bool, assignment: str | None, results_folder: Path | None) -> None:
    """List the requests with their numbers and answers.

    \b
    Example:
      gradetape request list --open
    """
    with Results.open(here(), results_folder) as results:
        warn([results.book.migrated])
        found = list(regrade_requests.all_of(results, results.assignments(assignment), only_open=only_open))
        say(*(f"{each.number}: {each.at}, in {name}: {_described(each)}{_answered(each)}" for name, each in found))
    if not found:
        warn(["There are no requests."])


@command.command("answer")
@click.argument("number", type=click.IntRange(1))
@click.argument("points", type=float, required=False)
@click.option("--reason", metavar="TEXT", help="The answer, which the student reads.")
@options.by
@options.results_folder
def answer_request(
    number: int, points: float | None, reason: str | None, by: str | None, results_folder: Path | None
) -> None:
    """Answer a request: with POINTS, which override those of the question, or with a reason alone.

    \b
    Examples:
      gradetape request answer 3 1.5 --reason "You are right: the sign was not asked for."
      gradetape request answer 4 --reason "The question asks for the mean over the batch."
    """
    with Results.open(here(), results_folder) as results:
        warn([results.book.migrated])
        made = regrade_requests.answer(results, number, points, reason, options.user(by))
        say(f"{_described(made)}{_answered(made)}")
        write_pages(results, results_folder, regrade_requests.assignment_of(results, number), made.student)


def _described(request: RegradeRequest) -> str:
    return f"{printable(request.student, _NAME)}, {request.question}: {printable(request.text, _TEXT)}"


def _answered(request: RegradeRequest) -> str:
    if not request.answered_at:
        return ""
    points = "" if request.points is None else f" {as_points(request.points)}:"
    back = f", taken back {request.undone_at} by {request.undone_by}" if request.undone_at else ""
    answer = printable(request.answer, _TEXT)
    return f" [answered {request.answered_at} by {request.answered_by}:{points} {answer}{back}]"
