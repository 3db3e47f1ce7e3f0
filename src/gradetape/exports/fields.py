"""A platform's file of grades as fields: new values are set, and every other byte stays as it is.

A file is never read and written again by a CSV library, which would normalise it. It is decoded, scanned into fields
with their places in the text, and only the text at the places of the new values is replaced. Byte order mark, encoding,
line ends, separators, quotes and everything between the fields stay.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from gradetape.errors import RequestError

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
SEPARATORS = (",", ";", "\t")
_END = re.compile(r"\r\n|\r|\n|\Z")


class TableField(NamedTuple):
    """A field: its place in the text, with its quotes, and its value, without them."""

    start: int
    end: int
    value: str
    quoted: bool


class EncodedText(msgspec.Struct, frozen=True):
    """The text of a file, its encoding, and the byte order mark before it; raises RequestError."""

    text: str
    encoding: str
    mark: bytes

    @classmethod
    def of(cls, content: bytes, name: str) -> EncodedText:
        """UTF-8, or UTF-16 with a byte order mark; `name` is the file's, for the error."""
        mark, encoding = next((pair for pair in _MARKS if content.startswith(pair[0])), (b"", "utf-8"))
        try:
            text = content[len(mark) :].decode(encoding)
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            raise RequestError(
                f"{name} is neither UTF-8 nor UTF-16 text. Download it again, and do not save it with a spreadsheet "
                "program before it is filled."
            )
        return cls(text, encoding, mark)

    def encoded(self, text: str) -> bytes:
        """Another text in the same encoding, with the same mark."""
        return self.mark + text.encode(self.encoding)


class FieldTable(msgspec.Struct, frozen=True):
    """The fields of a text, by row; the first row has the number 0. `separator` is between the fields of a row."""

    source: EncodedText
    separator: str
    rows: tuple[tuple[TableField, ...], ...]

    @classmethod
    def of(cls, source: EncodedText, separator: str, name: str) -> FieldTable:
        """Raises RequestError, with the number of the row, if the quotes in it are unbalanced."""
        return cls(source, separator, tuple(_rows(source.text, separator, name)))

    @property
    def values(self) -> list[list[str]]:
        """The values of every row."""
        return [[field.value for field in row] for row in self.rows]

    def with_values(self, values: Mapping[tuple[int, int], str]) -> bytes:
        """The file with new values, by row and place in it; a field that was quoted stays quoted."""
        text, parts, place = self.source.text, list[str](), 0
        for row, column in sorted(values):
            field = self.rows[row][column]
            parts += [text[place : field.start], self._written(values[row, column], field.quoted)]
            place = field.end
        return self.source.encoded("".join([*parts, text[place:]]))

    def _written(self, value: str, quoted: bool) -> str:
        needed = quoted or any(letter in value for letter in (self.separator, '"', "\r", "\n"))
        return '"' + value.replace('"', '""') + '"' if needed else value


def first_row(source: EncodedText, separator: str) -> list[str]:
    """The values of the first row; empty if its quotes are unbalanced with this separator."""
    try:
        return [field.value for field in next(_rows(source.text, separator, ""), ())]
    except RequestError:
        return []


def _rows(text: str, separator: str, name: str) -> Iterator[tuple[TableField, ...]]:
    """The rows of a text; an empty line is a row with one empty field."""
    quoted = re.compile(rf'"((?>[^"]*)(?:""(?>[^"]*))*+)"(?=[{separator}\r\n]|\Z)')
    plain = re.compile(rf"[^{separator}\r\n]*")
    place, row = 0, list[TableField]()
    number = 1
    while place < len(text) or row:
        field = _field(text, place, quoted, plain)
        if field is None:
            raise RequestError(
                f"{name}, row {number}: a quote is not closed, or text follows it: "
                f"{text[place : place + 20]!r}. Download the file again."
            )
        row.append(field)
        if text[field.end : field.end + 1] == separator:
            place = field.end + 1
            continue
        end = _END.match(text, field.end)
        yield tuple(row)
        place, row, number = end.end() if end else len(text), [], number + 1


def _field(text: str, place: int, quoted: re.Pattern[str], plain: re.Pattern[str]) -> TableField | None:
    if found := quoted.match(text, place):
        return TableField(place, found.end(), found[1].replace('""', '"'), True)
    if text[place : place + 1] == '"':
        return None
    found = plain.match(text, place)
    return TableField(place, found.end() if found else place, found[0] if found else "", False)
