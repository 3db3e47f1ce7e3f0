"""Shows a proof as tables in the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gradetape.records import Basis, Check
from gradetape.text import counted
from gradetape.verify.bounds import bounds
from gradetape.verify.proof import Proof

_OTHERS = ("reference", "variant", "starter", "adversary")


def render(proof: Proof, console: Console) -> None:
    """Prints which mutant fails which check, the points of the other solutions, and the problems."""
    if proof.checks:
        console.print(_checks(proof))
    if proof.trials:
        console.print(_others(proof))
    if proof.bases:
        console.print(_bases(proof))
    for problem in proof.problems:
        console.print(f"[red]✗[/] {escape(problem)}")
    for note in (*proof.notes, *_without_hints(proof.checks)):
        console.print(f"[yellow]note:[/] {escape(note)}")
    if proof.recalled:
        new = counted(sum(len(trial.results) for trial in proof.trials) - proof.recalled, "new result")
        console.print(f"{new}, {proof.recalled} known from earlier runs: --fresh runs everything again")
    problems = counted(len(proof.problems), "problem")
    held = "No problem in what was run, which is not everything" if proof.partial else "The checks are proven"
    verdict = f"[green]{held}[/]" if proof.ok else f"[red]{problems}[/]"
    checks, mutants = counted(len(proof.checks), "check"), counted(len(proof.of("mutant")), "mutant")
    console.print(f"{escape(proof.assignment)}: {verdict} ({checks}, {mutants})")


def _without_hints(checks: Sequence[Check]) -> Iterator[str]:
    found = [check for check in checks if not check.hint.strip()]
    if found:
        names = ", ".join(check.id for check in found)
        alone = "" if all(check.public for check in found) else " Of a hidden check, they read only its title."
        yield f"students get no hint when they do not pass {names}: add @hint.{alone}"


def _checks(proof: Proof) -> Table:
    table = Table(
        "Question",
        "Check",
        "Points",
        "Seconds",
        "Failed by",
        title=f"Which mutant fails which check in {escape(proof.assignment)}",
    )
    killed, seconds, last = proof.killed_by, proof.seconds, ""
    for check in proof.checks:
        names = ", ".join(killed[check.id])
        kind = "" if check.public else " [dim](hidden)[/]"
        question = "" if check.question == last else check.question
        took = f"{seconds[check.id]:.2f}" if check.id in seconds else ""
        failed_by = escape(names) or "[red]none[/]"
        table.add_row(question, f"{escape(check.name)}{kind}", f"{check.points:g}", took, failed_by)
        last = check.question
    return table


def _bases(proof: Proof) -> Table:
    """What the points rest on, and the points of a puppet, which says what is right and has no graphs."""
    puppet = {bound.question: bound for bound in bounds(proof) if bound.name == "puppet"}
    table = Table("Question", *(basis.value for basis in Basis), "Puppet", title="What the reference's points rest on")
    for question in dict.fromkeys(check.question for check in proof.checks):
        bound = puppet.get(question)
        got = "" if bound is None else f"{bound.points:g}" if bound.ok else f"[yellow]{bound.points:g}, too many[/]"
        table.add_row(question, *(f"{proof.points_on(question, basis):g}" for basis in Basis), got)
    return table


def _others(proof: Proof) -> Table:
    table = Table("Solution", "Points", "Passed by mistake", title="Other solutions")
    for trial in (trial for kind in _OTHERS for trial in proof.of(kind)):
        wrong = trial.kind in ("starter", "adversary")
        passed = ", ".join(trial.passed) or "none" if wrong else ""
        most = sum(result.check.points for result in trial.results)
        table.add_row(escape(trial.label), f"{trial.points:g} of {most:g}", escape(passed))
    return table
