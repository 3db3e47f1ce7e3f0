"""The text of an assignment.yml with a question more, less or under another id; comments and order are kept."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

_FILES = ("files", "data")


class Worth(msgspec.Struct, frozen=True):
    """What stands beside a question's id: its points, and whether a person marks its answers."""

    points: float
    is_written: bool = False

    @property
    def text(self) -> str:
        """As YAML."""
        return f"{{points: {self.points:g}, kind: written}}" if self.is_written else f"{self.points:g}"

    @property
    def value(self) -> float | dict[str, float | str]:
        """As YAML has it when it is loaded."""
        return {"points": self.points, "kind": "written"} if self.is_written else self.points


def is_empty(text: str) -> bool:
    """Whether an assignment.yml that can be read lists no question."""
    try:
        mapping = _loaded(text)
    except YAMLError:
        return False
    return isinstance(mapping, dict) and not mapping.get("questions")


def renamed(text: str, old: str, new: str) -> str:
    """The text with a question's id, and the data files in its folder, under a new name."""
    line, column = _place(text, old)
    lines = text.splitlines(keepends=True)
    lines[line] = lines[line][:column] + lines[line][column:].replace(old, new, 1)
    return _data_renamed("".join(lines), f"{old}/", f"{new}/")


def removed(text: str, question_id: str) -> str:
    """The text without a question, and without the data files in its folder."""

    def change(data: Any) -> None:
        data["questions"].pop(question_id, None)
        for key in _FILES:
            if kept := [file for file in data.get(key, ()) if not file.startswith(f"{question_id}/")]:
                data[key][:] = kept
            else:
                data.pop(key, None)

    mapping = _loaded(text)
    has_data = _has_files(mapping, f"{question_id}/")
    if _spreads(mapping["questions"]) or has_data:
        return _rewritten(text, change)
    line, _ = _place(text, question_id)
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:line], *lines[line + 1 :]])


def added(text: str, question_id: str, worth: Worth, after: str | None = None) -> str:
    """The text with a question more: after another one, or at the end."""
    mapping = _loaded(text)
    questions = mapping.get("questions")
    if not questions:
        return _first(text, mapping, f"  {question_id}: {worth.text}\n")
    if _spreads(questions):
        return _rewritten(text, lambda data: _insert(data["questions"], question_id, worth, after))
    line, column = _place(text, after or list(questions)[-1])
    lines = text.splitlines()
    lines.insert(line + 1, f"{' ' * column}{question_id}: {worth.text}")
    return "\n".join(lines) + "\n"


def with_data(text: str, files: Sequence[str]) -> str:
    """The text with more files for students."""

    def change(data: Any) -> None:
        data.setdefault("data" if "data" in data else "files", []).extend(files)

    return _rewritten(text, change) if files else text


def _first(text: str, mapping: Any, entry: str) -> str:
    """The text with the first question."""
    if "questions" not in mapping:
        return f"{text.rstrip()}\nquestions:\n{entry}"
    line, _ = mapping.lc.key("questions")
    lines = text.splitlines(keepends=True)
    lines[line] = re.sub(r"(questions['\"]?\s*:)\s*(?:\{\s*\}|null|~)?[ \t]*", r"\1 ", lines[line], count=1).rstrip()
    lines[line] += f"\n{entry}"
    return "".join(lines)


def _insert(questions: Any, question_id: str, worth: Worth, after: str | None) -> None:
    position = list(questions).index(after) + 1 if after else len(questions)
    questions.insert(position, question_id, worth.value)


def _spreads(questions: Any) -> bool:
    """Whether not every question is a line of its own."""
    blocks = [worth for worth in questions.values() if hasattr(worth, "fa")]
    return bool(questions.fa.flow_style()) or not all(worth.fa.flow_style() for worth in blocks)


def _place(text: str, question_id: str) -> tuple[int, int]:
    """The line of a question, from 0, and the column where its id begins."""
    line, column = _loaded(text)["questions"].lc.key(question_id)
    return line, column


def _data_renamed(text: str, old: str, new: str) -> str:
    if not _has_files(_loaded(text), old):
        return text

    def change(data: Any) -> None:
        for files in (data[key] for key in _FILES if key in data):
            for index, file in enumerate(files):
                files[index] = new + file.removeprefix(old) if file.startswith(old) else file

    return _rewritten(text, change)


def _has_files(mapping: Any, folder: str) -> bool:
    """Whether a file for students is in a question's folder."""
    return any(file.startswith(folder) for key in _FILES for file in mapping.get(key, ()))


def _loaded(text: str) -> Any:
    return YAML().load(text) or {}


def _rewritten(text: str, change: Callable[[Any], None]) -> str:
    yaml = YAML()
    yaml.preserve_quotes = True
    data = yaml.load(text)
    change(data)
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue()
