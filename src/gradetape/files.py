"""Files that are for their owner alone, zips, the cache folder, and paths without links."""

from __future__ import annotations

import io
import os
import stat
import tempfile
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

OWNER_ONLY = 0o600
_EPOCH = (1980, 1, 1, 0, 0, 0)
_OTHERS = 0o007


def link_in(path: Path) -> Path | None:
    """The first part of a path that is a symbolic link, or None.

    The links by which a machine is laid out do not count: those in the root folder, and at the start of an absolute
    path those on the way to the working directory or to the user's home folder.
    """
    if "\0" in os.fspath(path):  # no file has such a name
        return None
    here, home = Path.cwd(), Path(os.path.realpath(os.path.expanduser("~")))
    on_the_way, part = path.is_absolute(), Path(path.anchor)
    for name in path.parts[1 if path.anchor else 0 :]:
        part /= name
        real = os.path.realpath(part)
        on_the_way = on_the_way and (here.is_relative_to(real) or home.is_relative_to(real))
        if part.is_symlink() and not on_the_way and part.parent != Path("/"):
            return part
    return None


def make_folder(path: Path) -> None:
    """Makes a folder that only its owner can enter, with its parents; one that exists stays as it is."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a text, without changing its line ends, to a file that only its owner can read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, OWNER_ONLY), "wb") as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # it may have existed
            os.fchmod(file.fileno(), OWNER_ONLY)
        file.write(text.encode("utf-8"))


def has_text(path: Path, text: str) -> bool:
    """Whether a path is what `write_text` makes: a file with this text, no link, that only its owner can read."""
    try:
        found = path.lstat()
        right = stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) == OWNER_ONLY
        return right and path.read_bytes() == text.encode("utf-8")
    except OSError:
        return False


def zip_of(content: Mapping[str, bytes], executable: Collection[str] = ()) -> bytes:
    """A zip of files by their names; the same files give the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(content):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = (0o755 if name in executable else 0o644) << 16
            archive.writestr(entry, content[name], zipfile.ZIP_DEFLATED)
    return made.getvalue()


def cache_folder() -> Path:
    """The folder for what can be found out again, in the user's home."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "gradetape"


def replace(path: Path, content: bytes) -> None:
    """Puts bytes in the place of a file at once, so that it is never partial; only its owner can read it.

    Raises OSError if that is impossible; the file then stays as it was.
    """
    descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise


def keep_from_others(path: Path) -> None:
    """Makes an empty file that only its owner can read; takes one that exists away from every other user.

    Its group keeps it: several people may grade into one folder. Raises OSError if it cannot be made; a file of
    somebody else stays as it is.
    """
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY))
    except FileExistsError:
        found = path.stat()
        if found.st_mode & _OTHERS and found.st_uid == os.geteuid():
            path.chmod(found.st_mode & ~_OTHERS & 0o777)


def open_to_all(path: Path) -> bool:
    """Whether every user of this machine may read a file, or enter or list a folder, as far as its own mode says."""
    return path.exists() and bool(path.stat().st_mode & (0o005 if path.is_dir() else 0o004))
