"""Takes the README's screenshots from the pages of a graded batch: `python -m scripts.screenshots results`.

The pictures have at most 128 colours and 200 kB each, so that the repository stays small.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

DOCS = Path(__file__).resolve().parents[1] / "docs"
LARGEST = 200_000
_COLOURS = (128, 64, 32)


@dataclass(frozen=True)
class Picture:
    """A picture: its file, the page and the anchor on it, and the size in CSS pixels; `unfolded` opens some parts."""

    name: str
    page: str
    anchor: str = ""
    width: int = 1200
    height: int = 900
    unfolded: str = ""


PICTURES = (
    Picture("index.png", "index.html", "#students", height=700),
    Picture("question.png", "staff/custom-training/questions/q05_custom_loss.html", unfolded=".groups details"),
    Picture("submission.png", "staff/custom-training/partial.html", "#q05customloss", width=1280),
    Picture("student.png", "students/custom-training/partial.html", width=900),
)


def main() -> None:
    """Takes each screenshot in light colours."""
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "index.html").is_file():
        sys.exit("Pass the results folder of examples/submissions: python -m scripts.screenshots results")
    path = shutil.which("chromium")
    if path is None:
        sys.exit("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        for picture in PICTURES:
            print(take(browser, Path(sys.argv[1]).resolve(), picture, DOCS))
        browser.close()


def take(browser: Browser, results: Path, picture: Picture, folder: Path) -> Path:
    """Writes one picture into a folder; a page that is missing ends the program."""
    page = results / picture.page
    if not page.is_file():
        sys.exit(f"{page} is missing. Grade examples/submissions into {results}: make grade")
    tab = browser.new_page(viewport={"width": picture.width, "height": picture.height}, color_scheme="light")
    tab.goto(page.as_uri() + picture.anchor)
    if picture.unfolded:
        tab.locator(f"{picture.unfolded} > summary").first.click()
    (folder / picture.name).write_bytes(_small(tab.screenshot()))
    tab.close()
    return folder / picture.name


def _small(png: bytes) -> bytes:
    """The picture with a palette, and fewer colours where it would still be too large."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    found = b""
    for colours in _COLOURS:
        buffer = io.BytesIO()
        image.quantize(colours, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        found = buffer.getvalue()
        if len(found) <= LARGEST:
            break
    return found


if __name__ == "__main__":
    main()
