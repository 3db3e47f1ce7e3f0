"""The options of `gradetape verify` that choose what is run and what is shown of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from gradetape.cli.lines import say, warn
from gradetape.cli.status import ATTENTION, OK
from gradetape.cli.terminal import console, counting
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import EngineOptions, open_engine
from gradetape.files import write_text
from gradetape.grading import proven_checks
from gradetape.text import counted
from gradetape.verify import Proof, Scope
from gradetape.verify import verify as prove
from gradetape.verify.header_writing import write_headers
from gradetape.verify.outcomes import Outcomes
from gradetape.verify.page import FORMATS, NOTICE, page
from gradetape.verify.preview import show
from gradetape.verify.table import render
from gradetape.verify.verification import EntersEngine

_Command = TypeVar("_Command", bound=Callable[..., Any])
_OPTIONS = (
    click.option(
        "--check", "checks", metavar="ID", multiple=True,
        help="Only this check, by its name, its id, or a unique prefix of one. Repeat it for several.",
    ),
    click.option(
        "--mutant", "mutants", metavar="NAME", multiple=True,
        help="Only this mutant and the reference, by a name or a unique prefix of it. Repeat it for several.",
    ),
    click.option(
        "--write-headers", is_flag=True,
        help="Write which checks each mutant fails into its header, for you to confirm.",
    ),
    click.option(
        "--preview", is_flag=True, help="Show what a student reads for the starter and for each mutant, check by check."
    ),
    click.option(
        "--brief", is_flag=True,
        help="Run each mutant only with the checks that its header names: several times as fast. That it fails no "
        "others is not looked at.",
    ),
    click.option("--watch", is_flag=True, help="Stay running, and verify again what a saved file belongs to."),
    click.option(
        "--report", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
        help="Write a page for authors: requirements, checks, mutants and what students read (.html or .md).",
    ),
)  # fmt: skip


class ProvingOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options, by their names in the function of the command; `question` and `repeat` are those that it has."""

    checks: tuple[str, ...]
    mutants: tuple[str, ...]
    write_headers: bool
    preview: bool
    brief: bool
    report: Path | None
    watch: bool

    @property
    def scope(self) -> Scope:
        """What to run: previews need no right solution, and single mutants nothing but the reference beside them."""
        mutants = {"kinds": ("reference", "mutant")} if self.mutants or self.write_headers else {}
        preview = {"kinds": ("mutant",) if self.mutants else ("starter", "mutant")} if self.preview else {}
        return Scope(checks=self.checks, mutants=self.mutants, brief=self.brief, **(mutants | preview))

    def refuse_unfit(self, root: Path, assignments: int, question: str | None, repeat: int, as_json: bool) -> None:
        """Raises UsageError for options that exclude each other, and for a page that students would receive."""
        if self.watch and (assignments != 1 or as_json or self.write_headers):
            raise click.UsageError("--watch shows one assignment: name it, and leave out --json and --write-headers")
        if self.watch and question is None and (self.checks or self.mutants):
            raise click.UsageError("--watch with --check or --mutant looks at one question: name it with --question")
        if self.watch and repeat > 1:
            raise click.UsageError("--watch runs each solution once: leave out --repeat")
        if as_json and (self.preview or self.write_headers):
            raise click.UsageError("--preview and --write-headers print text: leave out --json")
        if self.write_headers and (self.preview or self.checks or self.brief):
            raise click.UsageError(
                "--write-headers needs the results of every check: leave out --check, --brief and --preview"
            )
        if self.report is not None:
            if assignments != 1 or self.scope.partial or self.brief:
                raise click.UsageError("--report is about a whole assignment or question: leave out what selects less")
            _refuse_place(self.report, root)


def proving_options(command: _Command) -> _Command:
    """Adds the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def proven(
    gradable: GradableAssignment, question: str | None, repeat: int, chosen: ProvingOptions, workers: int | None,
    open_engine: EntersEngine = open_engine, outcomes: Outcomes | None = None,
) -> Proof:  # fmt: skip
    """Verifies an assignment or a question, with a progress bar."""
    with counting("verifying", gradable.assignment.name) as update:
        return prove(
            gradable, EngineOptions(workers=workers), question=question, repeat=repeat, scope=chosen.scope,
            drafts=chosen.write_headers, progress=update, open_engine=open_engine, outcomes=outcomes,
        )  # fmt: skip


def outcomes_of(repeat: int, *, fresh: bool) -> Outcomes:
    """What earlier runs remember; with `fresh` and in CI nothing that is older, and for repeats nothing at all."""
    return Outcomes() if repeat > 1 else Outcomes.of_user(fresh=fresh or bool(os.environ.get("CI")))


def shown(gradable: GradableAssignment, proof: Proof, chosen: ProvingOptions, *, as_json: bool) -> int:
    """Shows and writes what the options ask for, and returns the exit status; a whole proof is remembered."""
    if proof.ok and not (proof.partial or proof.brief):
        proven_checks.keep(gradable, {check.question for check in proof.checks})
    if chosen.report is not None:
        course = gradable.course
        text = page(
            proof, gradable.assignment, course=course.config.course, root=course.root, suffix=chosen.report.suffix
        )
        write_text(chosen.report, text)
        warn([f"Wrote {chosen.report}. It shows parts of the answer key: it is not for students."])
    if chosen.write_headers:
        return _written(gradable, proof)
    if chosen.preview:
        show(proof, console(stderr=False))
        warn(proof.problems)
    elif not as_json:
        render(proof, console(stderr=False))
    return OK if proof.ok else ATTENTION


def _written(gradable: GradableAssignment, proof: Proof) -> int:
    written = write_headers(gradable.answer_key, proof, legacy=gradable.course.config.keras == "legacy")
    say(*map(str, written.headers))
    warn(written.left)
    changed = counted(len(written.headers), "header")
    warn([f"Changed {changed}. Confirm each: should the misconception fail these checks, and no others?"])
    return ATTENTION if written.left else OK


def _refuse_place(report: Path, root: Path) -> None:
    if report.suffix not in FORMATS:
        raise click.UsageError(f"--report writes HTML or Markdown: name a file that ends in {' or '.join(FORMATS)}")
    for folder in ("student", "assignments"):
        if report.resolve().is_relative_to((root / folder).resolve()):
            raise click.UsageError(f"--report shows parts of the answer key: write it to a folder outside {folder}/")
    if not report.parent.is_dir():
        raise click.UsageError(f"--report cannot write {report}: the folder {report.parent} does not exist, make it")
    if report.exists() and NOTICE not in report.read_text(encoding="utf-8", errors="replace"):
        raise click.UsageError(f"{report} is another file, which --report would replace: name a new one")
