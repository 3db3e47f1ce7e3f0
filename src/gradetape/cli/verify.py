"""`gradetape verify`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from gradetape.cli import common
from gradetape.cli.common import ATTENTION, OK

if TYPE_CHECKING:
    from gradetape.course.gradable import GradableAssignment
    from gradetape.verify import Proof


@click.command("verify", short_help="Prove the checks.")
@click.argument("assignments", nargs=-1)
@click.option("--question", metavar="STEM", help="Prove the checks of one question only.")
@click.option(
    "--repeat",
    metavar="N",
    type=click.IntRange(1, 100),
    default=1,
    help="Run the right solutions N times, to find flaky checks.",
)
@click.option("--workers", metavar="N", type=click.IntRange(1, 512), help="How many solutions to run side by side.")
@common.as_json
def command(
    assignments: tuple[str, ...], question: str | None, repeat: int, workers: int | None, as_json: bool
) -> None:
    """Prove the checks: with the reference, the variants, the starter, the mutants and the adversaries.

    \b
    Examples:
      gradetape verify
      gradetape verify custom-training --question q05_custom_loss
      gradetape verify custom-training --repeat 5 --json
    """
    from gradetape.verify.table import render

    course = common.here()
    workers = workers or common.workers_of(course.config)
    names = common.names_of(course, assignments)
    if as_json and len(names) != 1:
        raise click.UsageError("--json describes one assignment: name it")
    proofs = []
    for name in names:
        proof = _proven(common.gradable_assignment(course, name, question), workers, question, repeat)
        proofs.append(proof)
        if not as_json:
            render(proof, common.console(stderr=False))
    if as_json:
        click.echo(json.dumps(proofs[0].as_json(), indent=2))
        click.echo("\n".join(proofs[0].problems), err=True)
    sys.exit(OK if all(proof.ok for proof in proofs) else ATTENTION)


def _proven(gradable: GradableAssignment, workers: int, question: str | None, repeat: int) -> Proof:
    from gradetape.verify import verify as prove

    with common.bar("verifying") as bar:
        task = bar.add_task(gradable.assignment.name, total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return prove(gradable, workers=workers, question=question, repeat=repeat, progress=progress)
