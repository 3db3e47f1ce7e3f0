"""Records as the texts of a column: JSON in ASCII, since neither database accepts every character of a student's."""

from __future__ import annotations

import json
import re
from typing import TypeVar

import msgspec

_Record = TypeVar("_Record", bound=msgspec.Struct)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


def text_of(record: msgspec.Struct) -> str:
    """A record as text."""
    try:
        text = msgspec.json.encode(record).decode("utf-8")
    except UnicodeError:  # half a surrogate pair, which is no UTF-8
        return json.dumps(msgspec.to_builtins(record))
    return text if text.isascii() else _NOT_ASCII.sub(_escaped, text)


def record_of(text: str, kind: type[_Record]) -> _Record:
    """The record of a text; raises ValueError or msgspec.ValidationError."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError:
        return msgspec.convert(json.loads(text), kind)


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]
