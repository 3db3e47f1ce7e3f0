"""Shares of a batch that several machines grade without knowing of each other; `gradetape merge` joins the results.

A submission's share depends on its code cells alone: not on names of files or students, on the order of the files, or
on how many there are. So a share stays the same when a file is added or renamed, and the same cells are in one share.
"""

from __future__ import annotations

import hashlib
import re
from typing import Self, TypeVar

import msgspec

from gradetape.course.digests import digest_of
from gradetape.errors import RequestError
from gradetape.grading.selection import Selection
from gradetape.records import Submission, Unreadable
from gradetape.text import counted, one_line

_WRITTEN = re.compile(r"([0-9]{1,6})/([0-9]{1,6})", re.ASCII)
_Result = TypeVar("_Result", Submission, Unreadable)


class Shard(msgspec.Struct, frozen=True):
    """The `number`-th of `count` shares, from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """A share such as `3/16`; raises RequestError."""
        found = _WRITTEN.fullmatch(text.strip())
        number, count = map(int, found.groups()) if found else (0, 0)
        if not 1 <= number <= count:
            raise RequestError(
                f"--shard {one_line(text)!r} is not a share: write its number and how many there are, from 1/16 to "
                "16/16 for sixteen shares"
            )
        return cls(number, count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def holds(self, result: Submission | Unreadable) -> bool:
        """Whether a submission belongs to this share."""
        return int(_content(result), 16) % self.count == self.number - 1

    def of(self, selection: Selection) -> Selection:
        """This share of a selection, which says how many submissions it has."""
        submissions = tuple(each for each in selection.submissions if self.holds(each))
        unreadable = tuple(each for each in selection.unreadable if self.holds(each))
        whole = len(selection.submissions) + len(selection.unreadable)
        share = f"share {self}: {len(submissions) + len(unreadable)} of {counted(whole, 'submission')}"
        recognised = "; ".join(filter(None, [selection.recognised, share]))
        return msgspec.structs.replace(selection, submissions=submissions, unreadable=unreadable, recognised=recognised)


def _content(result: Submission | Unreadable) -> str:
    """A digest of the cells as they were read, or of a file that cannot be read."""
    if isinstance(result, Unreadable):
        return hashlib.sha256(result.sha256.encode()).hexdigest()
    return digest_of(part for cell in result.cells for part in (cell.source, cell.question or ""))
