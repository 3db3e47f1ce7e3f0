"""Writes the figures of the benchmarks into the page of the documentation, each part between its two comments."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.measure import BenchmarkError, Row


def machine() -> str:
    """The day, the machine and its load, and the versions that were measured."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return (
        f"{time.strftime('%F')}, {os.cpu_count()} cores ({model[1] if model else platform.machine()}), "
        f"load {os.getloadavg()[0]:.0f} at the start, Python {platform.python_version()}, "
        f"TensorFlow {version('tensorflow')}, otter-grader {version('otter-grader')}"
    )


def write(page: Path, found: Mapping[str, Sequence[Row]], measured: str) -> None:
    """Replaces the figures of these parts in a page.

    Raises BenchmarkError if the page has no place for one of them; the page is then left as it was.
    """
    text = page.read_text(encoding="utf-8")
    for name, rows in found.items():
        begin, end = f"<!-- figures: {name} -->\n", f"<!-- end of figures: {name} -->\n"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise BenchmarkError(f"{page} has no place for the figures of {name}. Add these lines:\n{begin}{end}")
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{_table(rows, measured)}\n{end}{after}"
    page.write_text(text, encoding="utf-8")


def _table(rows: Sequence[Row], measured: str) -> str:
    lines = [f"Measured on {measured}.", "", "| what | median (min to max) | goal |", "|---|---|---|"]
    return "\n".join([*lines, *("| " + " | ".join(map(_cell, row)) + " |" for row in rows), ""])


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
