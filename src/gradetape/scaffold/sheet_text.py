"""The lines of a sheet with what Markdown makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

_FRONT_MATTER = re.compile(r"---[ \t]*\n.*?^(?:---|\.\.\.)[ \t]*$", re.DOTALL | re.MULTILINE)


class Line(msgspec.Struct, frozen=True):
    """A line of a sheet: its number from 1, the number of the first line of the code fence it is in (else 0), and
    whether it is in a displayed formula."""

    number: int
    text: str
    fence: int = 0
    math: bool = False


class Parts(msgspec.Struct, frozen=True):
    """The lines of a question, of its answer, and those of which neither is sure."""

    question: tuple[Line, ...]
    answer: tuple[Line, ...] = ()
    doubts: tuple[Line, ...] = ()


class SheetText(msgspec.Struct, frozen=True):
    """A sheet's lines and its syntax tree. Front matter is blank in both."""

    lines: tuple[Line, ...]
    front_matter: tuple[Line, ...]
    root: SyntaxTreeNode

    @classmethod
    def of(cls, text: str) -> SheetText:
        """Parses a sheet."""
        found = _FRONT_MATTER.match(text)
        front = found[0].splitlines() if found else []
        lines = [*([""] * len(front)), *text.splitlines()[len(front) :]]
        root = SyntaxTreeNode(MarkdownIt().parse("\n".join(lines)))
        fences, math = _fences(root), _math(lines)
        parsed = (Line(n + 1, line, fences.get(n, 0), n in math and n not in fences) for n, line in enumerate(lines))
        return cls(tuple(parsed), tuple(Line(n, line) for n, line in enumerate(front, start=1)), root)

    def between(self, start: int, stop: int) -> tuple[Line, ...]:
        """The lines from one index, counted from 0, up to another."""
        return self.lines[start:stop]


def shifted(line: Line, offset: int) -> Line:
    """A line without the first `offset` characters of its indentation; a line with less has none afterwards."""
    text = line.text.expandtabs(4) if line.text[:1] == "\t" else line.text
    indent = len(text) - len(text.lstrip(" "))
    return msgspec.structs.replace(line, text=text[min(offset, indent) :].rstrip())


def joined(lines: Sequence[Line]) -> str:
    """The text of lines, without the blank ones around it."""
    return "\n".join(line.text for line in lines).strip("\n").rstrip()


def blocks(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """Lines in groups that blank lines separate."""
    group: list[Line] = []
    for line in [*lines, Line(0, "")]:
        if line.text.strip():
            group.append(line)
        elif group:
            yield group
            group = []


def _fences(root: SyntaxTreeNode) -> dict[int, int]:
    """For each line of a code fence, counted from 0, the number of its first line, counted from 1."""
    found: dict[int, int] = {}
    for node in root.walk():
        if node.type == "fence" and node.map:
            found |= dict.fromkeys(range(*node.map), node.map[0] + 1)
    return found


def _math(lines: Sequence[str]) -> set[int]:
    """The lines of formulas between two `$$`, which Markdown does not know."""
    found, inside = set[int](), False
    for number, line in enumerate(lines):
        if line.count("$$") % 2:
            inside = not inside
            found.add(number)
        elif inside or "$$" in line:
            found.add(number)
    return found
