"""Mutants as patches: each replaces text of a right solution, and `mutants/QUESTION.yml` lists them.

A text on one line is replaced where it stands. If the text or its replacement has several lines, whole lines are
replaced, whatever their common indentation: YAML's blocks drop it.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from gradetape.course.source import PythonSource, syntax_error
from gradetape.course.strict_yaml import StrictModel
from gradetape.errors import CourseError
from gradetape.text import did_you_mean

CHECK = re.compile(r"(?:public|hidden)::\w+")


def _text(value: object) -> object:
    if value is None:  # nothing after the colon
        return ""
    if not isinstance(value, str):
        raise ValueError("write it in quotes")
    return value


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise ValueError("write a name like adds_one, with letters, digits and _")
    return text


def _check(text: str) -> str:
    if not CHECK.fullmatch(text):
        raise ValueError("write checks as public::test_x or hidden::test_x")
    return text


Text = Annotated[str, BeforeValidator(_text)]
SomeChecks = Annotated[tuple[Annotated[str, AfterValidator(_check)], ...], Field(strict=False)]
Checks = Annotated[SomeChecks, Field(min_length=1)]


class Edit(StrictModel):
    """One replacement of a text by another."""

    replace: Text
    with_: Text = Field(alias="with")


class Patch(StrictModel):
    """An entry of `mutants/QUESTION.yml`; an empty `fails_legacy` says that it is right under legacy Keras.

    `may_fail` holds checks whose random inputs show the mistake only with some seeds.
    """

    name: Annotated[str, AfterValidator(_name)]
    misconception: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    breaks: Annotated[tuple[str, ...], Field(strict=False)] = ()
    fails: Checks | None = None
    fails_legacy: SomeChecks | None = None
    may_fail: SomeChecks = ()
    of: str | None = None
    replace: Text | None = None
    with_: Text | None = Field(None, alias="with")
    edits: Annotated[tuple[Edit, ...], Field(strict=False, min_length=1)] | None = None


@dataclass(frozen=True)
class PatchedSource(PythonSource):
    """A patched solution; `path` and `patch_line` are where the patch is written, and messages point there."""

    patch_line: int = 1

    def at(self, line: int, problem: str) -> str:
        """A problem, preceded by the place of the patch and the line of the patched solution."""
        changed = self.text.split("\n")[line - 1].strip()
        return f"{self.path}, line {self.patch_line}: the patched solution, in line {line} ({changed}): {problem}"


def edits_of(patch: Patch) -> tuple[Edit, ...]:
    """The replacements of a patch, in order. Raises CourseError if it has none, or too many kinds."""
    alone = {"replace", "with_"} & patch.model_fields_set
    if patch.edits is not None and not alone:
        return patch.edits
    if patch.edits is None and len(alone) == 2:
        return (Edit.model_validate({"replace": patch.replace, "with": patch.with_}),)
    raise CourseError("a patch has either 'replace' and 'with', or 'edits', a list of them")


def patched(source: PythonSource, edits: tuple[Edit, ...]) -> str:
    """The text of a solution with every replacement. Raises CourseError with the reason if the patch does not fit."""
    text = source.text
    for edit in edits:
        text = _replaced(text, edit, source.path)
    error = syntax_error(text)
    if error is not None:
        line = (text.split("\n")[(error.lineno or 1) - 1 :] or [""])[0].strip()
        raise CourseError(f"the patched solution is not Python: {error.msg} in {line!r}. Correct 'with'")
    if ast.dump(_tree(text)) == ast.dump(_tree(source.text)):
        raise CourseError("the patch changes nothing that runs. Change 'with'")
    return text


def _tree(text: str) -> ast.Module:
    return PythonSource(Path(), text).tree


def _replaced(text: str, edit: Edit, path: Path) -> str:
    if not edit.replace.strip():
        raise CourseError(f"'replace' is empty: copy the text to replace from {path}")
    whole_lines = "\n" in edit.replace + edit.with_
    places = list(_line_places(text, edit) if whole_lines else _places(text, edit))
    if len(places) != 1:
        raise CourseError(_misfit(text, edit, path, [start for start, _, _ in places], whole_lines))
    [(start, end, new)] = places
    return text[:start] + new + text[end:]


def _places(text: str, edit: Edit) -> Iterator[tuple[int, int, str]]:
    """Where a text on one line stands: its start, its end, and what replaces it."""
    start = text.find(edit.replace)
    while start >= 0:
        yield start, start + len(edit.replace), edit.with_
        start = text.find(edit.replace, start + 1)


def _line_places(text: str, edit: Edit) -> Iterator[tuple[int, int, str]]:
    """Where lines stand: the start of the first, the start of the line after the last, and what replaces them."""
    wanted, lines = _dedented(edit.replace), text.splitlines(keepends=True)
    count, start = wanted.count("\n"), 0
    for number, line in enumerate(lines):
        found = "".join(lines[number : number + count])
        if found and _dedented(found) == wanted:
            yield start, start + len(found), _reindented(edit, found)
        start += len(line)


def _reindented(edit: Edit, found: str) -> str:
    """The replacement of lines, with the indentation that they have in the solution."""
    surplus = rf"^[ \t]{{0,{_margin(edit.replace)}}}"
    text = re.sub(surplus, "", edit.with_, flags=re.MULTILINE).rstrip("\n")
    return textwrap.indent(text + "\n", " " * _margin(found)) if text else ""


def _margin(text: str) -> int:
    """The width of the common indentation of lines."""
    return min((len(line) - len(line.lstrip()) for line in text.splitlines() if line.strip()), default=0)


def _dedented(text: str) -> str:
    return textwrap.dedent(text).rstrip("\n") + "\n"


def _misfit(text: str, edit: Edit, path: Path, starts: list[int], whole_lines: bool) -> str:
    shown = textwrap.shorten(edit.replace, 60, placeholder=" …")
    if starts:
        lines = ", ".join(str(text.count("\n", 0, start) + 1) for start in starts)
        return (
            f"'replace' ({shown}) occurs {len(starts)} times in {path} (lines {lines}): add more of the text around it"
        )
    near = did_you_mean(edit.replace.strip().split("\n")[0], {line.strip() for line in text.split("\n")} - {""})
    what = "as whole lines " if whole_lines else ""
    return f"'replace' ({shown}) does not occur {what}in {path}: copy it from there.{near}"
