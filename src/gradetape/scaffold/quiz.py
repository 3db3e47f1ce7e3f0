"""Quiz formats: Aiken, GIFT, and choices whose marks tell the right one."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from gradetape.scaffold.sheet_text import Line, Parts

_AIKEN = re.compile(r"(?:.*\n)+(?:[A-Z][.)] .*\n){2,}\s*ANSWER\s*:\s*[A-Z]\s*", re.IGNORECASE)
_BRACES = re.compile(r"(?<!\\)\{\s*(?:[=~#]|T(?:RUE)?\b|F(?:ALSE)?\b|\})(?:\\.|[^}\\])*\}?", re.IGNORECASE)
_GIFT = re.compile(r"(?:^|\s)\{\s*(?:[=~#]|(?:T(?:RUE)?|F(?:ALSE)?)[}#])|^\s*::.*::.*(?<!\\)\{", re.DOTALL)
_TITLE = re.compile(r"::(?P<title>.*?)::\s*")
_CHOICE = re.compile(r"(?<!\\)[=~]")
_WEIGHT = re.compile(r"\s*%-?\d+(?:\.\d+)?%")
_OPTION = re.compile(
    r"(?P<indent>\s*(?:[-+*]\s+)?)(?P<star>\*(?=\s?[(\[]?[A-Za-z][.)]))?\s?(?P<box>\[[ xX*]\]\s+)?"
    r"(?P<bold>\*\*|__|\*|_)?(?P<label>\(?[A-Za-z][.)]\s+)?(?P<text>.*)"
)
_TICK = re.compile(
    r"\s*(?:✓|✔️?|✅|☑️?|←|<--+|\*{1,3}$|[*_]*[(\[](?:correct|right|true|answer|x)[)\]][*_]*).*$", re.IGNORECASE
)


class Options(msgspec.Struct, frozen=True):
    """Choices without their marks, and how many lines they have."""

    lines: tuple[Line, ...]
    count: int


def is_aiken(paragraph: str) -> bool:
    """Whether a paragraph is a question in Aiken format."""
    return _AIKEN.fullmatch(paragraph) is not None


def is_gift(paragraph: str) -> bool:
    """Whether a paragraph has the braces of GIFT format."""
    return _GIFT.search(paragraph) is not None


def gift(lines: Sequence[Line], lead: int) -> Parts | None:
    """The parts of a question in GIFT format, of which the first `lead` lines are its first block; None without braces.

    Choices are in the question in alphabetical order, since the right one often comes first.
    """
    remarks = tuple(line for line in lines if line.text.lstrip().startswith("//"))
    text = "\n".join(line.text for line in lines[:lead] if line not in remarks)
    found = _BRACES.search(text)
    if found is None or not is_gift(text) or lines[0].fence:
        return None
    before, after = text[: found.start()].rstrip(), text[found.end() :].strip()
    asked = f"{before} _____ {after}" if after else before
    listed = "".join(f"\n- {choice}" for choice in sorted(_choices(found[0])))
    asked = _unescaped(_TITLE.sub("", asked, count=1) + (f"\n{listed}" if listed else ""))
    rest = tuple(line for line in lines[lead:] if line not in remarks)
    number = lines[0].number
    title = _TITLE.match(before)
    kept = f"{title[0] if title else ''}{found[0]}"
    return Parts((Line(number, asked),), (Line(number, kept),), (*remarks, *rest))


def _choices(braces: str) -> list[str]:
    """The choices of a multiple choice question; none where only right answers are listed, or pairs."""
    inner = braces[1:].removesuffix("}").partition("####")[0]
    if not re.search(r"(?<!\\)~", inner) or "->" in inner:
        return []
    parts = [_WEIGHT.sub("", part) for part in _CHOICE.split(inner)[1:]]
    return [text for part in parts if (text := re.split(r"(?<!\\)#", part)[0].strip())]


def _unescaped(text: str) -> str:
    return re.sub(r"\\([~=#{}:])", r"\1", text)


def options(lines: Sequence[Line]) -> Options | None:
    """The choices at the beginning of lines, if their marks tell the right one: a box, an asterisk, a tick, bold."""
    found = [_OPTION.fullmatch(line.text) for line in lines]
    count = next((n for n, each in enumerate(found) if each is None or not _is_option(each)), len(found))
    chosen = [each for each in found[:count] if each]
    bold = [bool(each["bold"] and each["label"]) for each in chosen]
    marks = [each["star"] or _ticked(each["box"]) or _TICK.search(each["text"]) for each in chosen]
    one_is_bold = any(bold) and not all(bold)
    if count < 2 or not (any(marks) or one_is_bold):
        return None
    plain = (msgspec.structs.replace(line, text=_unmarked(each)) for line, each in zip(lines, chosen, strict=False))
    return Options(tuple(plain), count)


def _is_option(found: re.Match[str]) -> bool:
    return bool(found["box"] or found["label"])


def _ticked(box: str | None) -> bool:
    return box is not None and box.strip() not in ("[ ]", "[]")


def _unmarked(found: re.Match[str]) -> str:
    text = _TICK.sub("", found["text"])
    bold = found["bold"] or ""
    text = text.removesuffix(bold) if found["label"] else f"{bold}{text}"
    box = "[ ] " if found["box"] else ""
    return f"{found['indent']}{box}{found['label'] or ''}{text}".rstrip()
