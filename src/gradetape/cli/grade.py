"""`gradetape grade`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.grade_watching import GradeWatch
from gradetape.cli.lines import document, say, warn
from gradetape.cli.progress_display import ProgressDisplay
from gradetape.cli.status import ATTENTION, OK
from gradetape.engine import EngineOptions
from gradetape.exports import as_json as json_document
from gradetape.grading.changes import as_json as changes_as_json
from gradetape.grading.mixed import as_json as mixed_as_json
from gradetape.grading.request import GradePlan, GradeRequest, plan
from gradetape.grading.results import points_of_checks
from gradetape.grading.run import GradeReport, Interrupted, run, workload
from gradetape.grading.selection import LAYOUTS, is_in_zip
from gradetape.grading.shards import Shard
from gradetape.grading.workload import Workload
from gradetape.text import composed


class _Submissions(click.Path):
    """A file or a folder, also one in a zip that exists, as staff pages name it."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        return Path(value) if is_in_zip(Path(value)) else super().convert(value, param, ctx)


@click.command("grade")
@click.argument("paths", nargs=-1, required=True, type=_Submissions(exists=True, path_type=Path))
@click.option("--assignment", metavar="NAME", help="Assignment to grade for; overrides the notebooks' metadata.")
@click.option(
    "--student", metavar="NAME", type=composed,
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
    "--results",
    "out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder for the gradebook and the pages. [default: results in grader_config.yml]",
)
@options.roster
@options.roster_map
@click.option("--question", metavar="ID", help="Judge only this question; a unique prefix of its id is enough.")
@click.option("--regrade", is_flag=True, help="Judge everything again, also what has a result.")
@click.option(
    "--shard", metavar="I/N", help="Grade only the I-th of N shares, such as 3/16; merge joins their gradebooks."
)
@click.option(
    "--only-failed", is_flag=True,
    help="Only submissions whose last grade is not final; other options then are about these.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what would run and why, and stop.")
@click.option("--watch", is_flag=True, help="Stay running, and grade what arrives in the folders or is changed.")
@options.engine
@options.address
@options.workers
@click.option("--device", type=click.Choice(["auto", "cpu", "gpu"]), help="Device that TensorFlow uses.")
@click.option(
    "--isolation", type=click.Choice(["namespaces", "container", "none"]), help="Isolation of the students' code."
)
@options.as_json
def command(
    paths: tuple[Path, ...], assignment: str | None, student: str | None, layout: str | None, out: Path | None,
    roster: Path | None, roster_map: Path | None, question: str | None, regrade: bool, shard: str | None,
    only_failed: bool, dry_run: bool, watch: bool, engine: str | None, address: str | None, workers: int | None,
    device: str | None, isolation: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Grade notebooks, scripts, zips, or folders of them, into the gradebook and the result pages.

    Run it again to continue, or after a change: only what has no valid result is judged. The command shows first what
    will run and why, and at the end whose points changed.

    \b
    Examples:
      gradetape grade submissions/
      gradetape grade alice.ipynb bob.zip --assignment custom-training
      gradetape grade downloads/homework.ipynb --student alice
      gradetape grade submissions/ --question q05 --json
      gradetape grade submissions/ --dry-run
      gradetape grade submissions/ --assignment custom-training --watch
      gradetape grade submissions/ --shard 3/16 --out results/shards/3
      gradetape grade submissions/ --engine ray --address 10.0.0.1:6379
    """
    request = GradeRequest(
        paths=paths, assignment=assignment, student=student, layout=layout, out=out, question=question, regrade=regrade,
        shard=Shard.parse(shard) if shard is not None else None, only_failed=only_failed,
        engine=EngineOptions(engine=engine, address=address, workers=workers, isolation=isolation, device=device),
        roster=roster, roster_map=roster_map,
    )  # fmt: skip
    if watch:
        _refuse_unfit(paths, student, alone=not (dry_run or as_json or only_failed))
        sys.exit(GradeWatch(here().root, request).run())
    planned = plan(here(), request)
    warn(planned.warnings)
    if dry_run:
        _show(workload(planned), as_json=as_json)
        return
    with ProgressDisplay() as progress:
        try:
            report = run(planned, progress)
        except Interrupted as interrupted:
            raise click.Abort(*interrupted.args) from None
    if as_json:
        document(_document(planned, report))
    warn(report.messages)
    sys.exit(ATTENTION if report.needs_attention else OK)


def _refuse_unfit(paths: Sequence[Path], student: str | None, *, alone: bool) -> None:
    if student is not None or not alone or not all(path.is_dir() for path in paths):
        raise click.UsageError(
            "--watch looks at folders: name folders, and leave out --student, --dry-run, --json and --only-failed"
        )


def _show(planned: Workload, *, as_json: bool) -> None:
    if as_json:
        document(planned.as_json())
    else:
        say(*planned.lines)


def _document(planned: GradePlan, report: GradeReport) -> dict[str, object]:
    assignment = planned.gradable.assignment
    found = json_document(
        report.batch.grades, report.batch.unreadable, assignment.name, report.batch.isolation,
        max_points=points_of_checks(assignment, planned.question), older=report.older,
        no_submission=report.no_submission,
    )  # fmt: skip
    changed = {"changes": changes_as_json(report.changes)} if report.changes else {}
    return found | changed | ({"mixed": mixed_as_json(report.mixed)} if report.mixed else {})
