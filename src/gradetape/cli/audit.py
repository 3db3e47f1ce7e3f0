"""`gradetape audit`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.lines import say, warn
from gradetape.grading.results import Results
from gradetape.records import AuditEntry
from gradetape.text import counted, one_line

_NAME = 60


@click.command("audit")
@click.option("--compact", is_flag=True, help="Also rewrite a SQLite file, without what removed rows left in it.")
@options.results_folder
def command(compact: bool, results_folder: Path | None) -> None:
    """List which students were renamed or removed, by whom and when.

    The names of a student who was removed are not kept.

    \b
    Example:
      gradetape audit
    """
    with Results.open(here(), results_folder) as results:
        warn([results.book.migrated])
        entries = results.book.audit()
        if compact:
            results.book.compact()
    for entry in entries:
        say(_described(entry))
    if not entries:
        warn(["No student was renamed or removed."])


def _described(entry: AuditEntry) -> str:
    rows = f"{counted(entry.attempts, 'attempt')}, {counted(entry.overrides, 'override')}"
    who = f"{one_line(entry.old, _NAME)} -> {one_line(entry.new, _NAME)}" if entry.old else "a student who was removed"
    what = f"renamed {who}" if entry.action == "rename" else "removed a student"
    return f"{entry.at} {one_line(entry.by, _NAME)} {what} ({rows})"
