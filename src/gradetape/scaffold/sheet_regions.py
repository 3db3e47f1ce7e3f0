"""Which lines of a sheet belong to which question, and which to none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec
from markdown_it.tree import SyntaxTreeNode

from gradetape.scaffold.sheet_answers import first_answer, is_heading_of_answers
from gradetape.scaffold.sheet_starts import Start, starts
from gradetape.scaffold.sheet_text import Line, SheetText, shifted

_ANSWERS_ALONE = re.compile(
    r"[*_\s]*(?:\w+\s+)?(?:answers|solutions|answer key|key|antworten|lösungen|réponses|respuestas|soluciones)"
    r"[*_\s]*:?[*_\s]*",
    re.IGNORECASE,
)


class Region(msgspec.Struct, frozen=True):
    """The lines of a question with its answer, without its number; `lead` of them are its first block.

    `level` is the level of a heading, and 7 for other questions.
    """

    number: int | None
    lines: tuple[Line, ...]
    lead: int
    level: int = 7


class Regions(msgspec.Struct, frozen=True):
    """The first heading before the questions, the questions, and the lines outside of them."""

    title: str
    questions: tuple[Region, ...]
    outside: tuple[Line, ...]


class _Heading(msgspec.Struct, frozen=True):
    """A heading that begins no question, or a line such as "Answers:"; `level` as in `Start`."""

    line: int
    level: int
    text: str
    answers: bool


def regions(sheet: SheetText) -> Regions:
    """The regions of a sheet."""
    found = starts(sheet)
    headings = tuple(_headings(sheet, {start.line for start in found}))
    accepted, ends = _Acceptance(sheet, found).of(headings)
    questions = tuple(_region(sheet, start, end) for start, end in zip(accepted, ends, strict=True))
    first = accepted[0].line if accepted else len(sheet.lines)
    titles = [each for each in headings if each.line < first and each.level < 7 and not each.answers]
    inside = {line for start, end in zip(accepted, ends, strict=True) for line in range(start.line, end)}
    inside |= set(range(titles[0].line, titles[0].line + 1)) if titles else set()
    outside = tuple(line for number, line in enumerate(sheet.lines) if number not in inside)
    return Regions(titles[0].text if titles else "", questions, outside)


class _Acceptance:
    """Goes through a sheet and decides which of its possible questions are surely questions.

    After a heading "Answers", numbers that occurred before are answers. A number that occurs again elsewhere begins a
    question only if its own answer is marked.
    """

    def __init__(self, sheet: SheetText, found: Sequence[Start]) -> None:
        self._sheet = sheet
        self._found = found
        self._places: list[Start | _Heading] = []
        self._accepted: list[Start] = []
        self._ends: list[int] = []
        self._in_answers = self._repeated = False

    def of(self, headings: Sequence[_Heading]) -> tuple[list[Start], list[int]]:
        """The accepted questions, and the lines at which they end."""
        self._places = sorted([*self._found, *headings], key=lambda each: each.line)
        for place in self._places:
            if isinstance(place, Start):
                self._see(place)
            else:
                self._pass(place)
        self._close(len(self._sheet.lines))
        return self._accepted, self._ends

    def _see(self, start: Start) -> None:
        seen = {each.number for each in self._accepted} - {None}
        repeated = start.number in seen
        if self._fits(start, repeated, max((number for number in seen if number), default=0)):
            self._close(start.line)
            self._accepted.append(start)
            self._in_answers = False
        elif not self._in_answers:
            self._close(start.line)
        self._repeated = self._repeated or repeated

    def _fits(self, start: Start, repeated: bool, last: int) -> bool:
        own = _has_own_answer(_region(self._sheet, start, self._end(start)))
        if self._in_answers:
            higher = bool(self._accepted) and start.number is not None and start.number > last
            return not repeated and not self._repeated and (higher or own)
        return own or not (repeated or self._repeated)

    def _end(self, start: Start) -> int:
        """Where a question surely ends: at the next one, and at a heading that is not below its own."""
        ends = (each.line for each in self._places if isinstance(each, Start) or each.level <= start.level)
        return next((line for line in ends if line > start.line), len(self._sheet.lines))

    def _pass(self, heading: _Heading) -> None:
        level = self._accepted[-1].level if self._accepted else 0
        if heading.answers:
            self._in_answers = self._in_answers or heading.level <= level or not self._accepted
        elif not self._accepted:
            self._in_answers = False
        elif not self._in_answers and heading.level <= level:
            self._close(heading.line)

    def _close(self, line: int) -> None:
        if len(self._ends) < len(self._accepted):
            self._ends.append(line)


def _headings(sheet: SheetText, taken: set[int]) -> Iterator[_Heading]:
    for node in sheet.root.children:
        if node.map is None or node.map[0] in taken or node.type not in ("heading", "paragraph"):
            continue
        text = _text(node)
        if node.type == "heading":
            yield _Heading(node.map[0], int(node.tag[1]), text, is_heading_of_answers(text))
        elif _ANSWERS_ALONE.fullmatch(text):
            yield _Heading(node.map[0], 7, text, True)


def _text(node: SyntaxTreeNode) -> str:
    return node.children[0].content if node.children else ""


def _region(sheet: SheetText, start: Start, end: int) -> Region:
    first = msgspec.structs.replace(sheet.lines[start.line], text=start.text)
    body = [shifted(line, start.offset if line.number <= start.inner else 0) for line in sheet.lines[start.body : end]]
    lines, lead = [first, *body], 1 + start.lead - start.body
    while lines and not lines[0].text.strip():
        lines, lead = lines[1:], lead - 1
    return Region(start.number, tuple(lines), max(lead, 1), start.level)


def _has_own_answer(region: Region) -> bool:
    at = first_answer(region.lines)
    if at is None:
        return False
    before = [*(line.text for line in region.lines[: at[0]]), region.lines[at[0]].text[: at[1]]]
    return any(re.search(r"\w", text) for text in before)
