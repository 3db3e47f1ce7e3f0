"""`gradetape verify`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from gradetape.cli import options
from gradetape.cli.course import here, names_of
from gradetape.cli.mutation import MutationOptions, mutation_options, run
from gradetape.cli.status import ATTENTION, OK
from gradetape.cli.terminal import bar, console
from gradetape.course.assignments import Course
from gradetape.course.gradable import GradableAssignment
from gradetape.course.question_ids import resolve
from gradetape.engine import EngineOptions
from gradetape.verify import Proof
from gradetape.verify import verify as prove
from gradetape.verify.table import render


@click.command("verify")
@click.argument("assignments", nargs=-1)
@options.question
@click.option(
    "--repeat",
    metavar="N",
    type=click.IntRange(1, 100),
    default=1,
    help="Run the reference and the variants N times to find flaky checks.",
)
@mutation_options
@options.workers
@options.as_json
def command(
    assignments: tuple[str, ...], question: str | None, repeat: int, workers: int | None, as_json: bool, **mutating: Any
) -> None:
    """Prove the checks: run them on solutions whose result is known.

    The reference and the variants, which are right, must pass every check. The untouched starter and the adversaries,
    which are made to fool checks, must get almost no points. Each mutant, a solution with one mistake, must fail the
    checks that its header names.

    With --mutate, mutants are generated instead: small changes of the reference and the variants, one at a time. Those
    that pass every check show what the checks do not test.

    \b
    Examples:
      gradetape verify
      gradetape verify custom-training --question q05
      gradetape verify custom-training --repeat 5 --json
      gradetape verify custom-training --question q05 --mutate
    """
    course = here()
    names = names_of(course, assignments)
    if as_json and len(names) != 1:
        raise click.UsageError("--json describes one assignment: name it")
    chosen = MutationOptions(**mutating)
    chosen.refuse_alone()
    if chosen.mutated:
        sys.exit(max(_mutated(course, name, question, chosen, workers, as_json) for name in names))
    proofs = []
    for name in names:
        gradable = GradableAssignment.open(course, name)
        question_id = None if question is None else resolve(question, gradable.assignment)
        proof = _proven(gradable, question_id, repeat, workers)
        proofs.append(proof)
        if not as_json:
            render(proof, console(stderr=False))
    if as_json:
        click.echo(json.dumps(proofs[0].as_json(), indent=2))
        click.echo("\n".join(proofs[0].problems), err=True)
    sys.exit(OK if all(proof.ok for proof in proofs) else ATTENTION)


def _proven(gradable: GradableAssignment, question: str | None, repeat: int, workers: int | None) -> Proof:
    with bar("verifying") as progress:
        task = progress.add_task(gradable.assignment.name, total=None)

        def update(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        return prove(gradable, EngineOptions(workers=workers), question=question, repeat=repeat, progress=update)


def _mutated(
    course: Course, name: str, question: str | None, chosen: MutationOptions, workers: int | None, as_json: bool
) -> int:
    gradable = GradableAssignment.open(course, name)
    question_id = None if question is None else resolve(question, gradable.assignment)
    return run(gradable, question_id, chosen, workers, as_json=as_json)
