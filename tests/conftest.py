"""Excludes the tests' own course, which gradetape runs, from collection; locations for gradebooks; a cache folder."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.books import place_of


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache folder of the tests' own: what commands remember elsewhere proves nothing here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


collect_ignore = ["tiny_course"]

# A shell's background jobs ignore it, and so would the commands that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A machine may be busy: no test depends on how long an example takes.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A place for a gradebook."""
    with place_of(request.param, tmp_path) as place:
        yield place
