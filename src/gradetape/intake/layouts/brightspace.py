"""Brightspace: a folder `10001-90001 - Jane Doe - Sep 3, 2025 1159 PM` for each submission, or files named so.

The first number is the person's, the second the assignment's. A person who has handed in several times has several
folders; the latest counts. The time has no zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from gradetape.intake.found import DiscoveredFile, FolderEntry, Listing, file_at, of_person
from gradetape.intake.layouts.base import Recognised
from gradetape.intake.layouts.signatures import BRIGHTSPACE
from gradetape.intake.layouts.times import english
from gradetape.intake.names import clean
from gradetape.records import Origin


class Brightspace:
    """Brightspace's (D2L's) download of an assignment's submissions."""

    name = "brightspace"
    title = "Brightspace"
    names = "10001-90001 - Jane Doe - Sep 3, 2025 1159 PM/"
    explicit = True

    def recognise(self, listing: Listing, *, asked: bool = False) -> Recognised | None:
        """The folders and files that are named so."""
        found = [(entry, match) for entry in listing.entries if (match := _match(entry))]
        files = (file for entry, match in found for file in _files(entry, match))
        return Recognised.of(files, (entry.path for entry, _ in found))


def _match(entry: FolderEntry) -> re.Match[str] | None:
    match = BRIGHTSPACE.fullmatch(entry.name)
    return match if match and bool(match["file"]) is not entry.is_folder else None


def _files(entry: FolderEntry, match: re.Match[str]) -> Iterator[DiscoveredFile]:
    time = english(match["time"])
    attempt = time[0].isoformat() if time else ""
    name, person = match["name"].strip(), f"brightspace {match['id']}"
    origin = Origin(layout="brightspace", id=match["id"])
    if entry.is_folder:
        yield from of_person(entry, name, person, origin, attempt)
    else:
        file = replace(file_at(entry.path), title=match["file"].rpartition(".")[0] or match["file"])
        yield replace(file, student=clean(name), person=person, origin=origin, attempt=attempt)
