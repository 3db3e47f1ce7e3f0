"""What a layout is: a recogniser of folders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gradetape.intake.found import DiscoveredFile, Listing


@dataclass(frozen=True)
class Recognised:
    """What a layout recognises in a folder: the files of each person, and the entries that it explains.

    `problem` is a sentence if the folder looks like this layout and yet does not tell who owns the files.
    """

    files: tuple[DiscoveredFile, ...]
    used: frozenset[Path]
    problem: str = ""

    @classmethod
    def of(cls, files: Iterable[DiscoveredFile], used: Iterable[Path]) -> Recognised | None:
        """None if there are no files."""
        found = tuple(files)
        return cls(found, frozenset(used)) if found else None

    @classmethod
    def unclear(cls, problem: str) -> Recognised:
        """A folder that does not tell who owns its files."""
        return cls((), frozenset(), problem)

    def score(self, listing: Listing) -> float:
        """The share of the submissions in a folder that it explains, from 0 to 1."""
        handed_in = [entry.path for entry in listing.entries if entry.is_handed_in]
        return sum(path in self.used for path in handed_in) / len(handed_in) if handed_in else 1.0


class Layout(Protocol):
    """A recogniser of the folders of one platform.

    `name` is its name for `--layout`, `title` the platform's; `names` says how the platform names what it holds. An
    `explicit` layout has names that nothing else has; the others go by the shape of the folder, and only if no explicit
    layout recognises it.
    """

    name: str
    title: str
    names: str
    explicit: bool

    def recognise(self, listing: Listing, *, asked: bool = False) -> Recognised | None:
        """What it recognises; None if nothing is as the platform names it.

        With `asked`, the user has named the layout: it need not doubt its own shape.
        """
