"""Shows a mutation report in the terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gradetape.verify.mutation.records import Result
from gradetape.verify.mutation.score import MutationReport

# Headings in two lines leave the numbers and a question's id whole on a terminal of 80 columns.
COLUMNS = ("Score", "Of\nall", "Mutants", "Failed", "Raised", "Time-\nout", "Not\nrun", "Listed", "Sur-\nvived")


def render(report: MutationReport, console: Console) -> None:
    """Prints every survivor as a diff, the score of each question, and the problems."""
    for survivor in report.survivors:
        _survivor(survivor, console)
    console.print(_scores(report))
    for problem in report.problems:
        console.print(f"[red]✗[/] {escape(problem)}")


def _survivor(result: Result, console: Console) -> None:
    mutant = result.mutant
    where = f"{mutant.solution}, line {mutant.line}" + (f", {mutant.function}" if mutant.function else "")
    console.print(f"{mutant.question}, {escape(where)}: [bold]{mutant.operator}[/]")
    for line in mutant.change.replace.splitlines():
        console.print(f"[red]- {escape(line)}[/]")
    for line in mutant.change.by.splitlines():
        console.print(f"[green]+ {escape(line)}[/]")
    console.print()


def _scores(report: MutationReport) -> Table:
    """A row for each question: the score leaves out what does not run and what is listed, `of all` only the first."""
    title = f"Generated mutants of {escape(report.assignment)}"
    table = Table(title=title, box=SIMPLE_HEAD, show_edge=False, padding=0)
    table.add_column("Question", overflow="fold")
    for column in COLUMNS:
        table.add_column(column, no_wrap=True, justify="right")
    for each in report.scores:
        numbers = (
            each.generated, each.failed, each.raised, each.timeout, each.not_run, each.equivalent, each.survived,
        )  # fmt: skip
        scores = [f"{share:.1%}" if each.counted else "-" for share in (each.score, each.of_all)]
        table.add_row(each.question, *scores, *map(str, numbers))
    return table
