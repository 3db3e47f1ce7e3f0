"""The README's screenshots: small files, each shown, and a script that takes them from the pages of a batch."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from gradetape.report import write
from scripts import screenshots
from tests.browsers import open_browser
from tests.factories import ASSIGNMENT, a_class

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("picture", screenshots.PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_small_and_the_readme_shows_it(picture: screenshots.Picture) -> None:
    path = ROOT / "docs" / picture.name
    assert f"](docs/{picture.name})" in (ROOT / "README.md").read_text("utf-8")
    assert path.stat().st_size <= screenshots.LARGEST
    with Image.open(path) as image:
        assert image.size == (picture.width, picture.height)


def test_the_script_takes_a_picture_of_a_page(tmp_path: Path) -> None:
    write(tmp_path / "results", a_class([(True, False)] * 3), [], assignment=ASSIGNMENT, max_points=5.0)
    page = f"staff/{ASSIGNMENT}/questions/q01.html"
    picture = screenshots.Picture("question.png", page, "#students", 600, 400, unfolded=".groups details")
    with open_browser() as browser:
        path = screenshots.take(browser, tmp_path / "results", picture, tmp_path)
        with Image.open(path) as image:
            assert image.size == (600, 400)
            assert len(image.convert("RGB").getcolors(256) or []) > 5
        with pytest.raises(SystemExit, match=r"missing\.html is missing\. Grade examples/submissions"):
            screenshots.take(browser, tmp_path / "results", screenshots.Picture("a.png", "missing.html"), tmp_path)


def test_without_a_results_folder_the_script_says_what_to_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["screenshots", str(tmp_path)])
    with pytest.raises(SystemExit, match="Pass the results folder of examples/submissions"):
        screenshots.main()
