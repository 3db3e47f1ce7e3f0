"""What all platforms with an API have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import Protocol

import msgspec

from gradetape.exports.platform import FileRow
from gradetape.intake.names import clean

_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_LONGEST = 120


class LmsPlace(msgspec.Struct, frozen=True, kw_only=True):
    """An assignment on a platform: the address of the platform, and the numbers of the course and the assignment."""

    url: str
    course: str = ""
    assignment: str


class ApiFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a student has handed in.

    `name` is its path in the folder, as the platform's own download has it. `id`, `attempt` and `size` tell whether it
    has changed. `text` is what was typed instead of a file, `url` is empty then. `student` and `submitted` are for the
    table of times.
    """

    name: str
    id: str
    attempt: int
    size: int
    url: str = ""
    text: str = ""
    user: str = ""
    student: str = ""
    submitted: datetime | None = None


class ApiStudent(msgspec.Struct, frozen=True, kw_only=True):
    """A student of the assignment: by what the person is recognised, and the points that the platform has.

    `user` is the id that the API takes. `kept` says why the points may not be replaced, such as `excused`.
    """

    user: str
    row: FileRow
    points: float | None = None
    kept: str = ""


class ApiComment(msgspec.Struct, frozen=True):
    """The comment that a new one would follow or replace, as text; empty if there is none.

    `kept` says why it may not be replaced, such as that somebody else wrote it. One that is not known would be lost
    with new points as well.
    """

    text: str = ""
    kept: str = ""
    is_known: bool = True


class LmsPlatform(Protocol):
    """An assignment on a platform; every method raises LmsError.

    `replaces_comments` says that a student has one comment, which a new one replaces and which is looked up by itself.
    """

    title: str
    layout: str
    replaces_comments: bool

    def files(self) -> Iterator[ApiFile]:
        """The files of the attempts that count."""

    def students(self) -> list[ApiStudent]:
        """Everybody who may get points."""

    def max_points(self) -> float:
        """The highest number of points; raises LmsError if the assignment is not graded by points."""

    def download(self, file: ApiFile) -> bytes:
        """The content of a file."""

    def takes_comments(self) -> bool:
        """Whether the assignment has comments on a student's work."""

    def comment_from(self, html: str) -> str:
        """A comment in the form that the platform takes."""

    def comment_of(self, student: ApiStudent) -> ApiComment:
        """The student's comment that a new one would follow or replace."""

    def save(self, user: str, points: float | None, comment: str | None) -> None:
        """Sets a student's points, and adds or replaces the comment; None changes nothing."""


def safe_name(text: str) -> str:
    """A file's name without anything that leads elsewhere, hides it or is forbidden on some system; never empty."""
    name = clean(_UNSAFE.sub("-", text), 4 * _LONGEST).lstrip(". ").rstrip(". ")
    suffix = PurePosixPath(name).suffix[:20]
    return (name if len(name) <= _LONGEST else name[: _LONGEST - len(suffix)] + suffix) or "unnamed"
