"""Every test that the security page names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = re.findall(r"`(test_\w+\.py)?(?:::(test_\w+))?`", (ROOT / "docs" / "security.md").read_text(encoding="utf-8"))


def promised() -> list[tuple[str, str]]:
    """Pairs of file and function; a function without a file belongs to the last file named before it."""
    file, found = "", []
    for name, function in NAMED:
        file = name or file
        if name or function:
            found.append((file, function))
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(("file", "function"), promised())
def test_a_promise_names_tests_that_exist(file: str, function: str) -> None:
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert not function or f"def {function}(" in text


def test_every_promise_names_one() -> None:
    assert len(promised()) > 20
