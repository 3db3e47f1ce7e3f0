"""Canvas: `lastfirst_12345_67890_title.ipynb`, with the user's id and the file's, and `_LATE` after the name if late.

Anonymous submissions are `anon_Ab3dE_67890_title.ipynb`. What was typed into Canvas is `lastfirst_12345_text.html`, and
a link that was handed in `lastfirst_12345_link.html`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from gradetape.intake.found import DiscoveredFile, Listing, file_at
from gradetape.intake.layouts.base import Recognised
from gradetape.intake.layouts.signatures import CANVAS, CANVAS_ANONYMOUS, CANVAS_ANONYMOUS_TEXT, CANVAS_TEXT
from gradetape.intake.names import clean
from gradetape.records import Origin

_TEXT = "This was typed into Canvas, and is not a notebook. Hand in the notebook as a file."
_URL = "This is a web address that was handed in on Canvas, and not a notebook. Hand in the notebook as a file."


class Canvas:
    """Canvas's download of an assignment's submissions: files in one folder."""

    name = "canvas"
    title = "Canvas"
    names = "lastfirst_12345_67890_title.ipynb"
    explicit = True

    def recognise(self, listing: Listing, *, asked: bool = False) -> Recognised | None:
        """The files that are named so; a folder of files of other kinds alone is not Canvas's."""
        found = [file for entry in listing.files if (file := file_of(entry.path))]
        known = any(file.rank or file.problem == _TEXT for file in found)
        return Recognised.of(found, (file.path for file in found)) if known else None


def file_of(path: Path) -> DiscoveredFile | None:
    """A file that Canvas has named; None for any other."""
    if match := CANVAS.fullmatch(path.stem) or CANVAS_ANONYMOUS.fullmatch(path.stem):
        found = replace(file_at(path), title=match["title"], order=(int(match["attempt"]), ""))
        return _of(found, match)
    match = CANVAS_TEXT.fullmatch(path.stem) or CANVAS_ANONYMOUS_TEXT.fullmatch(path.stem)
    if match and path.suffix == ".html":
        return _of(replace(file_at(path), problem=_TEXT if match["kind"] == "text" else _URL), match)
    return None


def _of(file: DiscoveredFile, match: re.Match[str]) -> DiscoveredFile:
    parts = match.groupdict()
    name, late = parts.get("name") or f"anon_{parts['id']}", bool(parts["late"] or parts.get("later"))
    person = f"canvas {clean(name)} {parts['id']}"
    return replace(file, student=clean(name), person=person, origin=Origin(layout="canvas", id=parts["id"], late=late))
