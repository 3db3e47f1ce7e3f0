"""Runs all benchmarks and prints a table. Ratios compare runs that alternate, since machines are noisy.

    python -m benchmarks [PART...] [--quick] [--minutes N] [--large] [--write docs/benchmarks.md]

A part that cannot run says why, and the rest is printed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import click
from rich.console import Console
from rich.table import Table

from benchmarks import classes, cluster, comparison, document, pages, similar, single
from benchmarks.measure import ROOT, BenchmarkError, Row, Setting
from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.errors import GradetapeError

ASSIGNMENT, ONE_QUESTION = "custom-training", "q05_custom_loss"
TINY = ROOT / "tests/tiny_course"
LARGE = 10_000

# The class of whole submissions is last: it is as large as the time that is left allows.
PARTS: Mapping[str, Callable[[Setting], list[Row]]] = MappingProxyType(
    {
        "start-up": single.start_up,
        "pages": lambda setting: pages.writing(setting.students, 1),
        "dashboard": lambda setting: pages.dashboard(setting.students, setting.repeats),
        "similar": similar.similar,
        "workers": single.workers,
        "batch": single.batch,
        "memory": single.memory,
        "ray": cluster.ray,
        "one-question": lambda setting: comparison.compared(setting, (setting.one,)),
        "frameworks": comparison.compared,
        "tiny": classes.tiny,
        "whole": classes.whole,
    }
)


def rows_of(name: str, setting: Setting) -> list[Row]:
    """The rows of a part; if it cannot run, one row that says why."""
    try:
        return PARTS[name](setting)
    except (BenchmarkError, GradetapeError, OSError) as error:
        return [(name, f"not measured: {error}", "")]


def measured(names: Iterable[str], setting: Setting) -> dict[str, list[Row]]:
    """The rows of these parts, with what each took; after Ctrl-C those of the parts that had ended."""
    found: dict[str, list[Row]] = {}
    for name in names:
        begun = time.monotonic()
        try:
            found[name] = rows_of(name, setting)
        except KeyboardInterrupt:
            click.echo(f"{name}: interrupted; what was measured before it follows", err=True)
            break
        click.echo(f"{name}: {time.monotonic() - begun:.0f} s", err=True)
    return found


def setting_of(*, quick: bool, large: bool, minutes: float | None) -> Setting:
    """What this repository's benchmarks measure."""
    gradable = GradableAssignment.open(courses.find(ROOT), ASSIGNMENT)
    tiny = GradableAssignment.open(courses.find(TINY), "tiny")
    if quick:
        return Setting.quick(gradable, tiny, ONE_QUESTION)
    until = None if minutes is None else time.monotonic() + 60 * minutes
    setting = Setting(gradable, tiny, ONE_QUESTION, until=until)
    return replace(setting, tiny_class=LARGE) if large else setting


@click.command(help=__doc__)
@click.argument("names", metavar="[PART]...", nargs=-1, type=click.Choice([*PARTS]))
@click.option("--quick", is_flag=True, help="Run everything once and small, to see that it runs.")
@click.option("--large", is_flag=True, help=f"Grade {LARGE} tiny submissions instead of 1000.")
@click.option("--minutes", type=float, help="Make the class of whole submissions so small that this time is enough.")
@click.option(
    "--write", type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="Write the figures into this page; those of parts that do not run stay.",
)  # fmt: skip
def main(names: Sequence[str], quick: bool, large: bool, minutes: float | None, write: Path | None) -> None:
    """Prints one table."""
    setting = setting_of(quick=quick, large=large, minutes=minutes)
    machine = document.machine()
    found = measured(names or PARTS, setting)
    table = Table("Measurement", "Median (min to max)", "Goal", title=machine)
    for rows in found.values():
        for row in rows:
            table.add_row(*row)
        table.add_section()
    Console(width=150).print(table)
    if write:
        document.write(write, found, machine)


if __name__ == "__main__":
    main()
