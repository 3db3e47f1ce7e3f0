"""The header of a mutant that is a whole file: its misconception, what it breaks, and the checks that must fail."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from gradetape.course.source import PythonSource
from gradetape.errors import CourseError
from gradetape.verify.patches import CHECK

_HEADER = re.compile(r"^#\s*fails(?P<legacy>\s*\(legacy\))?\s*:(?P<checks>.*)$", re.MULTILINE)
_BREAKS = re.compile(r"^#\s*breaks\s*:(?P<ids>.*)$", re.MULTILINE)


class Header(msgspec.Struct, frozen=True):
    """A mutant's header: `fails` holds ids without the question, such as `hidden::test_asymmetry`.

    `breaks` holds the ids of the prompt's requirements that the mutant violates.
    """

    misconception: str
    fails: tuple[str, ...]
    breaks: tuple[str, ...] = ()


def header_of(path: Path, *, legacy: bool) -> Header:
    """Read a mutant's header; under legacy Keras, a line `# fails (legacy): …` replaces the other one.

    Raises CourseError if the docstring or the line is missing, or if the line does not name checks.
    """
    source = PythonSource.read(path)
    misconception = ast.get_docstring(source.tree) or ""
    if not misconception:
        raise CourseError(f"{path}: a mutant begins with a docstring that names its misconception in a sentence")
    lines = {bool(match["legacy"]): match["checks"] for match in _HEADER.finditer(source.text)}
    named = lines.get(legacy, lines.get(False))
    if named is None:
        raise CourseError(f"{path}: add a line such as '# fails: hidden::test_x' that names the checks that must fail")
    breaks = [name for match in _BREAKS.finditer(source.text) for name in _parts(match["ids"])]
    return Header(" ".join(misconception.split()), _checks(path, _parts(named)), tuple(breaks))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _checks(path: Path, checks: Sequence[str]) -> tuple[str, ...]:
    wrong = [check for check in checks if not CHECK.fullmatch(check)]
    if wrong or not checks:
        raise CourseError(
            f"{path}: write checks as public::test_x or hidden::test_x, not {', '.join(wrong) or 'nothing'}"
        )
    return tuple(checks)
