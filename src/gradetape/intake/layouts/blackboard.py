"""Blackboard: `Homework_jdoe_attempt_2025-09-03-23-59-00_file.ipynb`, and for each attempt the same name with `.txt`.

The text names the person, whose login ends what stands before `_attempt_`. Without a text, that is certain only if the
assignment's title has no underscore, or is known from another attempt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from gradetape.intake.found import DiscoveredFile, FolderEntry, Listing, file_at
from gradetape.intake.layouts.base import Recognised
from gradetape.intake.layouts.signatures import BLACKBOARD
from gradetape.intake.layouts.times import english
from gradetape.records import Origin

_HEAD = 4096
_NAME = re.compile(r"Name: (?P<name>.*) \((?P<login>[^()]+)\)")
_DATE = "Date Submitted: "
_NOTHING = "This attempt has no file, only text typed into Blackboard. Hand in the notebook as a file."
_WHOSE = (
    "Where the login begins in this name is not certain: the text file of the attempt is missing. "
    "Put the whole download into the folder."
)


@dataclass(frozen=True)
class _Attempt:
    """One attempt: what stands before `_attempt_`, its time, its files, and its text, if there is one."""

    who: str
    time: str
    text: Path | None
    files: tuple[Path, ...]


@dataclass(frozen=True)
class _Person:
    login: str
    name: str = ""
    submitted: datetime | None = None


class Blackboard:
    """Blackboard's download of an assignment's files."""

    name = "blackboard"
    title = "Blackboard"
    names = "Homework_jdoe_attempt_2025-09-03-23-59-00_file.ipynb"
    explicit = True

    def recognise(self, listing: Listing, *, asked: bool = False) -> Recognised | None:
        """The attempts, with the person of each."""
        attempts = _attempts(listing.files)
        if not any(attempt.text or attempt.files for attempt in attempts):
            return None
        texts = {attempt: person for attempt in attempts if (person := _read(attempt))}
        titles = {attempt.who.removesuffix(f"_{person.login}") for attempt, person in texts.items()}
        files = [file for each in attempts for file in _files(each, texts.get(each) or _by_name(each.who, titles))]
        used = [path for each in attempts for path in (*each.files, *([each.text] if each.text else []))]
        return Recognised.of(files, used)


def _attempts(entries: Iterable[FolderEntry]) -> list[_Attempt]:
    found: dict[tuple[str, str], list[tuple[Path, bool]]] = {}
    for entry in entries:
        if match := BLACKBOARD.fullmatch(entry.name):
            found.setdefault((match["who"], match["time"]), []).append((entry.path, match["file"] == ".txt"))
    return [_attempt(who, time, parts) for (who, time), parts in found.items()]


def _attempt(who: str, time: str, parts: list[tuple[Path, bool]]) -> _Attempt:
    """An attempt; its text may lie beside a file that was passed by itself."""
    files = tuple(path for path, is_text in parts if not is_text)
    text = parts[0][0].with_name(f"{who}_attempt_{time}.txt")
    return _Attempt(who, time, text if text.is_file() and not text.is_symlink() else None, files)


def _read(attempt: _Attempt) -> _Person | None:
    """The person whom the text of an attempt names; what the student has typed stands below an empty line."""
    if not attempt.text:
        return None
    try:
        with attempt.text.open("rb") as file:
            head = file.read(_HEAD).decode("utf-8-sig", "replace")
    except OSError:
        return None
    lines = head.replace("\r\n", "\n").partition("\n\n")[0].split("\n")
    match = next(filter(None, (_NAME.fullmatch(line.strip()) for line in lines[:1])), None)
    if not match or not attempt.who.endswith(f"_{match['login']}"):
        return None
    date = next((line.removeprefix(_DATE) for line in lines if line.startswith(_DATE)), "")
    time = english(date)
    return _Person(match["login"], match["name"].strip(), time[1] if time else None)


def _by_name(who: str, titles: Iterable[str]) -> _Person | None:
    """The login without a text: after a title that is known, or after the only underscore."""
    known = {who.removeprefix(f"{title}_") for title in titles if who.startswith(f"{title}_")}
    if not known and who.count("_") == 1:
        known = {who.partition("_")[2]}
    return _Person(known.pop()) if len(known) == 1 else None


def _files(attempt: _Attempt, person: _Person | None) -> list[DiscoveredFile]:
    """The files of an attempt; its text where there are none."""
    texts = (attempt.text,) if attempt.text else ()
    if person is None:
        return [replace(file_at(path), rank=0, problem=_WHOSE) for path in attempt.files or texts]
    files = [replace(file_at(path), title=_title(path, attempt)) for path in attempt.files]
    files = files or [replace(file_at(path), problem=_NOTHING) for path in texts]
    origin = Origin(layout="blackboard", login=person.login, submitted=person.submitted)
    name, key = person.name or person.login, f"blackboard {person.login}"
    return [file.owned(name, key, origin, attempt.time) for file in files]


def _title(path: Path, attempt: _Attempt) -> str:
    return path.stem.removeprefix(f"{attempt.who}_attempt_{attempt.time}_")
