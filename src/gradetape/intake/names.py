"""Names of students and files, cleaned so that they can be shown."""

from __future__ import annotations

import re
import unicodedata

from gradetape.text import composed

# How browsers, systems and cloud drives name a copy: `hw (1)`, `hw copy 2`, `hw - Copy (3)`, `hw-Copy1`, `Copy of hw`.
_COPY = re.compile(r"(?P<name>.+?) ?\(\d{1,3}\)")
_MARKED_COPY = re.compile(
    r"(?P<name>.+?)(?: ?\(\d{1,3}\)|(?: - |[-_ ])(?:copy|kopie|copie|copia|cópia) ?(?:\(?\d{1,3}\)?)?)", re.IGNORECASE
)
_COPY_OF = re.compile(r"(?:copy of|kopie von|copie de|copia de|copia di|cópia de) (?P<name>.+)", re.IGNORECASE)


def clean(name: str, limit: int = 100) -> str:
    """One line of at most `limit` characters, without control, bidirectional and unpaired characters; never empty."""
    visible = "".join(filter(_is_shown, name[: 4 * limit]))
    return " ".join(composed(visible).split())[:limit].strip() or "unnamed"


def _is_shown(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter)[0] != "C"


def alike(name: str) -> str:
    """A name in a form that is equal for two names that people take for one."""
    return unicodedata.normalize("NFKC", name).casefold()


def without_copy_number(stem: str) -> str:
    """A name without the number that a browser or a cloud drive gives a copy, such as ` (1)`."""
    match = _COPY.fullmatch(stem)
    return match["name"] if match else stem


def without_copy_mark(stem: str) -> str:
    """A name without all that browsers, systems and cloud drives add to the name of a copy, such as ` copy (1)`."""
    while match := _MARKED_COPY.fullmatch(stem) or _COPY_OF.fullmatch(stem):
        stem = match["name"]
    return stem
