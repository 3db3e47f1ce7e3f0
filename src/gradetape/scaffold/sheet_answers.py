"""What of a question's lines is surely the question, what is the answer, and what may be either."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from gradetape.scaffold import quiz
from gradetape.scaffold.sheet_text import Line, Parts

_QUALIFIERS = (
    r"(?:(?:the|our|my|model|sample|suggested|correct|right|reference|possible|example|expected|full|short|worked|"
    r"official|begin|instructor['\u2019]?s?|teacher['\u2019]?s?|detailed|proposed|best)\s+){0,3}"
)
_ANSWER = (
    r"(?:answers?|ans|solutions?|soln|sol|correct(?:\s+(?:option|choice))?|responses?|antwort(?:en)?|"
    r"(?:muster)?l(?:ö|oe)sung(?:en)?|réponses?|corrigés?|respuestas?|solución|soluciones|risposte?|risposta|"
    r"soluzion[ei]|respostas?|ответы?|решени[ея]|答案|解答|答え|回答|정답)(?:\s+(?:key|sheet|guide))?"
)
_OF = (
    r"(?:\s*\([^)]*\)|\s*\[[^\]]*\]|\s+(?:to|for|of)\s+(?:the\s+)?(?:questions?|exercises?|problems?|tasks?|q)?\.?\s*#?"
    r"\d*|\s*#?\d{1,3}[a-z]?)?"
)
_OPENING = r"[\s>#*_~(\[|+\-]*"
_AT_START = re.compile(
    rf"{_OPENING}(?:\\begin\{{)?(?P<words>{_QUALIFIERS}{_ANSWER}){_OF}\}}?[*_~]*\s*"
    r"(?P<end>[:=](?!\w)|[:\uff1a]|[.)\]](?!\w)|[\-\u2013\u2014]+(?=\s|$)|[*_#\s]*$)",
    re.IGNORECASE,
)
_SEVERAL = re.compile(r"s\b|key|antworten|lösungen|soluzioni|risposte", re.IGNORECASE)
_LETTER = re.compile(r"[\s>*_]*A(?:\s?\d{0,3}[*_]*\s*:(?!:)|\s?\d{1,3}[*_]*\s*[.)])")
# The label of a question that the sheet's style does not have: an answer after it may not be the first question's.
_LABEL = re.compile(
    r"[#*_]*(?:(?:question|exercise|problem|task|bonus|extra|optional|additional)\b|Q\s?\d|\*\*\d{1,3}\s?[.)])",
    re.IGNORECASE,
)
_PART = re.compile(r"\s*(?:[-*+]\s+)?[*_]*\(?(?P<letter>[a-z])[*_]*[.)]")
_INLINE = re.compile(
    rf"(?:(?<=\s)|(?<=[(\[]))(?<!your\s)(?<!final\s)[*_~(\[]*{_QUALIFIERS}{_ANSWER}{_OF}[*_]*\s*[:\uff1a]|[(\[][*_]*(?:correct\s+)?"
    r"(?:answers?|ans|solutions?|sol|correct)\b|(?<=[?.!]\s)[*_]*A:",
    re.IGNORECASE,
)
_DETAILS = re.compile(r"<details\b|<summary\b|\|\|\S", re.IGNORECASE)
_IN_FENCE = re.compile(r"```+\s*\{?\s*(?:solution|answer|dropdown|toggle|admonition\}?\s+(?:answer|solution))", re.I)
_UNSURE = re.compile(
    rf"{_OPENING}(?:explanations?|rationale|feedback|rubric|key|marking\s+scheme|grading(?:\s+scheme)?|"
    r"(?:instructors?|teachers?|graders?)(?:['\u2019]s?)?(?:\s+only|\s+notes?)|notes?\s+(?:to|for)\s+(?:the\s+)?"
    r"(?:instructors?|graders?|teachers?))[*_]*\s*(?:[:.\-\u2013\u2014]|$)|\s*[✓✔✅☑→]|\s*(?:->|=>)\s|\s*\[\^\w+\]:|\s*\.\.\.\s|"
    r"\s*!\s|\s*=\s*[^\s=]|\s*(?::::|!!!|\?\?\?)|\s{0,3}([-*_])(?:\s*\1){2,}\s*$",
    re.IGNORECASE,
)
_STATED = re.compile(rf"\b(?:the\s+)?(?:correct\s+|right\s+)?answers?\s+(?:is|are)\b|\bfinal\s+{_ANSWER}\b", re.I)
_QUOTE = re.compile(r"\s{0,3}>(?!>>)")
_COMMENT = re.compile(r"(<!--(?!\s*requirement:)|-->)")
_CODE = re.compile(r"(`+).+?\1")
_ASKS = re.compile(
    r"(?:(?:please|briefly|explain|justify|describe|discuss|compare|motivate|elaborate|argue|illustrate|specify|prove|"
    r"derive)\b[^.?!]*(?:[.?!]+|$)\s*)+",
    re.IGNORECASE,
)
_ASKED = re.compile(r"[?\uff1f][\"'”\u2019)*_]*(?:(?=\s)|(?<=\uff1f))")
_SENTENCE = re.compile(
    r"(?<!e\.g)(?<!i\.e)(?<!\bvs)(?<!\bcf)(?<!\bEq)(?<!\bFig)[.!][\"'”\u2019)*_]*(?=\s)|[\u3002\uff01]", re.IGNORECASE
)
# A short line that ends without punctuation, before one that begins with a capital.
_BREAK = re.compile(r"^[^\n]{0,68}[^\s,;:(\[\-\u2013\u2014](?=[ \t]*\n[ \t]*[A-Z])", re.MULTILINE)
# What follows a statement or a sum: "A tensor is immutable (True)", "2 + 2 → 4", "Output: 4".
_TOLD = re.compile(
    r"\s(?:→|⇒|➜|->|=>)\s|\s[*_]*(?:outputs?|results?)[*_]*\s*:|"
    r"\s*[(\[](?:true|false|yes|no|[a-ft])[)\]]\W*$|\s+[-\u2013\u2014]\s*[*_]*(?:true|false|yes|no)\W*$",
    re.IGNORECASE,
)
_BOLD_LEAD = re.compile(r"(\*\*|__)(?P<bold>(?:(?!\1).)+)\1(?P<rest>.*)", re.DOTALL)


def divide(lines: Sequence[Line], lead: int, *, answered: bool) -> Parts:
    """Divides the lines of a question, of which the first `lead` are its first block.

    `answered` says that the sheet has the answer elsewhere. What follows a question without a marked answer may be
    either.
    """
    kept, comments = _without_comments(lines)
    if (answer := first_answer(kept)) is not None:
        before, after = _cut(kept, answer)
        question, unsure = _sure(before, quotes=False)
        if any(_LABEL.match(line.text) for line in question[lead:]):
            question, rest = _first_block(question, lead)
            unsure = (*rest, *unsure)
        return _with_next_part(Parts(question, after, (*comments, *unsure)))
    question, unsure = _sure(kept, quotes=True)
    if (choices := _choices(question)) is not None:
        plain, marked, rest = choices
        return Parts(plain, marked, (*comments, *rest, *unsure))
    if answered:
        return Parts(question, (), (*comments, *unsure))
    stem, rest = _first_block(question, lead)
    return Parts(stem, (), (*comments, *rest, *unsure))


def _with_next_part(parts: Parts) -> Parts:
    """The same parts; where the question ends with a part a) and the answer goes on with b), which has its own marked
    answer, b) belongs to the question."""
    letters = [found["letter"] for line in parts.question if (found := _PART.match(line.text))]
    following = chr(ord(letters[-1]) + 1) if letters else ""
    for index, line in enumerate(parts.answer):
        found = _PART.match(line.text)
        own = first_answer(parts.answer[index:]) if found and found["letter"] == following else None
        if found and own and own > (0, found.end()):
            rest = divide(parts.answer[index:], 1, answered=False)
            return Parts(
                (*parts.question, *rest.question),
                (*parts.answer[:index], *rest.answer),
                (*parts.doubts, *rest.doubts),
            )
    return parts


def first_answer(lines: Sequence[Line]) -> tuple[int, int] | None:
    """The index of the first line with a marked answer, and where it begins in that line."""
    for index, line in enumerate(lines):
        column = None if line.math else _in_fence(line) if line.fence else _in_text(line.text, lines[index + 1 :])
        if column is not None:
            start = next(n for n, each in enumerate(lines) if not line.fence or each.fence == line.fence)
            return (start if line.fence else index, column)
    return None


def is_heading_of_answers(text: str) -> bool:
    """Whether a heading or a line by itself announces answers and no questions."""
    found = _AT_START.fullmatch(text.strip()) or re.search(rf"\b{_ANSWER}\b", text, re.IGNORECASE)
    joint = re.search(rf"(?:\b(?:and|with|including|or)|[&+/])\s+{_QUALIFIERS}{_ANSWER}\b", text, re.IGNORECASE)
    return found is not None and joint is None


def section_kind(line: Line, level: int) -> Literal["", "maybe", "sure"]:
    """Whether an answer section may begin with a line after the last question, whose heading has this level.

    A heading such as "Answers" that is no part of the question, or the number of an answer, is sure.
    """
    text = line.text.strip()
    if line.fence or not text:
        return ""
    numbered = _KEYED.match(text)
    if numbered and numbered["worded"] and (_at_start(text) or _LETTER.match(text)):
        return "sure"
    if not (_AT_START.fullmatch(text) and _SEVERAL.search(text)):
        return ""
    return "sure" if text.startswith("#") and len(text) - len(text.lstrip("#")) <= level else "maybe"


def _in_fence(line: Line) -> int | None:
    return 0 if line.number == line.fence and _IN_FENCE.match(line.text.strip()) else None


def _in_text(text: str, following: Sequence[Line]) -> int | None:
    masked = _masked(text)
    if _at_start(masked) or (_LETTER.match(masked) and not _is_choice(following)):
        return 0
    found = [each for each in (_INLINE.search(masked), _DETAILS.search(masked)) if each]
    return min((each.start() for each in found), default=None)


def _at_start(text: str) -> bool:
    """A word such as "answer" that a period or nothing follows may be the end of a sentence, unless it is capital."""
    found = _AT_START.match(text)
    if found is None:
        return False
    return found["end"].strip()[:1] in tuple(":\uff1a=-\u2013\u2014") or found["words"][0].isupper()


def _is_choice(following: Sequence[Line]) -> bool:
    return bool(following) and re.match(r"[\s*_]*B\s*:", following[0].text) is not None


def _cut(lines: Sequence[Line], at: tuple[int, int]) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    index, column = at
    line = lines[index]
    head = msgspec.structs.replace(line, text=line.text[:column].rstrip())
    tail = msgspec.structs.replace(line, text=line.text[column:])
    return (*lines[:index], *([head] if head.text.strip() else [])), (tail, *lines[index + 1 :])


def _sure(lines: Sequence[Line], *, quotes: bool) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """The lines up to where something may belong to an answer, and the others; quotations may do so if `quotes`."""
    for index, line in enumerate(lines):
        column = None if line.math else _unsure_code(line) if line.fence else _unsure(line.text, quotes)
        if column is not None:
            start = next(n for n, each in enumerate(lines) if n == index or (line.fence and each.fence == line.fence))
            return _cut(lines, (start, column))
    return tuple(lines), ()


def _unsure(text: str, quotes: bool) -> int | None:
    if _UNSURE.match(text) or (quotes and _QUOTE.match(text)):
        return 0
    stated = _STATED.search(_masked(text))
    return stated.start() if stated else None


def _unsure_code(line: Line) -> int | None:
    """A comment such as `# Solution` in code; what is before the code is not surely the question either."""
    return 0 if line.number != line.fence and _at_start(re.sub(r"^\s*(?://|--|%)", "#", line.text)) else None


def _masked(text: str) -> str:
    """Text with letters in the place of inline code."""
    return _CODE.sub(lambda code: "x" * len(code[0]), text)


def _choices(lines: Sequence[Line]) -> tuple[tuple[Line, ...], tuple[Line, ...], tuple[Line, ...]] | None:
    """The question with its choices without marks, the marked choices, and what follows them."""
    for index, line in enumerate(lines):
        if not line.fence and (found := quiz.options(lines[index:])) is not None:
            end = index + found.count
            return (*lines[:index], *found.lines), tuple(lines[index:end]), tuple(lines[end:])
    return None


def _first_block(lines: Sequence[Line], lead: int) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """The part of the first block that is surely the question, and everything after it."""
    text = "\n".join(line.text for line in lines[:lead])
    at = _end_of_question(text)
    index, column = text.count("\n", 0, at), at - (text.rfind("\n", 0, at) + 1)
    if at >= len(text.rstrip()):
        return tuple(lines[:lead]), tuple(lines[lead:])
    return _cut(lines, (index, column))


def _end_of_question(text: str) -> int:
    """Where a first block may stop to be the question: after bold text, after its last question mark, or, if it has
    none, after its first sentence."""
    if re.fullmatch(r"\s*(\*\*|__)(?:(?!\1).)+\1\s*", text, re.DOTALL):
        return len(text)
    bold = _BOLD_LEAD.fullmatch(text.strip()) if text == text.lstrip() else None
    if bold and bold["rest"].strip() and (bold["bold"].strip()[-1] in "?.:!" or len(bold["bold"].split()) > 3):
        return len(text) - len(text.lstrip()) + bold.start("rest")
    masked = _masked(text)
    asked = [found.end() for found in _ASKED.finditer(masked)]
    stops = [found.end() for found in (_SENTENCE.search(masked), _BREAK.search(masked)) if found]
    end = asked[-1] if asked else min(stops, default=len(text))
    if _ASKS.fullmatch(masked[end:].strip()):
        end = len(text)
    told = _TOLD.search(masked)
    return min(end, told.start()) if told else end


def _without_comments(lines: Sequence[Line]) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """Lines without their HTML comments, and the comments; ids of requirements stay."""
    kept, comments, inside = [], [], False
    for line in lines:
        texts = ["", ""]
        for part in [line.text] if line.fence and not inside else _COMMENT.split(line.text):
            inside = inside or part == "<!--"
            texts[inside] += part
            inside = inside and part != "-->"
        kept.append(msgspec.structs.replace(line, text=texts[0].rstrip()))
        comments += [msgspec.structs.replace(line, text=texts[1])] if texts[1].strip() else []
    return tuple(kept), tuple(comments)


_KEYED = re.compile(
    rf"[\s>*_#\-+(\[|]*(?:(?:{_QUALIFIERS})(?:question|exercise|problem|task|aufgabe|frage|q|ex|a|no|nr|{_ANSWER})"
    r"\.?\s*(?:(?:to|for|of)\s+(?:question|exercise|problem|task|q)?\s*)?#?\s*(?P<worded>\d{1,3})(?!\w)|"
    r"^[*_(\[|\s]{0,5}(?P<plain>\d{1,3})\s*[*_]*\s*\\?[.):\]|\-\u2013\u2014])",
    re.IGNORECASE,
)
_PAIRS = re.compile(r"(?<!\w)(\d{1,3})\s*[-.:)=]\s*[A-Za-z](?!\w)")


def by_number(lines: Sequence[Line]) -> Iterator[tuple[int | None, tuple[Line, ...]]]:
    """Lines of an answer section in groups, each with the number of its question; the first group may have none."""
    group: list[Line] = []
    current: int | None = None
    for line in lines:
        found = None if line.fence else _KEYED.match(line.text)
        pairs = _PAIRS.findall(line.text) if found else []
        for number in map(int, pairs if len(pairs) > 1 else []):
            yield number, (line,)
        if found and len(pairs) < 2:
            yield current, tuple(group)
            group, current = [], int(found["worded"] or found["plain"])
        group.append(line)
    yield current, tuple(group)
