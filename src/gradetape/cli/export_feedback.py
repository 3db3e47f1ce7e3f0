"""`gradetape export feedback`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.exporting import PATH, one_of, put
from gradetape.cli.lines import warn
from gradetape.exports.feedback import FEEDBACK, zipped
from gradetape.grading.feedback import feedback_pages
from gradetape.grading.results import Results


@click.command("feedback")
@click.option("--for", "target", type=click.Choice(list(FEEDBACK)), required=True, help="Where the pages go.")
@click.option("--out", metavar="FILE", type=PATH, required=True, help="The zip to write.")
@click.option("--assignment", metavar="NAME", help="The assignment, if the gradebook has several.")
@click.option("--partial", is_flag=True, help="Leave out students whose name on the platform is unknown.")
@options.results_alone
def command(target: str, out: Path, assignment: str | None, partial: bool, results_folder: Path | None) -> None:
    """Write the students' pages as a zip, named as a platform's bulk upload of feedback wants it.

    Each student has one page, which holds nothing of anybody else and nothing for staff only. Moodle takes the zip with
    "Upload multiple feedback files in a zip", Canvas with "Upload Submissions".

    \b
    Examples:
      gradetape export feedback --for moodle --out feedback.zip
      gradetape export feedback --for zip --assignment custom-training --out pages.zip
    """
    with Results.open(here(), results_folder) as results:
        warn([results.book.migrated])
        found = feedback_pages(results, one_of(results, "the zip", assignment))
    warn(found.warnings)
    made = zipped(FEEDBACK[target], found.pages, partial=partial)
    warn(made.left_out)
    put(out, made.content)
