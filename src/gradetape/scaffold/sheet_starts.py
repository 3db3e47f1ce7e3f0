"""Where the questions of a sheet begin.

A sheet has one style, the first of these that it uses: "Question 1" or "Q1" as a heading, as bold text or before a
period; numbered headings; bold numbers; a numbered list; "Q:"; the quiz formats Aiken and GIFT.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec
from markdown_it.tree import SyntaxTreeNode

from gradetape.scaffold import quiz
from gradetape.scaffold.sheet_text import SheetText

_WORD = r"(?:question|exercise|problem|task|aufgabe|frage|übung|pregunta|ejercicio|exercice|q|ex)"
_MARKS = r"[*_]{0,3}"
_WORDED = re.compile(
    rf"(?P<open>{_MARKS})\s*{_WORD}\s*[.#]?\s*#?(?P<number>\d{{1,3}})(?![\w])(?P<rest>.*)", re.IGNORECASE
)
_NUMBERED = re.compile(rf"(?P<open>{_MARKS})(?P<number>\d{{1,3}})\s*(?P<rest>{_MARKS}\s*\\?[.):](?!\d).*)")
_ASKED = re.compile(r"(?P<open>[*_]{0,3})Q(?:uestion)?(?P<rest>[*_]{0,3}\s*:.*)", re.IGNORECASE)
_AFTER = re.compile(rf"(?P<close>{_MARKS})\s*\\?(?P<mark>[.):\-\u2013\u2014]*)\s*(?P<late>{_MARKS})\s*(?P<text>.*)")
_POINTS = re.compile(r"\W*(?:\d+(?:\.\d+)?\s*(?:points?|pts?|marks?|p|%))?\W*", re.IGNORECASE)
_BULLET = re.compile(r"\s*[-*+]\s+")
_ITEM = re.compile(r"(?P<marker>\s*\d{1,9}[.)])(?P<gap>\s*)")


class Start(msgspec.Struct, frozen=True):
    """The first line of a question, counted from 0: its number in the sheet, and its text without the number.

    `body` is the next line of the question, `lead` the line after its first block, `level` the level of a heading (7
    for other questions). In a list, the lines up to `inner` are indented by `offset`.
    """

    line: int
    number: int | None
    text: str
    body: int
    lead: int
    offset: int = 0
    inner: int = 0
    level: int = 7

    @property
    def bare(self) -> bool:
        """Whether the question itself is below its label."""
        return _POINTS.fullmatch(self.text) is not None


def starts(sheet: SheetText) -> tuple[Start, ...]:
    """All lines of the sheet that may begin a question, in the sheet's style."""
    found = [tuple(style(sheet)) for style in _STYLES]
    headings, items = found[1], found[3]
    if not found[0] and sum(item.text.rstrip("*_ ").endswith("?") for item in items) > len(headings):
        return items
    return next((each for each in found if each), ())


def _worded(sheet: SheetText) -> Iterator[Start]:
    """Questions with a word and a number; bold numbers beside them begin questions too."""
    tops = _tops(sheet, "heading", "paragraph", "bullet_list")
    found = [start for node in tops for start in _labelled(sheet, node, _WORDED, _is_label)]
    yield from sorted([*found, *_bold(sheet)] if found else [], key=lambda start: start.line)


def _headings(sheet: SheetText) -> Iterator[Start]:
    for node in _tops(sheet, "heading"):
        yield from _labelled(sheet, node, _NUMBERED, lambda *_: True)


def _bold(sheet: SheetText) -> Iterator[Start]:
    for node in _tops(sheet, "paragraph", "bullet_list"):
        yield from _labelled(sheet, node, _NUMBERED, lambda *_: True)


def _asked(sheet: SheetText) -> Iterator[Start]:
    for node in _tops(sheet, "paragraph"):
        yield from _labelled(sheet, node, _ASKED, lambda *_: True)


def _items(sheet: SheetText) -> Iterator[Start]:
    for node in _tops(sheet, "ordered_list"):
        first = int(node.attrs.get("start", 1))
        written = [_written(sheet, item) for item in node.children]
        same = len(set(written)) == 1  # as in 1. 1. 1., which Markdown counts
        for number, item in enumerate(node.children, start=first):
            yield from _item(sheet, item, number if same else written[number - first])


def _written(sheet: SheetText, item: SyntaxTreeNode) -> int:
    """The number of an item as the sheet has it: where it begins anew, answers may follow."""
    found = re.match(r"\s*(\d+)", sheet.lines[item.map[0]].text if item.map else "")
    return int(found[1]) if found else 0


def _item(sheet: SheetText, item: SyntaxTreeNode, number: int) -> Iterator[Start]:
    line, inner = item.map or (0, 0)
    label = _ITEM.match(sheet.lines[line].text)
    if label and item.children and item.children[0].map:
        gap = len(label["gap"]) if len(label["gap"]) <= 4 else 1
        text = sheet.lines[line].text[label.end() :].rstrip()
        offset = len(label["marker"]) + gap
        yield Start(line, number, text, line + 1, item.children[0].map[1], offset, inner)


def _quizzes(matches: Callable[[str], bool]) -> Callable[[SheetText], Iterator[Start]]:
    def style(sheet: SheetText) -> Iterator[Start]:
        for node in _tops(sheet, "paragraph"):
            line, end = node.map or (0, 0)
            if matches("\n".join(each.text for each in sheet.between(line, end))):
                yield Start(line, None, sheet.lines[line].text, line + 1, end)

    return style


_STYLES = (_worded, _headings, _bold, _items, _asked, _quizzes(quiz.is_aiken), _quizzes(quiz.is_gift))


def _tops(sheet: SheetText, *types: str) -> Iterator[SyntaxTreeNode]:
    """The blocks of these types that are in no other block, in order."""
    yield from (node for node in sheet.root.children if node.type in types and node.map)


def _labelled(
    sheet: SheetText, node: SyntaxTreeNode, label: re.Pattern[str], fits: Callable[[SyntaxTreeNode, str], bool]
) -> Iterator[Start]:
    """The questions that begin with a label: the block itself, or items of a list of bullets."""
    if node.type == "bullet_list":
        for item in node.children:
            if item.children and item.children[0].type == "paragraph":
                for start in _labelled(sheet, item.children[0], label, fits):
                    yield msgspec.structs.replace(start, inner=item.map[1] if item.map else 0)
        return
    line, end = node.map or (0, 0)
    bullet = _BULLET.match(sheet.lines[line].text) if node.level > 0 else None
    text = node.children[0].content.splitlines()[0] if node.children and node.children[0].content else ""
    found = label.fullmatch(text.strip())
    if found and fits(node, found["rest"]):
        heading = node.type == "heading"
        number = int(found["number"]) if "number" in label.groupindex else None
        yield _with_lead(sheet, Start(
            line, number, _without_label(found["open"], found["rest"]), end if heading else line + 1, end,
            bullet.end() if bullet else 0, level=int(node.tag[1]) if heading else 7,
        ))  # fmt: skip


def _is_label(node: SyntaxTreeNode, rest: str) -> bool:
    """Whether a word and a number begin a question: in a sentence, other words follow without punctuation."""
    return node.type == "heading" or not rest.strip() or re.match(r"\s*[*_.):\-\u2013\u2014(\[]", rest) is not None


def _without_label(opened: str, rest: str) -> str:
    """The text after a label such as `**Q1.` or `**Q1**`; bold marks that began before the label begin after it."""
    found = _AFTER.fullmatch(rest)
    assert found is not None
    closed = opened and opened in (found["close"], found["late"])
    text, late = found["text"], "" if closed and found["late"] == opened else found["late"]
    if not opened or closed:
        return f"{late}{text}".strip()
    inner = text.removesuffix(opened)
    return f"{opened}{text}" if opened in inner else inner.strip()


def _with_lead(sheet: SheetText, start: Start) -> Start:
    """Where the label is alone, the next block is the question's first."""
    if not start.bare or start.lead > start.body:
        return start
    following = [node for node in sheet.root.children if node.map and node.map[0] >= start.lead]
    if not following or following[0].type != "paragraph" or following[0].map is None:
        return start
    return msgspec.structs.replace(start, lead=following[0].map[1])
