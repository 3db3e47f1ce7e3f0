"""Question sheets: Markdown files with numbered questions and, near them or at the end, their answers.

A question is read only where it surely is one: everything from a marked answer on ("Answer:", "Solution", a
`<details>` block, a section "Answers") is the answer, and where nothing is marked, only the first block below a number
is the question. Text that may be either goes to the instructors' notes; text that belongs to no question is left out.
Both are listed, so that an author moves what belongs elsewhere.

1. **What does a loss measure?**

   How far the predictions are from the labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count
from pathlib import Path

import msgspec

from gradetape.errors import CourseError, RequestError
from gradetape.scaffold import quiz
from gradetape.scaffold.sheet_answers import by_number, divide, first_answer, section_kind
from gradetape.scaffold.sheet_regions import Region, regions
from gradetape.scaffold.sheet_text import Line, Parts, SheetText, blocks, joined

_MOST = 99
_RANGE = re.compile(r"(?P<first>\d{1,4})(?:\s*-\s*(?P<last>\d{1,4}))?")
_WORDS = 5
_VERBATIM = re.compile(r"(`+[^`]+`+|\$[^$]+\$)")
_MARKUP = re.compile(r"\*\*|__|(?<!\w)[*_]|[*_](?!\w)|<!--.*?-->")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_SMALL = frozenset({
    "a", "an", "and", "are", "be", "can", "do", "does", "for", "how", "in", "is", "it", "of", "on", "or", "should",
    "the", "to", "we", "what", "when", "which", "whether", "with", "you",
})  # fmt: skip


class Entry(msgspec.Struct, frozen=True):
    """A question of a sheet: its id, a short title, its text and its answer, both in Markdown.

    `doubts` is text that may belong to the question or to the answer.
    """

    id: str
    title: str
    text: str
    answer: str = ""
    doubts: str = ""


class Doubt(msgspec.Struct, frozen=True):
    """Lines of a sheet that are surely no question: the first one's number, their text, and the question id of the
    notes that they are in, which is empty for text outside of the questions."""

    line: int
    text: str
    question_id: str = ""

    @property
    def start(self) -> str:
        """The beginning of the text, on one line."""
        words = " ".join(self.text.split())
        return words if len(words) <= 60 else f"{words[:59]}…"


class Sheet(msgspec.Struct, frozen=True):
    """The title of a sheet, its questions in order, and what is not surely a question."""

    title: str
    entries: tuple[Entry, ...]
    doubts: tuple[Doubt, ...] = ()

    def ids_at(self, places: str) -> frozenset[str]:
        """The ids of the questions at some places, such as `1,4-7`, counted from 1, or of `all`.

        Raises RequestError for a place that the sheet does not have.
        """
        if places.strip() == "all":
            return frozenset(entry.id for entry in self.entries)
        found = {number for part in places.split(",") for number in _numbers(part.strip(), len(self.entries))}
        return frozenset(entry.id for number, entry in enumerate(self.entries, start=1) if number in found)

    @property
    def left_out(self) -> str:
        """The text that belongs to no question."""
        return "\n\n".join(doubt.text for doubt in self.doubts if not doubt.question_id)


def _numbers(text: str, most: int) -> range:
    """The places that `4` or `4-7` names; raises RequestError."""
    match = _RANGE.fullmatch(text)
    first, last = (int(match["first"]), int(match["last"] or match["first"])) if match else (0, 0)
    if not 1 <= first <= last <= most:
        raise RequestError(
            f"{text!r} is no place of a question in the sheet, which has {most}: write places like 1,4-7, or all"
        )
    return range(first, last + 1)


def read(path: Path, *, answers: bool = True) -> Sheet:
    """Reads a sheet; without `answers`, everything below a question belongs to it unless it is marked as an answer.

    Raises CourseError if the sheet has no numbered question, or too many.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read as UTF-8 text: {error}. Save it as UTF-8.") from None
    sheet = SheetText.of(text)
    found = regions(sheet)
    divided = _divided(found.questions, answers)
    if not divided:
        raise CourseError(
            f"{path} has no numbered questions. Write each as '1. **The question?**', with its answer indented below."
        )
    if len(divided) > _MOST:
        raise CourseError(f"{path} has {len(divided)} questions, and an assignment at most {_MOST}. Split the sheet.")
    entries = tuple(_entries(divided))
    outside = [Doubt(block[0].number, joined(block)) for block in blocks((*sheet.front_matter, *found.outside))]
    unsure = [
        Doubt(block[0].number, joined(block), entry.id)
        for entry, (_, parts) in zip(entries, divided, strict=True)
        for block in blocks(parts.doubts)
    ]
    return Sheet(_title(found.title), entries, tuple(sorted([*outside, *unsure], key=lambda doubt: doubt.line)))


def _divided(found: Sequence[Region], answers: bool) -> list[tuple[Region, Parts]]:
    """The parts of each question; answers at the end of the sheet are added to the questions of their numbers."""
    if not found:
        return []
    numbers = [region.number for region in found]
    last, section = _without_section(found)
    answers_at_end = {number: lines for number, lines in section if number in numbers}
    parts = []
    for region in (*found[:-1], last):
        at_end = answers_at_end.get(region.number, ()) if numbers.count(region.number) == 1 else ()
        own = quiz.gift(region.lines, region.lead) or divide(
            region.lines, region.lead, answered=not answers or bool(at_end)
        )
        parts.append(msgspec.structs.replace(own, answer=(*own.answer, Line(0, ""), *at_end)))
    rest = [line for number, lines in section if numbers.count(number) != 1 for line in lines]
    parts[-1] = msgspec.structs.replace(parts[-1], answer=(*parts[-1].answer, Line(0, ""), *rest))
    return list(zip(found, parts, strict=True))


def _without_section(found: Sequence[Region]) -> tuple[Region, list[tuple[int | None, tuple[Line, ...]]]]:
    """The last question without the answers to other questions that follow it, and these by number."""
    last, numbers = found[-1], [region.number for region in found]
    at = first_answer(last.lines)
    for index in range(at[0] if at else len(last.lines), len(last.lines)):
        kind = section_kind(last.lines[index], last.level)
        groups = _merged(by_number(last.lines[index:])) if kind else []
        keys = {number for number, _ in groups if number is not None and numbers.count(number) == 1}
        own = at is not None and at[0] < index
        if keys - {last.number} and (kind == "sure" or _covers(keys, found, own)):
            return msgspec.structs.replace(last, lines=last.lines[:index], lead=min(last.lead, index)), groups
    return last, []


def _covers(keys: set[int], found: Sequence[Region], own: bool) -> bool:
    """Whether there is a key for every question without a marked answer; `own` says whether the last has one."""
    unmarked = {region.number for region in found[:-1] if first_answer(region.lines) is None}
    return unmarked <= keys and (own or found[-1].number in keys)


def _merged(
    groups: Iterable[tuple[int | None, tuple[Line, ...]]],
) -> list[tuple[int | None, tuple[Line, ...]]]:
    found: dict[int | None, tuple[Line, ...]] = {}
    for number, lines in groups:
        found[number] = (*found.get(number, ()), *lines)
    return list(found.items())


def _entries(divided: Sequence[tuple[Region, Parts]]) -> Iterator[Entry]:
    taken: set[str] = set()
    for number, (_, parts) in enumerate(divided, start=1):
        text, answer = _without_bold(joined(parts.question)), joined(parts.answer)
        title = _title(text)
        question_id = _question_id(number, title, taken)
        yield Entry(question_id, title, text, answer, joined(parts.doubts))


def _without_bold(text: str) -> str:
    """Text without bold marks around the whole of it."""
    bold = re.fullmatch(r"(\*\*|__)((?:(?!\1).)+)\1", text.strip(), re.DOTALL)
    return bold[2].strip() if bold else text.strip("\n").rstrip()


def _plain(text: str) -> str:
    """Text without emphasis and links; code and formulas are kept as they are."""
    parts = _VERBATIM.split(text)
    parts[::2] = [_MARKUP.sub("", _LINK.sub(r"\1", part)) for part in parts[::2]]
    return " ".join("".join(parts).split())


def _title(text: str) -> str:
    """The first sentence of the first paragraph if it is short, otherwise its first words."""
    paragraph = _plain(re.split(r"\n\s*(?:\n|```|~~~|[-*+]\s|\$\$)", text.strip(), maxsplit=1)[0]).strip("# ")
    first = re.split(r"(?<=[.?!])\s", paragraph)[0]
    if len(first) <= 80:
        return first
    short = " ".join(first.split()[:10])
    return f"{short.replace('`', '') if short.count('`') % 2 else short} …"


def _question_id(number: int, title: str, taken: set[str]) -> str:
    """A unique question id from the first significant words of the title."""
    words = [word for word in re.findall(r"[a-z0-9]+", title.lower()) if word not in _SMALL] or ["question"]
    base = f"q{number:02d}_{'_'.join(words[:_WORDS])}"[:48].rstrip("_")
    question_id = next(name for name in chain([base], (f"{base}_{again}" for again in count(2))) if name not in taken)
    taken.add(question_id)
    return question_id
