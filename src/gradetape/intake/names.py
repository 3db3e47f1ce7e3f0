"""Names that come from outside, made fit to be shown."""

from __future__ import annotations

import unicodedata


def clean(name: str, limit: int = 100) -> str:
    """One line of at most `limit` characters, without control, bidirectional and unpaired characters; never empty."""
    spaced = " ".join(unicodedata.normalize("NFC", name[: 4 * limit]).split())
    visible = "".join(letter for letter in spaced if unicodedata.category(letter)[0] != "C")
    return visible[:limit].strip() or "unnamed"
