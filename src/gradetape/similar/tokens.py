"""Python as tokens, without a parser: any text is divided, in time proportional to its length.

Comments and white space are left out. Names that the code binds itself (targets, parameters, functions, classes,
attributes of `self`) are all the same token, and so are short strings; names of libraries, numbers and operators stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from keyword import iskeyword

import msgspec
import numpy as np
from numpy.typing import NDArray

# Characters of one submission that are read.
LONGEST = 400_000
_SHORT_STRING = 16
# Possessive, so that no text takes longer than one pass.
_TOKEN = re.compile(
    r"""(?P<skip>[ \t\f\r]++|\\\n|\#[^\n]*+)
    |(?P<end>\n)
    |(?P<string>[rRbBuUfF]{0,2}+(?:
        \"\"\"(?:[^"\\]|\\.?|"(?!""))*+(?:\"\"\")?+ |'''(?:[^'\\]|\\.?|'(?!''))*+(?:''')?+
        |"(?:[^"\\\n]|\\.?)*+"?+ |'(?:[^'\\\n]|\\.?)*+'?+))
    |(?P<name>[^\W\d]\w*+)
    |(?P<number>\.?\d[\w.]*+)
    |(?P<sign>[=!<>]=|->|:=|\*\*|//|<<|>>|.)""",
    re.VERBOSE | re.DOTALL,
)
_DEFINING = ("def", "class")
_OPENING, _CLOSING = ("(", "[", "{"), (")", "]", "}")


class RawToken(msgspec.Struct, frozen=True):
    """A token as it is written: its kind (`name`, `string`, `number`, `sign` or `end` of a line), text and line."""

    kind: str
    text: str
    line: int


class TokenStream(msgspec.Struct, frozen=True):
    """The tokens of a submission as numbers: of each its digest, the same with all names kept, its cell and its line.

    Cells and lines count from 1.
    """

    codes: NDArray[np.uint64]
    written: NDArray[np.uint64]
    cells: NDArray[np.int32]
    lines: NDArray[np.int32]


def stream_of(cells: Iterable[tuple[int, str]]) -> TokenStream:
    """The tokens of numbered cells, up to `LONGEST` characters of them."""
    found = list(_within(cells))
    raw = [(number, token) for number, text in found for token in _scanned(text)]
    names, attributes = _own([token for _, token in raw])
    codes, written, places, lines = list[int](), list[int](), list[int](), list[int]()
    before = ""
    for number, token in raw:
        if token.kind != "end":
            own = token.kind == "name" and token.text in (attributes if before == "." else names)
            written.append(_digest(_shown(token)))
            codes.append(_digest("name of its own") if own else written[-1])
            places.append(number)
            lines.append(token.line)
            before = token.text
    return TokenStream(
        np.array(codes, np.uint64), np.array(written, np.uint64), np.array(places, np.int32), np.array(lines, np.int32)
    )


def _within(cells: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    left = LONGEST
    for number, text in cells:
        yield number, text[:left]
        left = max(0, left - len(text))


@lru_cache(maxsize=4096)
def _scanned(text: str) -> tuple[RawToken, ...]:
    """The tokens of a cell, and the ends of its lines; cells that nobody changed are divided once."""
    line, found = 1, list[RawToken]()
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup or "", match[0]
        if kind != "skip":
            found.append(RawToken(kind, token, line))
        line += token.count("\n")
    return (*found, RawToken("end", "\n", line))


@lru_cache(maxsize=1 << 16)
def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _shown(token: RawToken) -> str:
    """What of a token counts: a short string, or one with code in it, is any string."""
    if token.kind != "string":
        return token.text
    quote = min(place for sign in "\"'" if (place := token.text.find(sign)) >= 0)
    is_code = "f" in token.text[:quote].lower()
    return '""' if is_code or len(token.text) < _SHORT_STRING else " ".join(token.text.split())


def _own(tokens: Sequence[RawToken]) -> tuple[frozenset[str], frozenset[str]]:
    """The names that the tokens bind, and those that are attributes of `self` or defined by `def` or `class`."""
    finder = _Bindings()
    before = ""
    for token in tokens:
        finder.take(before, token)
        before = token.text
    return frozenset(finder.names), frozenset(finder.attributes)


class _Bindings:
    """Reads tokens in order and collects the names that they bind."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self._depth = 0
        self._parameters = -1  # the depth at which names are parameters
        self._in_lambda = False
        self._begin()

    def take(self, before: str, token: RawToken) -> None:
        """Takes the next token, with the text of the one before."""
        if token.kind == "name" and not iskeyword(token.text):
            self._name(before, token.text)
        elif token.kind == "name":
            self._keyword(token.text)
        elif token.kind == "sign":
            self._sign(token.text)
        elif token.kind == "end" and self._depth == 0:
            self._parameters = -1
            self._begin()

    def _begin(self) -> None:
        """A statement begins."""
        self._targets: list[tuple[str, bool]] = []
        self._looping = self._is_annotation = False
        self._is_plain = True

    def _keyword(self, word: str) -> None:
        self._is_plain = False
        if word in ("for", "in"):
            self._looping = word == "for"
        elif word == "lambda":
            self._parameters, self._in_lambda = self._depth, True

    def _name(self, before: str, name: str) -> None:
        if before in _DEFINING:
            self.names.add(name)
            self.attributes.add(name)
            self._parameters, self._in_lambda = self._depth + 1 if before == "def" else -1, False
        elif (
            before == "as"
            or (self._looping and before != ".")
            or (self._parameters == self._depth and before in ("(", ",", "*", "**", "lambda"))
        ):
            self.names.add(name)
        elif self._depth == 0 and not self._is_annotation:
            self._targets.append((name, before == "."))

    def _sign(self, sign: str) -> None:
        if sign in _OPENING:
            self._depth += 1
        elif sign in _CLOSING:
            self._depth = max(0, self._depth - 1)
            self._parameters = -1 if self._depth < self._parameters else self._parameters
        elif sign == ":" and self._in_lambda and self._parameters == self._depth:
            self._parameters = -1
        elif self._depth == 0 and sign == ":" and self._is_plain:
            self._bind()
            self._is_annotation = True
        elif self._depth == 0 and sign in (";", ":"):
            self._begin()
        elif self._depth == 0 and sign == "=":
            self._bind()

    def _bind(self) -> None:
        """The names before an `=`: of `self.a` the attribute, of any other dotted name nothing."""
        for place, (name, is_attribute) in enumerate(self._targets):
            owner = self._targets[place - 1][0] if place else ""
            followed = place + 1 < len(self._targets) and self._targets[place + 1][1]
            if is_attribute and owner == "self":
                self.attributes.add(name)
            elif not is_attribute and not followed:
                self.names.add(name)
        self._targets = []
