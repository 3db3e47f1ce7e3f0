"""JupyterHub: the home folders of the users, each with a folder for the assignment: `jdoe/week-3/notebook.ipynb`.

A section of the course with a folder for each student looks the same, and there the inner folder is the student. Homes
are recognised by the files that a home has, by an inner folder named like the assignment or like homework, and by an
inner folder that all have. If none of this decides, the folder is refused.
"""

from __future__ import annotations

from collections import Counter

from gradetape.intake.found import DiscoveredFile, FolderEntry, Listing, of_person
from gradetape.intake.layouts.base import Recognised
from gradetape.intake.layouts.github import GitHub
from gradetape.intake.layouts.signatures import NBGRADER_STAMP, WORK, names_a_platform
from gradetape.intake.names import clean
from gradetape.records import Origin

_HOME = (".bashrc", ".profile", ".bash_history", ".jupyter", ".ipython", ".local")
_FEW = 3
_UNCLEAR = (
    "whether its outer or its inner folders are the students is not certain: say --layout jupyterhub if the outer ones "
    "are, --layout plain if the inner ones are"
)


class JupyterHub:
    """The home folders of a JupyterHub."""

    name = "jupyterhub"
    title = "JupyterHub"
    names = "LOGIN/ASSIGNMENT/notebook.ipynb"
    explicit = False

    def recognise(self, listing: Listing, *, asked: bool = False) -> Recognised | None:
        """The homes, if at least one has its notebooks in a folder."""
        homes = listing.folders
        inner = {entry.path: _inner(entry) for entry in homes}
        deep = [entry for entry in homes if inner[entry.path] and not _has_direct(entry)]
        if not asked:
            if not deep or _is_of_another(listing):
                return None
            if not _are_homes(listing, deep, [inner[entry.path] for entry in deep]):
                sections = _are_sections([inner[entry.path] for entry in deep], listing)
                return None if sections else Recognised.unclear(_UNCLEAR)
        files = [file for entry in homes for file in _files(entry, listing)]
        return Recognised.of(files, (entry.path for entry in homes))


def _is_of_another(listing: Listing) -> bool:
    """Whether a folder is named as another platform names folders, or holds what nbgrader has collected."""
    named = any(names_a_platform(entry.name, folder=True) for entry in listing.folders)
    stamped = any((entry.path / name / NBGRADER_STAMP).is_file() for entry in listing.folders for name in _inner(entry))
    return named or stamped or GitHub().recognise(listing) is not None


def _inner(home: FolderEntry) -> set[str]:
    """The names of the folders in a home that hold submissions."""
    return {home.steps(file)[0] for file in home.inside if file.rank and home.steps(file)}


def _has_direct(home: FolderEntry) -> bool:
    return any(file.rank and not home.steps(file) for file in home.inside)


def _are_homes(listing: Listing, deep: list[FolderEntry], inner: list[set[str]]) -> bool:
    shared = Counter(name for names in inner for name in names)
    everywhere = any(count == len(deep) for count in shared.values())
    return (
        any(entry.has(*_HOME) for entry in listing.folders)
        or all(any(_is_work(name, listing) for name in names) for names in inner)
        or (everywhere and len(deep) >= _FEW)
    )


def _is_work(name: str, listing: Listing) -> bool:
    return name in listing.assignments or WORK.fullmatch(name) is not None


def _are_sections(inner: list[set[str]], listing: Listing) -> bool:
    """Whether the inner folders can only be students: several in each, and no name twice or like a platform's."""
    names = [name for each in inner for name in each]
    other = any(_is_work(name, listing) or names_a_platform(name, folder=True) for name in names)
    different = len({name.casefold() for name in names}) == len(names)
    return different and not other and all(len(each) > 1 for each in inner) and not listing.files_handed_in


def _files(home: FolderEntry, listing: Listing) -> list[DiscoveredFile]:
    """A home's files; only those in the assignment's folder, if it has one."""
    login = clean(home.name)
    found = of_person(home, login, f"jupyterhub {login}", Origin(layout="jupyterhub", login=login))
    own = [file for file in found if file.rank and set(home.steps(file)[:1]) & listing.assignments]
    return own or found
