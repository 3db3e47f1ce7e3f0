"""Students' pages as the zip that a platform's bulk upload of feedback takes: one page per student, named by it.

- Moodle reads the participant's number in a folder's name: `First Last_12345_assignsubmission_file_/feedback.html`.
- Canvas reads the numbers of the user and of the file in the downloaded file's name: `doejane_12345_90001_hw.html`.
- Gradescope has no such upload. The folders are those of its export, for whoever sends the pages on.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from gradetape.errors import RequestError
from gradetape.files import zip_of
from gradetape.records import Origin
from gradetape.text import few_lines, one_line, printable

_MOODLE = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_.*)?")
# Two numbers that look like a year and a month are not ids of Canvas.
_CANVAS = re.compile(r".+_(?!\d{4}_\d\d?_)\d+_\d+_.+|(LATE_)?anon_[^_]+_\d+_.+")
_GRADESCOPE = re.compile(r"submission_\d+")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


class FeedbackPage(msgspec.Struct, frozen=True, kw_only=True):
    """A student's page: the text, its usual file name, and where the submission came from."""

    student: str
    file: str
    page_name: str
    text: str
    origin: Origin | None = None


class FeedbackTarget(NamedTuple):
    """Where pages go: a title, how a page is named there (empty if that is unknown), and what a name needs."""

    title: str
    name_of: Callable[[FeedbackPage], str]
    needs: str = ""


class FeedbackZip(msgspec.Struct, frozen=True):
    """The zip, the names of the pages in it, and the students who have none, in sentences."""

    content: bytes
    names: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def zipped(target: FeedbackTarget, pages: Sequence[FeedbackPage], *, partial: bool = False) -> FeedbackZip:
    """The pages as a zip; the same pages give the same bytes.

    Raises RequestError if a page has no name on the platform, unless `partial`, or if two pages have the same.
    """
    named = [(target.name_of(page), page) for page in pages]
    missing = [f"{one_line(page.student)}: {one_line(page.file)} {target.needs}" for name, page in named if not name]
    if missing and not partial:
        raise RequestError(
            "\n".join([f"Not every student has a name on {target.title}:", *few_lines(missing)])
            + "\nGrade the platform's download as it is, or leave these students out with --partial."
        )
    found = sorted((name, page) for name, page in named if name)
    if shared := list(_shared(found)):
        raise RequestError("\n".join(["Pages of several students would have one name:", *few_lines(shared)]))
    content = zip_of({name: page.text.encode() for name, page in found})
    return FeedbackZip(content, tuple(name for name, _ in found), tuple(f"left out: {each}" for each in missing))


def moodle_name(page: FeedbackPage) -> str:
    """The folder of the student's download, by the participant's number."""
    # The outermost such folder is the platform's: what is in it, a student may have named.
    parts = filter(None, map(_MOODLE.fullmatch, PurePath(page.file).parts))
    if found := next(parts, None):
        return _in_moodle(found["name"], found["id"])
    origin = page.origin
    known = origin is not None and origin.layout == "moodle" and origin.id.isdecimal()
    return _in_moodle(page.student, origin.id) if origin and known else ""


def canvas_name(page: FeedbackPage) -> str:
    """The name of the downloaded file, with another ending."""
    file = PurePath(page.file)
    return f"{_UNSAFE.sub('-', printable(file.stem))}.html" if _CANVAS.fullmatch(file.stem) else ""


def gradescope_name(page: FeedbackPage) -> str:
    """The submission's folder; members of a group share one, so that each page has the student's name."""
    folder = next((part for part in PurePath(page.file).parts if _GRADESCOPE.fullmatch(part)), "")
    return f"{folder}/{page.page_name}" if folder else ""


def plain_name(page: FeedbackPage) -> str:
    """The name of the page in the results folder."""
    return page.page_name


FEEDBACK: Mapping[str, FeedbackTarget] = MappingProxyType({
    "moodle": FeedbackTarget(
        "Moodle", moodle_name, "is not in a folder like 'First Last_12345_assignsubmission_file_'"
    ),
    "canvas": FeedbackTarget("Canvas", canvas_name, "is not named like 'doejane_12345_90001_homework.ipynb'"),
    "gradescope": FeedbackTarget("Gradescope", gradescope_name, "is not in a folder like 'submission_340000001'"),
    "zip": FeedbackTarget("this machine", plain_name),
})  # fmt: skip


def _in_moodle(name: str, number: str) -> str:
    # Moodle splits the folder's name at underscores, and ignores names that begin with a dot or a tilde.
    safe = _UNSAFE.sub(" ", printable(name)).replace("_", " ").strip(" .~")[:80] or "student"
    return f"{safe}_{number}_assignsubmission_file_/feedback.html"


def _shared(named: Sequence[tuple[str, FeedbackPage]]) -> Iterator[str]:
    students = defaultdict[str, list[str]](list)
    for name, page in named:
        students[name.casefold()].append(page.student)
    yield from (f"{name}: {', '.join(each)}" for name, each in students.items() if len(each) > 1)
