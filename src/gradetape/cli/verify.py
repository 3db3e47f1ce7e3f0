"""`gradetape verify`."""

from __future__ import annotations

import json
import sys

import click

from gradetape.cli import options
from gradetape.cli.course import here, names_of
from gradetape.cli.status import ATTENTION, OK
from gradetape.cli.terminal import bar, console
from gradetape.course.assignments import Course
from gradetape.course.gradable import GradableAssignment
from gradetape.course.question_ids import resolve
from gradetape.engine import EngineOptions
from gradetape.verify import Proof
from gradetape.verify import verify as prove
from gradetape.verify.mutation import Sample, mutate
from gradetape.verify.mutation.report import render as render_report
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
@click.option(
    "--mutate", "mutated", is_flag=True, help="Generate mutants instead, and show those that pass every check."
)
@click.option(
    "--sample", metavar="N", type=click.IntRange(1), help="With --mutate: only N mutants, spread over the questions."
)
@click.option("--seed", metavar="S", type=int, default=0, show_default=True, help="With --sample: which N.")
@options.workers
@options.as_json
def command(
    assignments: tuple[str, ...], question: str | None, repeat: int, mutated: bool, sample: int | None, seed: int,
    workers: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Prove the checks: run them on solutions whose result is known.

    The reference and the variants, which are right, must pass every check. The untouched starter and the adversaries,
    which are made to fool checks, must get almost no points. Each mutant, a solution with one mistake, must fail the
    checks that its header names.

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
    if mutated:
        drawn = Sample(size=sample, seed=seed) if sample else None
        sys.exit(max(_mutated(course, name, question, drawn, workers, as_json) for name in names))
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
    course: Course, name: str, question: str | None, sample: Sample | None, workers: int | None, as_json: bool
) -> int:
    """Runs the generated mutants of an assignment, and returns the exit status."""
    gradable = GradableAssignment.open(course, name)
    question_id = None if question is None else resolve(question, gradable.assignment)
    with bar("running mutants of") as progress:
        task = progress.add_task(name, total=None)

        def update(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        report = mutate(
            gradable, EngineOptions(workers=workers), question=question_id, sample=sample, progress=update
        )  # fmt: skip
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        render_report(report, console(stderr=False))
    return ATTENTION if report.survivors else OK
