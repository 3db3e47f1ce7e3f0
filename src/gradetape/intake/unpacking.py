"""Whole downloads that are still zips, unpacked into a temporary folder while they are read.

Only what can be a submission, or what a platform says of it, is unpacked, each file up to the size at which it would be
refused anyway; of any other file only the name. Links and entries with a path outside the zip are never unpacked.
"""

from __future__ import annotations

import os
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gradetape import tempdirs
from gradetape.files import link_in
from gradetape.intake.found import SUFFIXES
from gradetape.intake.layouts.signatures import names_a_platform
from gradetape.intake.notebooks import MAX_BYTES, SKIPPED_FOLDERS, path_in_zip
from gradetape.text import one_line

MAX_FILES = 100_000
MAX_TOTAL = 16 << 30
MAX_RATIO = 200
_SPARE = 1 << 20
_SAID = (".yml", ".txt")
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
)


class DownloadRefusedError(Exception):
    """A zip of a download is not unpacked, with the reason and what to do next."""


@dataclass(frozen=True)
class Unpacked:
    """Paths to read instead of those that were passed, and the zip that each temporary folder was made from."""

    paths: tuple[Path, ...]
    origins: Mapping[str, str]

    def shown(self, text: str) -> str:
        """A text in which the temporary folders are the zips again."""
        for folder, origin in self.origins.items():
            text = text.replace(folder, origin)
        return text


@contextmanager
def unpacked(paths: list[Path], *, asked: bool) -> Iterator[Unpacked | None]:
    """The paths with every zip of a download unpacked; None if none is one.

    A zip that was passed is a download if its entries are named as a platform names them, if it has several notebooks,
    or if `asked`. A path that leads into a zip is read from it. Raises DownloadRefusedError.
    """
    zips = {path: found for path in paths if (found := zip_of(path))}
    downloads = {path: zipped for path, zipped in zips.items() if zipped != path or _is_download(zipped, asked=asked)}
    if not downloads or len(downloads) < len(paths):
        yield None
        return
    with tempdirs.folder("gradetape-download-") as folder:
        places = {zipped: folder / str(number) for number, zipped in enumerate(dict.fromkeys(downloads.values()))}
        for zipped, place in places.items():
            _unpack(zipped, place)
        inner = tuple(places[zipped] / path.relative_to(zipped) for path, zipped in downloads.items())
        yield Unpacked(inner, {os.fspath(place): os.fspath(zipped) for zipped, place in places.items()})


def zip_of(path: Path) -> Path | None:
    """The zip that a path is, or leads into; None if there is none, or if it is behind a link."""
    if "\0" in os.fspath(path):
        return None
    named = (each for each in (path, *path.parents) if each.suffix.lower() == ".zip")
    found = next(filter(os.path.isfile, named), None)
    return found if found and not link_in(found) else None


def is_in_zip(path: Path) -> bool:
    """Whether a path leads to a file or folder in a zip."""
    zipped = zip_of(path)
    if zipped is None or zipped == path:
        return False
    try:
        with zipfile.ZipFile(zipped) as opened:
            names = [path_in_zip(entry.filename) for entry in opened.infolist()[:MAX_FILES]]
    except _BROKEN:
        return False
    inner = PurePosixPath(path.relative_to(zipped))
    return any(inner == name or inner in name.parents for name in names)


def _is_download(path: Path, *, asked: bool) -> bool:
    try:
        with zipfile.ZipFile(path) as opened:
            entries = [entry for entry in opened.infolist()[:MAX_FILES] if not entry.is_dir()]
    except _BROKEN:
        return False
    names = [_parts(entry.filename) for entry in entries]
    notebooks = [parts for parts in names if parts[-1].lower().endswith(".ipynb") and _is_visible(parts)]
    return asked or len(notebooks) > 1 or any(map(_names_a_platform, names))


def _parts(name: str) -> tuple[str, ...]:
    return path_in_zip(name).parts or ("",)


def _names_a_platform(parts: tuple[str, ...]) -> bool:
    return names_a_platform(parts[-1], folder=False) or any(names_a_platform(part, folder=True) for part in parts[:-1])


def _is_visible(parts: tuple[str, ...]) -> bool:
    return not any(part.startswith(".") or part in SKIPPED_FOLDERS for part in parts)


def _unpack(path: Path, place: Path) -> None:
    name = one_line(os.fspath(path))
    place.mkdir()
    try:
        with zipfile.ZipFile(path) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir() and not _is_link(entry)]
            _check(name, entries, path.stat().st_size)
            for entry in entries:
                _write(opened, entry, place)
    except _BROKEN as error:
        raise DownloadRefusedError(
            f"{name} cannot be unpacked ({type(error).__name__}). Unpack it yourself, and pass the folder."
        ) from None


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _check(name: str, entries: list[zipfile.ZipInfo], packed: int) -> None:
    if len(entries) > MAX_FILES or sum(map(_size, entries)) > min(MAX_TOTAL, MAX_RATIO * packed + _SPARE):
        raise DownloadRefusedError(f"{name} would unpack to far more than a download has, and was not unpacked.")
    outside = [entry for entry in entries if not _is_inside(entry.filename)]
    if outside:
        raise DownloadRefusedError(
            f"{name} has an entry with a path outside the zip, {one_line(outside[0].filename)!r}, and was not unpacked."
        )
    if len({path_in_zip(entry.filename) for entry in entries}) < len(entries):
        raise DownloadRefusedError(f"{name} has two entries of one name, and was not unpacked. Download it again.")


def _is_inside(name: str) -> bool:
    path = path_in_zip(name)
    return not path.is_absolute() and ".." not in path.parts and ":" not in name[:2]


def _size(entry: zipfile.ZipInfo) -> int:
    """The bytes that are unpacked of an entry."""
    suffix = PurePosixPath(entry.filename).suffix.lower()
    return min(entry.file_size, MAX_BYTES + 1) if suffix in (*SUFFIXES, *_SAID) else 0


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, place: Path) -> None:
    target = place / path_in_zip(entry.filename)
    target.parent.mkdir(parents=True, exist_ok=True)
    wanted = _size(entry)
    with open(target, "xb") as file:
        if wanted:
            with opened.open(entry) as source:
                file.write(source.read(wanted))
    seconds = time.mktime((*entry.date_time, 0, 0, -1))
    os.utime(target, (seconds, seconds))
