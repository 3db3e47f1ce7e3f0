"""Fetches the files of an assignment into a folder, as the platform's own download has them.

What has been fetched is noted in `.gradetape-fetch.json` in the folder, after each file: a file with the same id,
attempt and size is not fetched again, and one that the platform no longer counts is removed. Files that gradetape has
not fetched stay.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, count
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import msgspec

from gradetape import files
from gradetape.errors import LmsFileError, RequestError
from gradetape.lms.base import ApiFile, LmsPlatform
from gradetape.text import one_line

_NOTE = ".gradetape-fetch.json"
_HEADERS = MappingProxyType({
    "canvas": ("user id", "user name", "submitted at"),
    "moodle": ("Identifier", "Full name", "Last modified (submission)"),
})  # fmt: skip


class Fetched(msgspec.Struct, frozen=True):
    """The names of the files that were fetched, of those that were there already, and of those that were removed.

    `failed` are those that could not be fetched, with the reason.
    """

    new: tuple[str, ...]
    known: tuple[str, ...]
    removed: tuple[str, ...]
    failed: tuple[tuple[str, str], ...] = ()


def fetch(
    platform: LmsPlatform, folder: Path, *, dry_run: bool = False, told: Callable[[str, int, int], None],
    times: Path | None = None,
) -> Fetched:  # fmt: skip
    """Brings a folder up to date; `told` is called for each file with its name, number and the number of all.

    `times` is a file for the table of times that `late.times` reads. Raises LmsError, and RequestError for a folder
    that cannot be used.
    """
    note = _Note.of(folder)
    found = _by_name(platform.files())
    known = dict.fromkeys(name for name, file in found.items() if note.has(file))
    wanted = [file for name, file in found.items() if name not in known]
    gone = sorted(set(note.entries) - set(found))
    if dry_run:
        return Fetched(tuple(file.name for file in wanted), tuple(known), tuple(gone))
    note.prepare()
    failed = dict[str, str]()
    for number, file in enumerate(wanted, start=1):
        told(file.name, number, len(wanted))
        try:
            note.put(file, file.text.encode() if not file.url else platform.download(file))
        except LmsFileError as error:
            failed[file.name] = str(error)
    for name in gone:
        note.remove(name)
    if times is not None:
        _write(times, _table(platform, found.values()))
    new = tuple(file.name for file in wanted if file.name not in failed)
    return Fetched(new, tuple(known), tuple(gone), tuple(failed.items()))


def _by_name(found: Iterable[ApiFile]) -> dict[str, ApiFile]:
    """The files by their names; of several that are named alike, each but the first gets a number."""
    named: dict[str, ApiFile] = {}
    for file in found:
        path = PurePosixPath(file.name)
        names = (str(path.with_name(f"{path.stem} ({number}){path.suffix}")) for number in count(2))
        name = next(each for each in chain([file.name], names) if each not in named)
        named[name] = msgspec.structs.replace(file, name=name)
    return named


class _Note:
    """What was fetched into a folder: the id, attempt and size of each file."""

    def __init__(self, folder: Path, entries: dict[str, list[object]]) -> None:
        self._folder = folder
        self.entries = entries

    @classmethod
    def of(cls, folder: Path) -> _Note:
        _refuse_link(folder)
        try:
            found = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls(folder, {})
        except (OSError, ValueError):
            found = None
        if not isinstance(found, dict) or not all(isinstance(each, list) for each in found.values()):
            raise RequestError(f"{folder / _NOTE} cannot be read. Remove it: then all files are fetched again.")
        return cls(folder, found)

    def prepare(self) -> None:
        try:
            files.make_folder(self._folder)
        except OSError as error:
            raise RequestError(f"{self._folder} cannot be made: {error.strerror}. Choose another --into.") from error

    def has(self, file: ApiFile) -> bool:
        """Whether the file is there, and the same as on the platform."""
        path = self._folder / file.name
        same = self.entries.get(file.name) == [file.id, file.attempt, file.size]
        return same and path.is_file() and not path.is_symlink() and path.stat().st_size == file.size

    def put(self, file: ApiFile, content: bytes) -> None:
        """Writes a file, then notes it; never partially."""
        path = self._folder / file.name
        _refuse_link(path.parent)
        _write(path, content)
        self.entries[file.name] = [file.id, file.attempt, file.size]
        self._save()

    def remove(self, name: str) -> None:
        """Removes a file that was fetched, and its folder if that is empty."""
        path = self._folder / name
        if os.path.normpath(name) == name and not name.startswith(("..", "/")):
            path.unlink(missing_ok=True)
            if path.parent != self._folder and path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()
        del self.entries[name]
        self._save()

    def _save(self) -> None:
        _write(self._folder / _NOTE, json.dumps(self.entries, indent=1).encode())


def _refuse_link(folder: Path) -> None:
    if link := files.link_in(folder):
        raise RequestError(f"{link} is a symbolic link, and nothing is fetched through it. Name the real folder.")


def _write(path: Path, content: bytes) -> None:
    try:
        files.make_folder(path.parent)
        files.replace(path, content)
    except OSError as error:
        raise RequestError(
            f"{one_line(str(path))} cannot be written: {error.strerror}. Free space, or choose another folder."
        ) from error


def _table(platform: LmsPlatform, found: Iterable[ApiFile]) -> bytes:
    """Who handed in when, as `late.times` reads it, with the platform's headers; one row for each student."""
    rows: Mapping[str, ApiFile] = {file.user or file.student: file for file in found if file.submitted}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADERS[platform.layout])
    writer.writerows(
        [file.user, one_line(file.student), file.submitted.isoformat() if file.submitted else ""]
        for file in rows.values()
    )
    return text.getvalue().encode()
