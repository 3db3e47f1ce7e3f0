"""`python -m examples.hostile`: grades the corpus of attacks and reports the results.

    python -m examples.hostile                    as root and as an ordinary user, if both are possible
    python -m examples.hostile --brief            the same, as an ordinary user only what the sandbox decides
    python -m examples.hostile --plain            as root, where workers get no namespaces
    python -m examples.hostile NAME...            only some attacks
    python -m examples.hostile --write FOLDER     only create the submissions

Exit status 0: nothing leaked, no point was forged, every verdict is right, and no honest submission was disturbed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from examples.hostile.corpus import entries, manifest, write
from examples.hostile.delegation import Found, in_the_open, without_namespaces
from examples.hostile.findings import Row
from examples.hostile.trial import Report, refusal, trial, who
from gradetape.text import printable

Around = Callable[[Callable[[], Any]], Any]


def _situations(plain: bool) -> dict[str, tuple[int | None, Around]]:
    """The users as whom a trial runs here, and what it runs in."""
    if plain:
        return {"root, without namespaces": (None, without_namespaces)}
    return {name: (user, _unchanged if user is None else in_the_open) for name, user in who().items()}


def _chosen(names: tuple[str, ...], user: int | None, brief: bool) -> tuple[str, ...]:
    """The attacks of a trial; none are all. What the sandbox does not decide is the same for every user."""
    return names or (tuple(manifest().sandbox) if brief and user is not None else ())


def _unchanged(work: Callable[[], Found]) -> Found:
    return work()


def _table(report: Report, title: str) -> Table:
    table = Table(title=title, caption=f"{len(report.rows)} submissions in {report.seconds:.0f} s")
    for column in ("submission", "attack", "result", "points", "problems"):
        table.add_column(column, justify="right" if column == "points" else "left", overflow="fold")
    for row in report.rows:
        table.add_row(*_line(row))
    return table


def _line(row: Row) -> list[Text]:
    tries = row.entry.attack.tries if row.entry.attack else "An honest submission."
    problems = Text(printable("\n".join(row.problems)) or "none", "bold red" if row.problems else "green")
    return [Text(row.entry.name), Text(tries), Text(row.ended), Text(f"{row.points:g} of {row.allowed:g}"), problems]


def _summary(report: Report) -> str:
    rows = report.rows
    counts = {
        "attacks": sum(row.entry.attack is not None for row in rows),
        "leaks": sum(len(row.leaks) for row in rows),
        "forged points": sum(len(row.forged) for row in rows),
        "wrong verdicts": sum(len(row.wrong) for row in rows),
        "honest submissions disturbed": sum(bool(row.disturbed) for row in rows),
        "other problems": len(report.others),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items())


@click.command(help=__doc__)
@click.argument("names", nargs=-1)
@click.option("--plain", is_flag=True, help="As root, without namespaces.")
@click.option("--brief", is_flag=True, help="As an ordinary user only the attacks whose result the sandbox decides.")
@click.option("--write", "folder", type=click.Path(path_type=Path, exists=False), help="Only create the submissions.")
def main(names: tuple[str, ...], plain: bool, brief: bool, folder: Path | None) -> None:
    """Runs the trials."""
    unknown = set(names) - manifest().attacks.keys()
    if unknown:
        raise click.UsageError(f"no such attack: {', '.join(sorted(unknown))}")
    if folder is not None:
        write(entries(manifest(), names), folder)
        return
    console, sound = Console(), True
    for name, (user, around) in _situations(plain).items():
        if reason := around(partial(refusal, user)):
            console.print(f"Skipped as {name}: {reason}.", markup=False)
            continue
        report = around(partial(trial, user, _chosen(names, user, brief)))
        console.print(_table(report, f"As {name}"))
        console.print(Text("\n".join(f"PROBLEM {printable(problem)}" for problem in report.problems)))
        console.print(f"As {name}: {_summary(report)}.", markup=False)
        sound = sound and not report.problems
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
