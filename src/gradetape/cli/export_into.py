"""The subcommands of `gradetape export` that fill a platform's own file: one for each of `exports.registry`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.exporting import PATH, one_of, put
from gradetape.cli.lines import say, warn
from gradetape.course.assignments import Assignment, Course
from gradetape.errors import RequestError
from gradetape.exports import ExportedScore, FieldChange, FilledFile, FillRequest, GradePlatform, fill
from gradetape.exports.platform import tidied
from gradetape.grading.results import Results, max_points
from gradetape.grading.scores import exported_scores
from gradetape.text import counted

_HELP = """Fill the final scores into a file of grades that {title} has exported.

FILE is {file}. One column is filled{comments}; everything else in the file stays as it is, byte for byte. A student is
recognised by id, login or email, else by a name that is unique. Nobody without a final score gets points, not even 0.
Upload the filled file to {title}.

\b
Examples:
  gradetape export {name} --into grades.csv --dry-run
  gradetape export {name} --into grades.csv --out filled.csv
"""


def subcommand(name: str, platform: GradePlatform) -> click.Command:
    """The command that fills a platform's file."""
    comments = ", and the feedback comments unless they are somebody else's" if name == "moodle" else ""
    text = _HELP.format(name=name, title=platform.title, file=platform.file, comments=comments)

    @click.command(name, help=text, short_help=f"Fill the scores into {platform.title}'s own file of grades.")
    @click.option("--into", metavar="FILE", type=PATH, required=True, help="The file that the platform exported.")
    @click.option("--assignment", metavar="NAME", help="The assignment, if the gradebook has several.")
    @click.option("--column", metavar="NAME", default="", help="The column to fill. [default: the assignment's]")
    @click.option(
        "--match", "pairs", metavar="STUDENT=ID", multiple=True, help="The row of a student, by an id, login or email."
    )
    @click.option("--partial", is_flag=True, help="Leave out students who have no row.")
    @click.option("--dry-run", is_flag=True, help="Print what would change, and write nothing.")
    @click.option("--out", metavar="FILE", type=PATH, help="May be the same file. [default: NAME-filled beside it]")
    @options.results_alone
    def export(
        into: Path, assignment: str | None, column: str, pairs: tuple[str, ...], partial: bool, dry_run: bool,
        out: Path | None, results_folder: Path | None,
    ) -> None:  # fmt: skip
        content = _content(into)
        scores, of = scores_of(here(), name, assignment, results_folder)
        request = FillRequest(
            name=str(into), scores=scores, titles=(of.title, of.name), max_points=max_points(of), column=column,
            chosen=pairs_of(pairs), partial=partial,
        )  # fmt: skip
        filled = fill(platform, content, request)
        _report(filled)
        if dry_run:
            say("Nothing was written.")
        else:
            put(out or into.with_name(f"{into.stem}-filled{into.suffix}"), filled.content)

    return export


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror}. Name the exported file with --into.") from error


def scores_of(
    course: Course, name: str, asked: str | None, folder: Path | None
) -> tuple[tuple[ExportedScore, ...], Assignment]:
    """The scores of an assignment, and the assignment."""
    with Results.open(course, folder) as results:
        warn([results.book.migrated])
        chosen = one_of(results, name, asked)
        found = exported_scores(results, chosen)
        warn(found.warnings)
        return found.scores, results.course.assignment(chosen)


def pairs_of(texts: Iterable[str]) -> dict[str, str]:
    """The identifiers of rows by the names of students, as `--match` gives them."""
    found = {}
    for text in texts:
        student, sign, identifier = text.rpartition("=")
        if not sign or not student.strip() or not identifier.strip():
            raise click.UsageError(f"--match is STUDENT=ID, such as --match 'Jane Doe=12345', not {text!r}")
        found[tidied(student)] = identifier.strip()
    return found


def _report(filled: FilledFile) -> None:
    say(f"Column: {filled.column}", *map(_shown, filled.points))
    comments = f", {counted(len(filled.comments), 'comment')}" if filled.comments else ""
    say(f"{counted(len(filled.points), 'score')}{comments} to change.")
    warn(filled.notes)


def _shown(change: FieldChange) -> str:
    student = "" if change.student in change.row.names else f", {change.student} in the gradebook"
    return f"{change.row.label}{student}: {change.before or 'empty'} -> {change.after}"
