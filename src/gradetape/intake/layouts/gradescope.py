"""Gradescope: a folder `submission_123` for each submission, and `submission_metadata.yml`, which says whose each is.

A group's submission is that of each of its members.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from gradetape.intake.found import DiscoveredFile, FolderEntry, Listing, of_person
from gradetape.intake.layouts.base import Recognised
from gradetape.intake.layouts.signatures import GRADESCOPE, GRADESCOPE_FILE
from gradetape.intake.layouts.times import aware
from gradetape.intake.names import clean
from gradetape.records import Origin

MAX_BYTES = 32 << 20


class Gradescope:
    """Gradescope's export of an assignment's submissions."""

    name = "gradescope"
    title = "Gradescope"
    names = "submission_123/, with submission_metadata.yml beside it"
    explicit = True

    def recognise(self, listing: Listing, *, asked: bool = False) -> Recognised | None:
        """The folders that the metadata describes."""
        folders = [entry for entry in listing.folders if GRADESCOPE.fullmatch(entry.name)]
        if not folders:
            return None
        metadata = _metadata(folders[0].path.with_name(GRADESCOPE_FILE))
        if isinstance(metadata, str):
            return Recognised.unclear(metadata)
        files = [file for entry in folders for file in _files(entry, metadata.get(entry.name))]
        known = [entry for entry in folders if _people(metadata.get(entry.name))]
        used = [entry.path for entry in known] + [folders[0].path.with_name(GRADESCOPE_FILE)]
        return Recognised.of(files, used)


def _metadata(path: Path) -> dict[str, Any] | str:
    """What the export says of each folder, or a sentence if it cannot be read."""
    try:
        if path.is_symlink() or path.stat().st_size > MAX_BYTES:
            return f"{GRADESCOPE_FILE} is a link, or larger than {MAX_BYTES >> 20} MiB: export the submissions again"
        found = YAML(typ="base", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError:
        return f"{GRADESCOPE_FILE}, which says whose each submission is, is missing: put it beside the folders"
    except (YAMLError, ValueError, RecursionError):
        return f"{GRADESCOPE_FILE} cannot be read: export the submissions again"
    return found if isinstance(found, dict) else f"{GRADESCOPE_FILE} describes no submission: export them again"


def _people(about: Any) -> list[dict[str, Any]]:
    people = about.get(":submitters") if isinstance(about, dict) else None
    return [each for each in people or () if isinstance(each, dict) and str(each.get(":name") or "").strip()]


def _files(entry: FolderEntry, about: Any) -> Iterator[DiscoveredFile]:
    for each in _people(about):
        name, email, sid = (str(each.get(key) or "") for key in (":name", ":email", ":sid"))
        submitted = aware(str(about.get(":created_at") or ""))
        origin = Origin(layout="gradescope", id=sid, email=email, submitted=submitted)
        person = f"gradescope {sid or email or clean(name)}"
        yield from of_person(entry, name, person, origin, _sortable(submitted))


def _sortable(time: datetime | None) -> str:
    return time.astimezone(UTC).isoformat() if time else ""
