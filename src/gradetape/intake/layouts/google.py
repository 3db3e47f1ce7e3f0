"""Google Classroom: `Jane Doe - hw.ipynb` in the assignment's folder of Google Drive.

Everyone's file ends with the same title. A file that was uploaded under its own name (`hw.ipynb`, `hw (1).ipynb`) does
not say whose it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gradetape.intake.found import NOT_CERTAIN, DiscoveredFile, FolderEntry, Listing, Misnamed, file_at, has_suffix
from gradetape.intake.layouts.base import Recognised
from gradetape.intake.layouts.signatures import names_a_platform
from gradetape.intake.names import clean, without_copy_number
from gradetape.records import Origin

_NOBODY = (
    "Its name does not say whose it is. Find its owner in Google Classroom, and rename it to 'NAME - TITLE', "
    "or grade it by itself with --student."
)


class Google:
    """The Google Drive folder of a Google Classroom assignment."""

    name = "google"
    title = "Google Classroom"
    names = "First Last - title.ipynb"
    explicit = False

    def recognise(self, listing: Listing, *, asked: bool = False) -> Recognised | None:
        """The files that end with one title, and those that are named by the title alone."""
        candidates = [entry for entry in listing.files if not names_a_platform(entry.name, folder=False)]
        named = [entry for entry in candidates if has_suffix(entry.path) and " - " in entry.path.stem]
        if not named:
            return None
        titles = set.intersection(*(_titles(entry) for entry in named))
        if not titles or (len(named) == 1 and len(titles) > 1 and not asked):
            return Recognised.unclear(
                "where the name ends is not certain, since the files have no title in common: "
                "rename them to 'NAME - TITLE' with one title"
            )
        title = max(titles, key=len)
        files = [file for entry in candidates for file in _files(entry, title)]
        return Recognised.of(files, (file.path for file in files))


def _titles(entry: FolderEntry) -> set[str]:
    """What can be the title: each end of the name that follows a hyphen."""
    parts = without_copy_number(entry.path.stem).split(" - ")
    return {" - ".join(parts[place:]) for place in range(1, len(parts)) if parts[place]}


def _files(entry: FolderEntry, title: str) -> Iterator[DiscoveredFile]:
    misnamed = Misnamed.of(entry.path)
    file, stem = file_at(entry.path), without_copy_number(misnamed.name if misnamed else entry.path.stem)
    if stem == title and file.rank:
        yield replace(file, rank=0, problem=_NOBODY, for_student=NOT_CERTAIN)
    elif stem.endswith(f" - {title}"):
        name = clean(stem.removesuffix(f" - {title}"))
        yield replace(file, student=name, person=f"google {name}", origin=Origin(layout="google"))
