"""What a mutant says of itself: its misconception, and the checks that must fail."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import msgspec

from gradetape.errors import CourseError

_HEADER = re.compile(r"^#\s*fails(?P<legacy>\s*\(legacy\))?\s*:(?P<checks>.*)$", re.MULTILINE)
_CHECK = re.compile(r"(?:public|hidden)::\w+")


class Header(msgspec.Struct, frozen=True):
    """A mutant's header: `fails` holds ids without the question, such as `hidden::test_asymmetry`."""

    misconception: str
    fails: tuple[str, ...]


def header_of(path: Path, *, legacy: bool) -> Header:
    """Reads a mutant's header; under legacy Keras a line `# fails (legacy): …` takes the other's place.

    Raises CourseError where the docstring or the line is missing, or does not name checks.
    """
    text = path.read_text(encoding="utf-8")
    try:
        misconception = ast.get_docstring(ast.parse(text)) or ""
    except SyntaxError as error:
        raise CourseError(f"{path}, line {error.lineno}: {error.msg}. Correct it and verify again.") from None
    if not misconception:
        raise CourseError(f"{path}: a mutant begins with a docstring that names its misconception in a sentence")
    lines = {bool(match["legacy"]): match["checks"] for match in _HEADER.finditer(text)}
    named = lines.get(legacy, lines.get(False))
    if named is None:
        raise CourseError(f"{path}: add a line such as '# fails: hidden::test_x' that names the checks that must fail")
    checks = [part.strip() for part in named.split(",") if part.strip()]
    wrong = [check for check in checks if not _CHECK.fullmatch(check)]
    if wrong or not checks:
        raise CourseError(
            f"{path}: write checks as public::test_x or hidden::test_x, not {', '.join(wrong) or 'nothing'}"
        )
    return Header(" ".join(misconception.split()), tuple(checks))
