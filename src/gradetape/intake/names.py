"""Names of students and files, cleaned so that they can be shown."""

from __future__ import annotations

import unicodedata

from gradetape.text import composed


def clean(name: str, limit: int = 100) -> str:
    """One line of at most `limit` characters, without control, bidirectional and unpaired characters; never empty."""
    visible = "".join(filter(_is_shown, name[: 4 * limit]))
    return " ".join(composed(visible).split())[:limit].strip() or "unnamed"


def _is_shown(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter)[0] != "C"
