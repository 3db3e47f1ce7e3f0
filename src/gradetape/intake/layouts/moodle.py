"""Moodle: a folder `First Last_12345_assignsubmission_file_` for each student, or files whose names begin so.

The number is the participant's in this assignment: the `Identifier` of Moodle's grading worksheet. `gradetape fetch`
writes `user-12345` where Moodle has given a person no such number yet: the two numbers are never compared. Under blind
marking every name is the word `Participant`, in the language of the site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from gradetape.intake.found import DiscoveredFile, FolderEntry, Listing, file_at, of_person
from gradetape.intake.layouts.base import Recognised
from gradetape.intake.layouts.signatures import MOODLE
from gradetape.intake.names import clean
from gradetape.records import Origin

# What Moodle calls everyone under blind marking, in some languages. In others their ids tell people of one name apart.
_BLIND = frozenset(
    (
        "participant", "participante", "partecipante", "teilnehmer", "teilnehmer-in", "teilnehmerin", "deelnemer",
        "deltagare", "deltager", "deltaker", "osallistuja", "uczestnik", "účastník", "участник", "учасник", "参加者",
        "参与者", "參與者",
    )
)  # fmt: skip
_TYPED = "This was typed into Moodle, and is not a notebook. Hand in the notebook as a file."


class Moodle:
    """Moodle's download of all submissions to an assignment."""

    name = "moodle"
    title = "Moodle"
    names = "First Last_12345_assignsubmission_file_"
    explicit = True

    def recognise(self, listing: Listing, *, asked: bool = False) -> Recognised | None:
        """The folders and files that are named so."""
        found = [(entry, match) for entry in listing.entries if (match := MOODLE.fullmatch(entry.name))]
        names = {clean(match["name"]).casefold() for _, match in found}
        blind = len(names) == 1 and names <= _BLIND
        files = (file for entry, match in found for file in _files(entry, match, blind=blind))
        return Recognised.of(files, (entry.path for entry, _ in found))


def _files(entry: FolderEntry, match: re.Match[str], *, blind: bool) -> Iterator[DiscoveredFile]:
    name = f"{match['name']} {match['id']}" if blind else match["name"]
    person = f"moodle {clean(match['name'])} {match['id']}"
    origin = Origin(layout="moodle", id=match["id"])
    if entry.is_folder:
        yield from of_person(entry, name, person, origin)
    else:
        file = file_at(entry.path)
        typed = match["kind"] == "onlinetext" and not file.rank
        known = replace(file, student=clean(name), person=person, origin=origin)
        yield replace(known, problem=_TYPED) if typed else known
