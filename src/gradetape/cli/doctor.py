"""`gradetape doctor`."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.text import Text

from gradetape.cli import options
from gradetape.cli.lines import document, line
from gradetape.cli.status import ATTENTION, OK
from gradetape.cli.terminal import console
from gradetape.doctor import Finding, State, examine

_COLOURS = {State.OK: "green", State.ABSENT: "yellow", State.WRONG: "red"}


@click.command("doctor")
@options.engine
@options.address
@options.as_json
def command(engine: str | None, address: str | None, as_json: bool) -> None:
    """Check this machine and show how to fix what is missing.

    A sandboxed worker is started and ended, which takes some seconds. Exit status 1: grading cannot run here. With
    --engine ray, the nodes of the cluster are checked too: their places, devices, versions and sandboxes.

    \b
    Examples:
      gradetape doctor
      gradetape doctor --json
      gradetape doctor --engine ray --address 10.0.0.1:6379
    """
    findings = examine(Path.cwd(), engine, address)
    ok = all(finding.state is not State.WRONG for finding in findings)
    if as_json:
        document({"ok": ok, "findings": [_plain(finding) for finding in findings]})
    else:
        _print(findings, ok)
    sys.exit(OK if ok else ATTENTION)


def _plain(finding: Finding) -> dict[str, str]:
    return {
        "name": finding.name, "label": finding.label, "state": finding.state.value, "found": finding.found,
        "remedy": finding.remedy,
    }  # fmt: skip


def _print(findings: list[Finding], ok: bool) -> None:
    terminal = console(stderr=False)
    for finding in findings:
        shown = Text(f"{finding.state.value:7}", _COLOURS[finding.state]).append(f"{finding.label:10}", "bold")
        terminal.print(shown.append(line(finding.found), "default"))
        if finding.remedy:
            terminal.print(Text("\n".join(f"{'':17}{part}" for part in finding.remedy.splitlines()), "italic"))
    terminal.print("Grading can run here." if ok else "Grading cannot run here.", style="bold")
