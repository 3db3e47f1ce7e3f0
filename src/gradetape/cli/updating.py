"""How a command that changed something about results writes their pages again."""

from __future__ import annotations

from pathlib import Path

from gradetape.cli.lines import say, warn
from gradetape.grading.results import Results, options_again


def write_pages(results: Results, folder: Path | None, assignment: str, student: str | None) -> None:
    """Writes the pages of an assignment, of one student where the folder has those of all, and says where they are."""
    written = results.update_pages(assignment, folder, student, options=options_again(folder))
    warn(written.warnings)
    say(f"Wrote the pages: open {written.index}")
