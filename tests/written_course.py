"""The tiny course with a written question, and notebooks with an answer to it."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from pathlib import Path
from typing import Any

from tests.course import DOUBLE, HALVE, tiny, write_files

ESSAY = "q03_why"
PROMPT = "# Why halve?\n\nSay in two sentences why halving is the inverse of doubling, and add a plot.\n"
RUBRIC = """\
items:
  - {id: inverse, text: Names the inverse, points: 2}
  - {id: plot, text: Shows both lines, points: 2}
  - {id: vague, text: The words are vague, points: -1}
"""


def with_essay(root: Path) -> Path:
    """The tiny course with a third question, worth 4 points, that asks for words; returns its folder."""
    course = tiny(root)
    listing = course / "assignments" / "tiny" / "assignment.yml"
    text = listing.read_text(encoding="utf-8").rstrip("\n")
    listing.write_text(f"{text}\n  {ESSAY}: {{points: 4, kind: written}}\n", encoding="utf-8")
    return write_files(course, {
        f"assignments/tiny/{ESSAY}/prompt.md": PROMPT,
        f"solutions/tiny/{ESSAY}.yml": RUBRIC,
        f"solutions/tiny/notes/{ESSAY}.md": "Doubling adds a number to itself.\n",
    })  # fmt: skip


def png(width: int = 2, height: int = 1, *, more: bytes = b"") -> bytes:
    """A picture of grey pixels; `more` are chunks before its pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + b"\x80" * min(width, 10) for _ in range(min(height, 10))))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def cell(kind: str, source: str, *tags: str, **more: Any) -> dict[str, Any]:
    """A cell of a notebook, as JSON has it."""
    own = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {"tags": list(tags)}, "source": source, **own, **more}


def plot(data: dict[str, str]) -> dict[str, Any]:
    """An output of a cell in these formats."""
    return {"output_type": "display_data", "metadata": {}, "data": data}


def written_notebook(*answer: dict[str, Any], prompt: bool = True) -> str:
    """A notebook that solves the tiny course, with these cells below the prompt of the written question."""
    cells = [
        cell("code", DOUBLE, "question:q01_double"), cell("code", HALVE, "question:q02_halve"),
        *([cell("markdown", "## Why halve? (4 points)", f"written-prompt:{ESSAY}")] if prompt else []), *answer,
        cell("markdown", "## Submission", "released"), cell("markdown", "a last word"),
    ]  # fmt: skip
    metadata = {"gradetape": {"assignment": "tiny"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells})


def answered(text: str) -> str:
    """A notebook with this text in the cell for the answer."""
    return written_notebook(cell("markdown", text, f"written:{ESSAY}"))
