"""The texts of a release: the author's Markdown files, and those that gradetape ships."""

from __future__ import annotations

from datetime import datetime
from importlib import resources
from pathlib import Path


def read(file: Path) -> str:
    """Return an author's text without a byte order mark; the course has checked that it is UTF-8."""
    return file.read_text(encoding="utf-8-sig")


def shipped(name: str) -> str:
    """Return a text that gradetape ships."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def due(deadline: str | None) -> str:
    """Return a sentence with the deadline, given an ISO time with its zone."""
    if deadline is None:
        return "See your course's pages for the deadline."
    time = datetime.fromisoformat(deadline)
    return f"It is due on {time.day} {time:%B %Y} at {time:%H:%M} ({time.tzinfo})."
