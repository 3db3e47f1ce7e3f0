"""Question sheets: Markdown files with numbered questions; the answer is indented below its question.

1. **What does a loss measure?**

   How far the predictions are from the labels.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from gradetape.errors import CourseError

_WORDS = 5
_MARKUP = re.compile(r"[*_`]+")
_SMALL = frozenset({
    "a", "an", "and", "are", "be", "can", "do", "does", "for", "how", "in", "is", "it", "of", "on", "or", "should",
    "the", "to", "we", "what", "when", "which", "whether", "with", "you",
})  # fmt: skip


class Entry(NamedTuple):
    """A question of a sheet: its id, a short title, its text and its answer, both in Markdown."""

    id: str
    title: str
    text: str
    answer: str


class Sheet(NamedTuple):
    """The title of a sheet and its questions in order."""

    title: str
    entries: tuple[Entry, ...]


def read(path: Path) -> Sheet:
    """Reads a sheet; raises CourseError if it has no numbered question."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read as UTF-8 text: {error}. Save it as UTF-8.") from None
    root = SyntaxTreeNode(MarkdownIt().parse(text))
    lines = text.splitlines()
    title = next((_plain(node.children[0].content) for node in root.children if node.type == "heading"), "")
    items = [item for node in root.children if node.type == "ordered_list" for item in node.children]
    entries = tuple(_entries(items, lines))
    if not entries:
        raise CourseError(
            f"{path} has no numbered questions. Write each as '1. **The question?**', with its answer indented below."
        )
    return Sheet(title, entries)


def _entries(items: Sequence[SyntaxTreeNode], lines: Sequence[str]) -> Iterator[Entry]:
    taken: set[str] = set()
    for number, item in enumerate(items, start=1):
        if not item.children or item.children[0].map is None or item.map is None:
            continue
        (start, stop), end = item.children[0].map, item.map[1]
        question = _without_number(lines[start:stop])
        answer = textwrap.dedent("\n".join(lines[stop:end])).strip()
        title = _title(question)
        yield Entry(_question_id(number, title, taken), title, question, answer)


def _without_number(lines: Sequence[str]) -> str:
    """A question's text without its number, and without bold marks around the whole text."""
    text = " ".join(re.sub(r"^\s*\d+[.)]\s+", "", line).strip() for line in lines)
    bold = re.fullmatch(r"(\*\*|__)(.+)\1", text.strip())
    return bold[2].strip() if bold else text.strip()


def _plain(text: str) -> str:
    return _MARKUP.sub("", text).strip()


def _title(question: str) -> str:
    """The question's first sentence if it is short, otherwise its first words."""
    first = re.split(r"(?<=[.?!])\s", _plain(question))[0]
    return first if len(first) <= 80 else f"{' '.join(first.split()[:10])} …"


def _question_id(number: int, title: str, taken: set[str]) -> str:
    """A unique question id from the first significant words of the title."""
    words = [word for word in re.findall(r"[a-z0-9]+", title.lower()) if word not in _SMALL] or ["question"]
    base = f"q{number:02d}_{'_'.join(words[:_WORDS])}"[:48].rstrip("_")
    question_id = next(name for name in chain([base], (f"{base}_{again}" for again in count(2))) if name not in taken)
    taken.add(question_id)
    return question_id
