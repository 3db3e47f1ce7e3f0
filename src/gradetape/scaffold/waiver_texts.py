"""The text of a waivers.yml without the waivers of a question, or with those of another; comments are kept."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from ruamel.yaml import YAML


def renamed(text: str, old: str, new: str) -> str:
    """The text with a question's waivers under its new id."""
    return re.sub(rf"\b(question['\"]?\s*:\s*['\"]?){re.escape(old)}\b", rf"\g<1>{new}", text)


def removed(text: str, question_id: str) -> str:
    """The text without the waivers of a question; empty if no waiver is left."""
    kept = [entry for question, entry in _entries(text) if question != question_id]
    head = "".join(text.splitlines(keepends=True)[: _first(text)])
    return head + "".join(kept) if kept else ""


def of_question(text: str, question_id: str) -> str:
    """The waivers of a question."""
    return "".join(entry for question, entry in _entries(text) if question == question_id)


def _entries(text: str) -> list[tuple[str, str]]:
    """Each waiver's question and lines, of a list with an entry on lines of its own."""
    data: Any = YAML().load(text)
    lines = text.splitlines(keepends=True)
    if not data:
        return []
    places = [*(data.lc.item(index)[0] for index in range(len(data))), len(lines)]
    parts = ["".join(lines[start:end]) for start, end in pairwise(places)]
    return [(str(entry.get("question")), part) for entry, part in zip(data, parts, strict=True)]


def _first(text: str) -> int:
    data = YAML().load(text)
    return int(data.lc.item(0)[0]) if data else len(text.splitlines())
