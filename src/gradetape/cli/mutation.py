"""The options of `gradetape verify --mutate`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from gradetape.cli.lines import document, warn
from gradetape.cli.status import ATTENTION, OK
from gradetape.cli.terminal import console, counting
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import EngineOptions
from gradetape.verify.mutation import MutationReport, MutationRequest, Sample, append_survivors, mutate
from gradetape.verify.mutation.table import render

_Command = TypeVar("_Command", bound=Callable[..., Any])
_OPTIONS = (
    click.option(
        "--mutate", "mutated", is_flag=True,
        help="Generate mutants of the reference and the variants instead, and show those that pass every check.",
    ),
    click.option(
        "--sample", metavar="N", type=click.IntRange(1),
        help="With --mutate: only N mutants, spread over the questions."
    ),
    click.option("--seed", metavar="S", type=int, help="With --sample: another sample. [default: 0]"),
    click.option(
        "--at-least", metavar="PERCENT", type=click.FloatRange(0, 100),
        help="With --mutate: the score that each question must reach. [default: 100]",
    ),
    click.option(
        "--write-survivors", is_flag=True,
        help="With --mutate: list the mutants that pass every check in solutions/, for you to add the reasons.",
    ),
    click.option("--fresh", is_flag=True, help="Run everything again, also what an earlier run has decided."),
)  # fmt: skip


class MutationOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options, by their names in the function of the command."""

    mutated: bool
    sample: int | None
    seed: int | None
    at_least: float | None
    write_survivors: bool
    fresh: bool

    def refuse_alone(self) -> None:
        """Raises UsageError for options that mean nothing without `--mutate` or `--sample`."""
        given = [self.sample, self.seed, self.at_least, self.write_survivors or None]
        if not self.mutated and any(each is not None for each in given):
            raise click.UsageError("--sample, --seed, --at-least and --write-survivors go with --mutate: add it")
        if self.seed is not None and self.sample is None:
            raise click.UsageError("--seed chooses a sample: add --sample N")


def mutation_options(command: _Command) -> _Command:
    """Adds the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def run(
    gradable: GradableAssignment, question: str | None, chosen: MutationOptions, workers: int | None, *, as_json: bool
) -> int:
    """Runs the generated mutants of an assignment or a question, and returns the exit status."""
    report = _report(gradable, question, chosen, workers)
    if as_json:
        document(report.as_json())
        warn(report.problems)
    else:
        render(report, console(stderr=False))
    if chosen.write_survivors:
        written = append_survivors(gradable, report.survivors)
        warn(f"Add the reasons in {_shown(path, gradable)}." for path in written)
    return OK if report.ok else ATTENTION


def _report(
    gradable: GradableAssignment, question: str | None, chosen: MutationOptions, workers: int | None
) -> MutationReport:
    request = MutationRequest(
        question=question, sample=None if chosen.sample is None else Sample(size=chosen.sample, seed=chosen.seed or 0),
        at_least=100.0 if chosen.at_least is None else chosen.at_least, fresh=chosen.fresh,
    )  # fmt: skip
    with counting("running mutants of", gradable.assignment.name) as update:
        return mutate(gradable, request, EngineOptions(workers=workers), progress=update)


def _shown(path: Path, gradable: GradableAssignment) -> str:
    return path.relative_to(gradable.course.root).as_posix()
