"""The files in which students ask for a regrade: a text file of one student, or a CSV file with a row for each request.

A text file may begin with lines such as `student: Jane Doe` and `question: q06`; what follows is the request. Without
the first, the file's name says whose it is. A question or an assignment is one word there, so that a sentence such as
"Question: why is that wrong?" stays a part of the request.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from gradetape.errors import RequestError
from gradetape.text import composed, few, one_line

_MOST_BYTES = 4 * 1024 * 1024
_HEADER = re.compile(r"\s*(?:(student)\s*:\s*(.*\S)|(question|assignment)\s*:\s*(\S+))\s*", re.IGNORECASE)
_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "student": ("student", "name", "full name", "id", "email", "email address", "username"),
    "question": ("question",),
    "text": ("text", "request", "reason", "comment"),
    "assignment": ("assignment",),
})  # fmt: skip


class RequestText(msgspec.Struct, frozen=True, kw_only=True):
    """What a student asks for, as the file has it; `where` is the file, and the line of a CSV file, in messages."""

    where: str
    student: str
    question: str
    text: str
    assignment: str = ""


def requests_in(path: Path) -> list[RequestText]:
    """The requests in a file; raises RequestError, which names the file and the line."""
    where = one_line(path.name)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise RequestError(f"{where} is larger than 4 MiB, so it is no request: look at the file")
        text = composed(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise RequestError(f"{where} cannot be read: {error.strerror}. Check the path of the request") from None
    except UnicodeDecodeError:
        raise RequestError(f"{where} is no text in UTF-8: save the request as text, or as CSV in UTF-8") from None
    if path.suffix.lower() == ".csv":
        return list(_rows(text, where))
    return [_of_text(text, where, path.stem)]


def _of_text(text: str, where: str, stem: str) -> RequestText:
    lines, found = text.splitlines(), dict[str, str]()
    while lines and (header := _HEADER.fullmatch(lines[0])):
        name, value = filter(None, header.groups())
        if name.lower() in found:
            break
        found[name.lower()] = value
        del lines[0]
    return RequestText(
        where=where, student=found.get("student", stem), question=found.get("question", ""), text="\n".join(lines),
        assignment=found.get("assignment", ""),
    )  # fmt: skip


def _rows(text: str, where: str) -> Iterator[RequestText]:
    separator = max(",;\t", key=text.partition("\n")[0].count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header = [column.strip().casefold() for column in next(rows, [])]
        places = {name: place for name, known in _COLUMNS.items() if (place := _place(header, known)) is not None}
        if missing := [name for name in ("student", "question", "text") if name not in places]:
            raise RequestError(
                f"{where} has no column {' and no column '.join(missing)}: its first line must name the columns. It "
                f"has {few(map(one_line, header)) or 'none'}"
            )
        for row in rows:
            values = {name: row[place].strip() if place < len(row) else "" for name, place in places.items()}
            if any(values.values()):
                yield RequestText(where=f"{where}, line {rows.line_num}", **values)
    except csv.Error as error:
        raise RequestError(
            f"{where}, line {rows.line_num} is not valid CSV: {error}. Save it as CSV in UTF-8 again"
        ) from None


def _place(header: list[str], known: tuple[str, ...]) -> int | None:
    return next((header.index(name) for name in known if name in header), None)
