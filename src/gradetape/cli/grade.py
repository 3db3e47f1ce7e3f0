"""`gradetape grade`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.lines import document, warn
from gradetape.cli.progress_display import ProgressDisplay
from gradetape.cli.status import ATTENTION, OK
from gradetape.engine import EngineOptions
from gradetape.exports import as_json as json_document
from gradetape.grading.request import GradePlan, GradeRequest, plan
from gradetape.grading.results import max_points
from gradetape.grading.run import GradeReport, Interrupted, run
from gradetape.grading.selection import LAYOUTS


@click.command("grade")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--assignment", metavar="NAME", help="Assignment to grade for; overrides the notebooks' metadata.")
@click.option(
    "--student", metavar="NAME", type=options.student_name,
    help="Student name for a single submission; overrides the file name.",
)  # fmt: skip
@click.option(
    "--layout",
    metavar="NAME",
    type=click.Choice(LAYOUTS),
    help=f"Layout of the folder: {', '.join(LAYOUTS)}. [default: recognised]",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the gradebook and the pages. [default: results in grader_config.yml]",
)
@click.option(
    "--question", metavar="ID", help="Grade only this question, into DIR/ID; a unique prefix of the id is enough."
)
@click.option("--regrade", is_flag=True, help="Also grade submissions that already have a grade.")
@options.workers
@click.option("--device", type=click.Choice(["auto", "cpu", "gpu"]), help="Device that TensorFlow uses.")
@click.option(
    "--isolation", type=click.Choice(["namespaces", "container", "none"]), help="Isolation of the students' code."
)
@options.as_json
def command(
    paths: tuple[Path, ...], assignment: str | None, student: str | None, layout: str | None, out: Path | None,
    question: str | None, regrade: bool, workers: int | None, device: str | None, isolation: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Grade notebooks, scripts, zips, or folders of them, into the gradebook and the result pages.

    Run it again to continue: submissions that have a grade are skipped.

    \b
    Examples:
      gradetape grade submissions/
      gradetape grade alice.ipynb bob.zip --assignment custom-training
      gradetape grade downloads/homework.ipynb --student alice
      gradetape grade submissions/ --question q05 --json
    """
    request = GradeRequest(
        paths=paths, assignment=assignment, student=student, layout=layout, out=out, question=question, regrade=regrade,
        engine=EngineOptions(workers=workers, isolation=isolation, device=device),
    )  # fmt: skip
    planned = plan(here(), request)
    warn(planned.warnings)
    with ProgressDisplay() as progress:
        try:
            report = run(planned, progress)
        except Interrupted as interrupted:
            raise click.Abort(*interrupted.args) from None
    if as_json:
        document(_document(planned, report))
    warn(report.messages)
    sys.exit(ATTENTION if report.needs_attention else OK)


def _document(planned: GradePlan, report: GradeReport) -> dict[str, object]:
    assignment = planned.gradable.assignment
    return json_document(
        report.batch.grades, report.batch.unreadable, assignment.name, planned.engine.environment.isolation,
        max_points=max_points(assignment, planned.question),
    )  # fmt: skip
