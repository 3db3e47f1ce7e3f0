"""The requirements of a prompt: sentences with an id, which checks prove.

An HTML comment `<!-- requirement: ID -->` stands before the text of a requirement. The text ends at the next such
comment, at a blank line, or at the next list item, heading or code block. `release` removes the comments.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

import msgspec

REQUIREMENT_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_WRITTEN = r"<!--\s*requirement:\s*(?P<id>(?:(?!-->).)*?)\s*-->[ \t]*"
_COMMENT = re.compile(rf"{_WRITTEN}\n?")
_INDENTATION = re.compile(rf"^[ \t]+(?={_WRITTEN}\n)", re.MULTILINE)  # of a comment on a line of its own
_ANY_COMMENT = re.compile(r"<!--\s*(?P<text>(?P<word>[\w-]*).*?)\s*-->", re.DOTALL)
_END = re.compile(r"\n[ \t]*(?:\n|[-*+][ \t]|\d+[.)][ \t]|#{1,6}[ \t]|```|~~~)")


class Requirement(msgspec.Struct, frozen=True):
    """A requirement of a prompt: its id, its text in Markdown on one line, and its line in the file, from 1."""

    id: str
    text: str
    line: int


def requirements_of(prompt: str) -> tuple[Requirement, ...]:
    """The requirements of a prompt, in its order; ids are returned as they are written, valid or not."""
    found = list(_COMMENT.finditer(prompt))
    ends = [*(match.start() for match in found[1:]), len(prompt)]
    return tuple(
        Requirement(match["id"], _text(prompt[match.end() : end]), prompt.count("\n", 0, match.start()) + 1)
        for match, end in zip(found, ends, strict=False)  # one end is left if there are none
    )


def misspelt(prompt: str) -> Iterator[tuple[int, str]]:
    """Comments that look like a requirement's and are none, which students would read: the line and the text."""
    for match in _ANY_COMMENT.finditer(prompt):
        alike = difflib.get_close_matches(match["word"].lower(), ["requirement", "requirements"], cutoff=0.8)
        if alike and not _COMMENT.match(match[0]):
            yield prompt.count("\n", 0, match.start()) + 1, match["text"]


def without_comments(prompt: str) -> str:
    """The prompt as students read it."""
    return _COMMENT.sub("", _INDENTATION.sub("", prompt))


def _text(text: str) -> str:
    end = _END.search(text)
    return " ".join((text[: end.start()] if end else text).split())
