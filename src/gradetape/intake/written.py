"""Reads the answers to written questions from the cells of a notebook: text, code, and pictures as PNG.

A released notebook marks the prompt of a written question, its cells for the answer, and all other cells. What a
student adds below the prompt, up to the next marked cell, belongs to the answer too, and so does the cell of the prompt
itself if its text is not the released one. Nothing is run, and nothing of a notebook's HTML or SVG is taken. A picture
is taken apart and put together from the chunks that hold its pixels.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
import zlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from gradetape.records import AnswerPart, WrittenAnswer
from gradetape.text import text_digest

MAX_PICTURES = 8
MAX_PICTURE = 2 << 20
MAX_SIDE = 10_000
MAX_PIXELS = 25_000_000
MAX_TEXT = 20_000
_MAX_NOTES = 10
_MAX_ANSWERS = 100

_TAG = re.compile(r"written(?P<prompt>-prompt)?:(?P<id>q\d\d_[a-z0-9_]{1,100})")
_OF_OTHERS = re.compile(r"released|question:q\d\d_.*", re.DOTALL)
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_PNG = "image/png"
_TYPE = re.compile(r"image/[\w.+-]{1,40}")


class _Place(StrEnum):
    """What a cell is to the answers."""

    PROMPT = "prompt"
    ANSWER = "answer"
    OTHER = "other"
    ADDED = "added"


class _PictureRefusedError(Exception):
    """A picture is not shown, for this reason."""


def answers_in(cells: list[Any]) -> tuple[WrittenAnswer, ...]:
    """The answers for which a notebook has cells; whatever the cells hold, none of it raises an exception."""
    found: dict[str, list[Any]] = {}
    current: str | None = None
    for cell in cells:
        place, question = _place(cell)
        if place in (_Place.PROMPT, _Place.ANSWER):
            current = question if question in found or len(found) < _MAX_ANSWERS else None
            if current is not None:
                found.setdefault(current, [])
        elif place is _Place.OTHER:
            current = None
        if current is not None and (place is not _Place.PROMPT or _is_changed(cell)):
            found[current].append(cell)
    return tuple(WrittenAnswer(question=each, parts=tuple(_limited(own))) for each, own in found.items())


def _place(cell: Any) -> tuple[_Place, str]:
    metadata = cell.get("metadata") if isinstance(cell, dict) else None
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    texts = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    for match in filter(None, map(_TAG.fullmatch, texts)):
        return (_Place.PROMPT if match["prompt"] else _Place.ANSWER), match["id"]
    return (_Place.OTHER if any(map(_OF_OTHERS.fullmatch, texts)) else _Place.ADDED), ""


def _is_changed(prompt: dict[str, Any]) -> bool:
    """Whether a student has written into the cell of a prompt, as far as the notebook says what was released."""
    noted = prompt["metadata"].get("gradetape")
    released = noted.get("prompt") if isinstance(noted, dict) else None
    return isinstance(released, str) and released != text_digest(_joined(prompt.get("source")))


def _limited(cells: list[Any]) -> Iterator[AnswerPart]:
    """The parts of an answer within its limits, and notes about what was left out."""
    text, pictures, notes = MAX_TEXT, 0, 0
    for part in (part for cell in cells for part in _parts(cell)):
        if part.kind == "note":
            notes += 1
            yield from [part] if notes <= _MAX_NOTES else []
        elif part.kind == "picture":
            pictures += 1
            if pictures <= MAX_PICTURES:
                yield part
            elif pictures == MAX_PICTURES + 1:
                yield _note(f"The answer has more than {MAX_PICTURES} pictures; the others are left out.")
        elif text > 0:
            yield AnswerPart(kind=part.kind, text=part.text[:text])
            if len(part.text) > text:
                yield _note(f"The answer is longer than {MAX_TEXT:,} characters; the rest is left out.")
            text -= len(part.text)


def _parts(cell: Any) -> Iterator[AnswerPart]:
    """The parts of one cell: its text, then its attachments or its outputs."""
    if not isinstance(cell, dict):
        return
    text = _joined(cell.get("source"))
    is_code = cell.get("cell_type") == "code"
    if text.strip():
        yield AnswerPart(kind="code" if is_code else "text", text=text)
    bundles = _outputs(cell) if is_code else _attachments(cell)
    for bundle in bundles:
        yield from _pictures(bundle)


def _attachments(cell: dict[str, Any]) -> list[Any]:
    found = cell.get("attachments")
    return list(found.values()) if isinstance(found, dict) else []


def _outputs(cell: dict[str, Any]) -> list[Any]:
    outputs = cell.get("outputs")
    return [each.get("data") for each in outputs if isinstance(each, dict)] if isinstance(outputs, list) else []


def _pictures(bundle: Any) -> Iterator[AnswerPart]:
    """The picture of an output or an attachment, which may be there in several formats."""
    if not isinstance(bundle, dict):
        return
    if _PNG in bundle:
        try:
            yield AnswerPart(kind="picture", picture=_picture(_joined(bundle[_PNG])))
        except _PictureRefusedError as problem:
            yield _note(f"A picture is not shown: {problem}.")
        return
    for kind in bundle:
        if isinstance(kind, str) and _TYPE.fullmatch(kind):
            yield _note(f"A picture is not shown: its format is {kind}, and only {_PNG} is shown.")
            return


def _picture(text: str) -> bytes:
    """The bytes of a PNG picture from its base64 text. Raises _PictureRefusedError."""
    if len(text) > MAX_PICTURE * 3 // 2:
        raise _PictureRefusedError(f"it is larger than {MAX_PICTURE >> 20} MiB")
    try:
        data = base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise _PictureRefusedError("it is damaged") from None
    if len(data) > MAX_PICTURE:
        raise _PictureRefusedError(f"it is larger than {MAX_PICTURE >> 20} MiB")
    return _only_pixels(data)


def _only_pixels(data: bytes) -> bytes:
    """A PNG picture with the chunks that hold its pixels, and no others."""
    if not data.startswith(_SIGNATURE):
        raise _PictureRefusedError("it is not a PNG file")
    kept, place, names = [_SIGNATURE], len(_SIGNATURE), list[bytes]()
    while place + 12 <= len(data) and b"IEND" not in names:
        (length,) = struct.unpack_from(">I", data, place)
        end = place + 12 + length
        name, body = data[place + 4 : place + 8], data[place + 8 : end - 4]
        if end > len(data) or zlib.crc32(name + body) != struct.unpack_from(">I", data, end - 4)[0]:
            raise _PictureRefusedError("it is damaged")
        if (name == b"IHDR") != (not names):  # the first chunk, and no other
            raise _PictureRefusedError("it is damaged")
        if not names:
            _refuse_size(body)
        if name in _KEPT:
            kept.append(data[place:end])
        names.append(name)
        place = end
    if names[-1:] != [b"IEND"] or b"IDAT" not in names:
        raise _PictureRefusedError("it is damaged")
    return b"".join(kept)


def _refuse_size(body: bytes) -> None:
    if len(body) != 13:
        raise _PictureRefusedError("it is damaged")
    width, height = struct.unpack_from(">II", body)
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise _PictureRefusedError(f"it has {width:,} by {height:,} pixels, and {MAX_PIXELS:,} are allowed")


def _note(text: str) -> AnswerPart:
    return AnswerPart(kind="note", text=text)


def _joined(source: Any) -> str:
    lines = source if isinstance(source, list) else [source]
    return "".join(lines) if all(isinstance(line, str) for line in lines) else ""
