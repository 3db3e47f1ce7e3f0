"""The texts that a release is made of: the author's files, and those that lie beside this module."""

from __future__ import annotations

from datetime import datetime
from importlib import resources
from pathlib import Path


def read(file: Path) -> str:
    """Return an author's text, its byte order mark left out; the course has seen that it is UTF-8."""
    return file.read_text(encoding="utf-8-sig")


def shipped(name: str) -> str:
    """Return a text that comes with gradetape."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def due(deadline: str | None) -> str:
    """Say when an assignment is due, given an ISO time with its zone."""
    if deadline is None:
        return "Your course says when it is due."
    time = datetime.fromisoformat(deadline)
    return f"It is due on {time.day} {time:%B %Y} at {time:%H:%M} ({time.tzinfo})."
