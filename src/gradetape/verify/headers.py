"""The header of a mutant that is a whole file: its misconception, what it breaks, and the checks that must fail."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from gradetape.course.source import PythonSource
from gradetape.errors import CourseError
from gradetape.verify.patches import CHECK

_HEADER = re.compile(r"^#\s*fails(?P<legacy>\s*\(legacy\))?\s*:(?P<checks>.*)$", re.MULTILINE)
_MAY_FAIL = re.compile(r"^#\s*may fail\s*:(?P<checks>.*)$", re.MULTILINE)
_BREAKS = re.compile(r"^#\s*breaks\s*:(?P<ids>.*)$", re.MULTILINE)


class Header(msgspec.Struct, frozen=True):
    """A mutant's header: `fails` holds ids without the question, such as `hidden::test_asymmetry`.

    `may_fail` holds those that may fail or pass, as the seed has it. `breaks` holds the ids of the prompt's
    requirements that the mutant violates, `written` the checks under the keys that a patch has for them.
    """

    misconception: str
    fails: tuple[str, ...]
    breaks: tuple[str, ...] = ()
    may_fail: tuple[str, ...] = ()
    written: Mapping[str, tuple[str, ...]] = {}


def header_of(path: Path, *, legacy: bool) -> Header:
    """Read a mutant's header; under legacy Keras, a line `# fails (legacy): …` replaces the other one.

    Without any such line, `fails` is empty. Raises CourseError if there is no docstring, or if a line does not name
    checks.
    """
    source = PythonSource.read(path)
    misconception = ast.get_docstring(source.tree) or ""
    if not misconception:
        raise CourseError(f"{path}: a mutant begins with a docstring that names its misconception in a sentence")
    written = {
        "fails_legacy" if match["legacy"] else "fails": _checks(path, _parts(match["checks"]))
        for match in _HEADER.finditer(source.text)
    }
    fails = (written.get("fails_legacy") if legacy else None) or written.get("fails", ())
    breaks = [name for match in _BREAKS.finditer(source.text) for name in _parts(match["ids"])]
    may_fail = [check for match in _MAY_FAIL.finditer(source.text) for check in _checks(path, _parts(match["checks"]))]
    return Header(" ".join(misconception.split()), fails, tuple(breaks), tuple(may_fail), written)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _checks(path: Path, checks: Sequence[str]) -> tuple[str, ...]:
    wrong = [check for check in checks if not CHECK.fullmatch(check)]
    if wrong or not checks:
        raise CourseError(
            f"{path}: write checks as public::test_x or hidden::test_x, not {', '.join(wrong) or 'nothing'}"
        )
    return tuple(checks)
