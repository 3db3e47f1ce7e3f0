"""A real browser for tests of pages: Chromium, as Debian, others and Google install it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright


def chromium() -> str | None:
    """Where Debian, others and Google put it."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser; without one the test is skipped, except in CI."""
    path = chromium()
    if path is None and "CI" not in os.environ:
        pytest.skip("there is no browser here: apt-get install chromium")
    assert path is not None, "CI needs a browser: apt-get install chromium"
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=sandbox)
        yield browser
        browser.close()
