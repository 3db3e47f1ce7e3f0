"""GitHub Classroom: a repository `ASSIGNMENT-LOGIN` for each student, with the notebook anywhere in it.

Where the login begins is certain if the folder has the name that `gh classroom clone` gives (`ASSIGNMENT-submissions`),
if the assignment is known, if the prefix is a usual word for homework, or if there is only one way to split the names.
"""

from __future__ import annotations

from collections import Counter

from gradetape.intake.found import DiscoveredFile, FolderEntry, Listing, of_person
from gradetape.intake.layouts.base import Recognised
from gradetape.intake.layouts.signatures import WORK, names_a_platform
from gradetape.intake.names import clean
from gradetape.records import Origin

_CLONED = "-submissions"
_MARKS = (".git", ".github")
_FEW = 3


class GitHub:
    """The clones of a GitHub Classroom assignment."""

    name = "github"
    title = "GitHub Classroom"
    names = "ASSIGNMENT-LOGIN/"
    explicit = False

    def recognise(self, listing: Listing, *, asked: bool = False) -> Recognised | None:
        """The repositories, without the prefix that the assignment gives them."""
        folders = [entry for entry in listing.folders if _can_be_repository(entry.name)]
        prefixes = _known_prefixes(listing, folders) or _shared_prefixes(folders, asked=asked)
        if not prefixes:
            return None
        if len(prefixes) > 1 and not asked:
            return Recognised.unclear(
                "where the login begins in these names is not certain: name the folder ASSIGNMENT-submissions"
            )
        prefix = max(prefixes, key=len)
        own = [entry for entry in folders if entry.name.startswith(prefix) and entry.name != prefix]
        files = [file for entry in own for file in _files(entry, entry.name.removeprefix(prefix))]
        return Recognised.of(files, (entry.path for entry in own))


def _can_be_repository(name: str) -> bool:
    return not names_a_platform(name, folder=True) and not name.endswith(_CLONED)


def _known_prefixes(listing: Listing, folders: list[FolderEntry]) -> set[str]:
    """The prefix that begins names and is certain to be an assignment's."""
    cloned = listing.root_name.removesuffix(_CLONED)
    certain = [f"{cloned}-"] if cloned != listing.root_name else []
    certain += [f"{name}-" for name in sorted(listing.assignments)]
    named = [prefix for prefix in certain if any(entry.name.startswith(prefix) for entry in folders)]
    if named:
        return {named[0]}
    work = Counter(prefix for entry in folders for prefix in [_work(entry.name)] if prefix)
    common = [prefix for prefix, count in work.items() if count > 1 or any(letter.isdigit() for letter in prefix)]
    return {max(common, key=lambda prefix: work[prefix])} if common else set()


def _work(name: str) -> str:
    """The longest beginning of a name, up to a hyphen, that is a usual word for homework; empty if none is."""
    found = [part for part in _beginnings(name) if WORK.fullmatch(part[:-1])]
    return max(found, key=len, default="")


def _shared_prefixes(folders: list[FolderEntry], *, asked: bool) -> set[str]:
    """The beginnings that all names of several repositories share."""
    repositories = [entry for entry in folders if asked or entry.has(*_MARKS)]
    if not asked and len(repositories) < max(_FEW, len(folders)):
        return set()
    shared = [set(_beginnings(entry.name)) for entry in repositories]
    return set.intersection(*shared) if shared else set()


def _beginnings(name: str) -> list[str]:
    """`a-`, `a-b-` for `a-b-c`."""
    return [name[: place + 1] for place, letter in enumerate(name[:-1]) if letter == "-" and place]


def _files(entry: FolderEntry, login: str) -> list[DiscoveredFile]:
    login = clean(login)
    origin = Origin(layout="github", login=login)
    return of_person(entry, login, f"github {login.casefold()}", origin)
