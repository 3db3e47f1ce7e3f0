"""`gradetape export autograder`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape import __version__
from gradetape.bridges.bundle import gradescope_zip, otter_zip
from gradetape.cli.course import here
from gradetape.cli.exporting import PATH, put
from gradetape.cli.lines import warn
from gradetape.course.gradable import GradableAssignment
from gradetape.course.written import without_checks

_PACKAGE = f"gradetape[cpu]=={__version__}"


@click.command("autograder")
@click.argument("assignment")
@click.option("--for", "target", type=click.Choice(["otter", "gradescope"]), required=True, help="Who runs it.")
@click.option("--out", metavar="FILE", type=PATH, default="autograder.zip", help="[default: autograder.zip]")
@click.option(
    "--package", metavar="WHAT", default=_PACKAGE,
    help=f"What pip installs there: a requirement, or for Gradescope a wheel's path. [default: {_PACKAGE}]",
)  # fmt: skip
def command(assignment: str, target: str, out: Path, package: str) -> None:
    """Write an autograder that runs an assignment's checks under otter or on Gradescope.

    The zip is secret: it has the hidden checks, the reference solutions and the course's seed. There as here, the
    students' code runs in a sandbox that shows it none of them.

    \b
    Examples:
      gradetape export autograder custom-training --for gradescope
      gradetape export autograder custom-training --for otter --out otter.zip
    """
    gradable = GradableAssignment.open(here(), assignment)
    if left_out := without_checks(gradable.assignment):
        warn([f"The autograder leaves this out: {left_out}"])
    put(out, (otter_zip if target == "otter" else gradescope_zip)(gradable, package))
