"""Excludes the tests' own course, which gradetape runs, from pytest's collection; and locations for gradebooks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.books import place_of

collect_ignore = ["tiny_course"]


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A place for a gradebook."""
    with place_of(request.param, tmp_path) as place:
        yield place
