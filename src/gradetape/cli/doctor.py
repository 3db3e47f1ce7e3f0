"""`gradetape doctor`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradetape.cli import common
from gradetape.cli.common import ATTENTION, OK

if TYPE_CHECKING:
    from gradetape.doctor import Finding

_COLOURS = {"ok": "green", "absent": "yellow", "wrong": "red"}


@click.command("doctor")
@common.as_json
def command(as_json: bool) -> None:
    """Say what this machine can do, what is missing, and what mends it.

    A worker is made behind the walls and ended again, which takes some seconds. Exit status 1: grading could not run.

    \b
    Examples:
      gradetape doctor
      gradetape doctor --json
    """
    from gradetape.doctor import State, examine

    findings = examine(Path.cwd())
    ok = all(finding.state is not State.WRONG for finding in findings)
    if as_json:
        click.echo(json.dumps({"ok": ok, "findings": [_plain(finding) for finding in findings]}, indent=2))
    else:
        _tell(findings, ok)
    sys.exit(OK if ok else ATTENTION)


def _plain(finding: Finding) -> dict[str, str]:
    return {
        "name": finding.name, "label": finding.label, "state": finding.state.value, "found": finding.found,
        "remedy": finding.remedy,
    }  # fmt: skip


def _tell(findings: list[Finding], ok: bool) -> None:
    from rich.text import Text

    terminal = common.console(stderr=False)
    for finding in findings:
        line = Text(f"{finding.state.value:7}", _COLOURS[finding.state]).append(f"{finding.label:10}", "bold")
        terminal.print(line.append(finding.found, "default"))
        if finding.remedy:
            terminal.print(Text("\n".join(f"{'':17}{part}" for part in finding.remedy.splitlines()), "italic"))
    terminal.print("Grading can run here." if ok else "Grading cannot run here.", style="bold")
