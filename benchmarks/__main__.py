"""Runs all benchmarks and prints a table. Ratios compare runs that alternate, since machines are noisy.

    python -m benchmarks [PART...] [--quick] [--minutes N] [--large] [--write docs/benchmarks.md]

A part that cannot run says why, and the rest is printed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

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


class Part(NamedTuple):
    """A part: what measures it, and its share of the time, in seconds on two slow cores."""

    measure: Callable[[Setting], list[Row]]
    share_s: float


PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "start-up": Part(single.start_up, 2),
        "pages": Part(lambda setting: pages.writing(setting.students, 1), 25),
        "dashboard": Part(lambda setting: pages.dashboard(setting.students, setting.repeats), 25),
        "workers": Part(single.workers, 12),
        "one-question": Part(lambda setting: comparison.compared(setting, (setting.one,)), 60),
        "frameworks": Part(comparison.compared, 260),
        "tiny": Part(classes.tiny, 120),
        "whole": Part(classes.whole, 180),
        "batch": Part(single.batch, 40),
        "memory": Part(single.memory, 50),
        "similar": Part(similar.similar, 40),
        "ray": Part(cluster.ray, 110),
    }
)


def rows_of(name: str, setting: Setting) -> list[Row]:
    """The rows of a part; if it cannot run, or has less than a third of its time, one row that says why."""
    if setting.until is not None and setting.until - time.monotonic() < PARTS[name].share_s / 3:
        return _too_late(name)
    try:
        return PARTS[name].measure(setting)
    except (BenchmarkError, GradetapeError, OSError) as error:
        return [(name, f"not measured: {error}", "")]


def _too_late(name: str) -> list[Row]:
    return [(name, f'not measured: the time was over; run make bench PARTS="{name}"', "")]


def that_began(found: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """The rows of the parts for which there was time."""
    return {name: rows for name, rows in found.items() if rows != _too_late(name)}


def measured(names: Sequence[str], setting: Setting) -> dict[str, list[Row]]:
    """The rows of these parts, with what each took; after Ctrl-C those of the parts that had ended.

    If the time is limited, each part has its share of what is left.
    """
    found: dict[str, list[Row]] = {}
    for place, name in enumerate(names):
        begun = time.monotonic()
        try:
            found[name] = rows_of(name, _limited(setting, names[place:]))
        except KeyboardInterrupt:
            click.echo(f"{name}: interrupted; what was measured before it follows", err=True)
            break
        click.echo(f"{name}: {time.monotonic() - begun:.0f} s", err=True)
    return found


def _limited(setting: Setting, names: Sequence[str]) -> Setting:
    """The setting of the first of these parts: it has its share of the time that is left for all of them."""
    now = time.monotonic()
    if setting.until is None or now > setting.until:
        return setting
    share = PARTS[names[0]].share_s / sum(PARTS[name].share_s for name in names)
    return replace(setting, until=now + share * (setting.until - now))


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
@click.option("--minutes", type=float, help="Repeat less and make the classes smaller, so that this time is enough.")
@click.option(
    "--write", type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="Write the figures into this page; those of parts that do not run stay.",
)  # fmt: skip
def main(names: Sequence[str], quick: bool, large: bool, minutes: float | None, write: Path | None) -> None:
    """Prints one table."""
    setting = setting_of(quick=quick, large=large, minutes=minutes)
    machine = document.machine()
    found = measured(names or [*PARTS], setting)
    table = Table("Measurement", "Median (min to max)", "Goal", title=machine)
    for rows in found.values():
        for row in rows:
            table.add_row(*row)
        table.add_section()
    Console(width=150).print(table)
    if write:
        document.write(write, that_began(found), machine)


if __name__ == "__main__":
    main()
