"""Takes the README's screenshots from the pages of a graded batch: `python scripts/screenshots.py results`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

DOCS = Path(__file__).resolve().parents[1] / "docs"
# The name of the screenshot, the page, the anchor on it, and the size in CSS pixels.
PICTURES = (
    ("index.png", "index.html", "", 1200, 1150),
    ("student.png", "students/custom-training/partial.html", "#q5", 900, 900),
)


def main() -> None:
    """Takes each screenshot in light colours."""
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "index.html").is_file():
        sys.exit("Pass the results folder of examples/submissions: python scripts/screenshots.py results")
    path = shutil.which("chromium")
    if path is None:
        sys.exit("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        for picture in PICTURES:
            _take(browser, Path(sys.argv[1]).resolve(), *picture)
        browser.close()


def _take(browser: Browser, results: Path, name: str, page: str, place: str, width: int, height: int) -> None:
    tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
    tab.goto((results / page).as_uri() + place)
    tab.screenshot(path=DOCS / name)
    tab.close()
    print(DOCS / name)


if __name__ == "__main__":
    main()
