"""`gradetape verify`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TypeVar

import click
import msgspec

from gradetape.cli import options
from gradetape.cli.course import here, names_of
from gradetape.cli.lines import document, warn
from gradetape.cli.mutation import MutationOptions, mutation_options, run
from gradetape.cli.proving import ProvingOptions, outcomes_of, proven, proving_options, shown
from gradetape.cli.watching import Watch
from gradetape.course.assignments import Course
from gradetape.course.gradable import GradableAssignment
from gradetape.course.question_ids import resolve
from gradetape.course.written import without_checks
from gradetape.verify.outcomes import Outcomes

_Options = TypeVar("_Options", bound=msgspec.Struct)


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
@proving_options
@mutation_options
@options.workers
@options.as_json
def command(
    assignments: tuple[str, ...], question: str | None, repeat: int, workers: int | None, as_json: bool, **others: Any
) -> None:
    """Prove the checks: run them on solutions whose result is known.

    The reference and the variants, which are right, must pass every check. The untouched starter and the adversaries,
    which are made to fool checks, must get almost no points. Each mutant, a solution with one mistake, must fail the
    checks that its header names.

    What was run before is remembered: after a change only those pairs of a solution and a check run that it concerns.
    --fresh, --repeat and CI (the variable CI is set) run everything.

    With --mutate, mutants are generated instead: small changes of the reference and the variants, one at a time. Those
    that pass every check show what the checks do not test.

    \b
    Examples:
      gradetape verify
      gradetape verify custom-training --question q05
      gradetape verify custom-training --question q05 --check test_asymmetry
      gradetape verify custom-training --question q05 --mutant swapped --preview
      gradetape verify custom-training --question q05 --write-headers
      gradetape verify custom-training --question q05 --watch
      gradetape verify custom-training --brief
      gradetape verify custom-training --report proof.html
      gradetape verify custom-training --repeat 5 --json
      gradetape verify custom-training --question q05 --mutate
    """
    course = here()
    names = names_of(course, assignments)
    if as_json and len(names) != 1:
        raise click.UsageError("--json describes one assignment: name it")
    mutating, proving = _options(MutationOptions, others), _options(ProvingOptions, others)
    mutating.refuse_alone()
    proving.refuse_unfit(course.root, len(names), question, repeat, as_json)
    if mutating.mutated:
        if repeat > 1 or any(msgspec.structs.astuple(proving)):
            raise click.UsageError("--mutate runs generated mutants only: leave out the options of the other proofs")
        sys.exit(max(_mutated(course, name, question, mutating, workers, as_json) for name in names))
    if proving.watch:
        sys.exit(Watch(course, names[0], question, proving, workers, fresh=mutating.fresh).run())
    with outcomes_of(repeat, fresh=mutating.fresh) as outcomes:
        proofs = (_proved(course, name, question, repeat, proving, workers, as_json, outcomes) for name in names)
        sys.exit(max(proofs, default=0))


def _options(kind: type[_Options], given: Mapping[str, Any]) -> _Options:
    """The options that belong to one of the records."""
    return kind(**{field: given[field] for field in kind.__struct_fields__})


def _opened(course: Course, name: str, question: str | None) -> tuple[GradableAssignment, str | None]:
    """The assignment, and the question that was asked for."""
    gradable = GradableAssignment.open(course, name)
    return gradable, None if question is None else resolve(question, gradable.assignment)


def _proved(
    course: Course, name: str, question: str | None, repeat: int, chosen: ProvingOptions, workers: int | None,
    as_json: bool, outcomes: Outcomes,
) -> int:  # fmt: skip
    gradable, question_id = _opened(course, name, question)
    warn([without_checks(gradable.assignment)])
    proof = proven(gradable, question_id, repeat, chosen, workers, outcomes=outcomes)
    status = shown(gradable, proof, chosen, as_json=as_json)
    if as_json:
        document(proof.as_json())
        warn(proof.problems)
    return status


def _mutated(
    course: Course, name: str, question: str | None, chosen: MutationOptions, workers: int | None, as_json: bool
) -> int:
    gradable, question_id = _opened(course, name, question)
    return run(gradable, question_id, chosen, workers, as_json=as_json)
