"""Every platform's download is graded with no option: the right person, attempt, id, time and mark of lateness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gradetape.intake.found import Clues, Listing
from gradetape.intake.layouts import LAYOUTS
from gradetape.intake.layouts.registry import LAYOUT_NAMES
from tests.course import called
from tests.downloads import expected_of, found_of, headline, submissions
from tests.engines.passing import passing_course
from tests.layouts import DOWNLOADS


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return passing_course(tmp_path / "course", monkeypatch)


@pytest.mark.parametrize("kind", DOWNLOADS)
def test_a_download_is_graded_with_no_option(course: Path, kind: str) -> None:
    download = DOWNLOADS[kind]()
    run = called(course, "grade", download.write(course / "in"), "--json")
    found = submissions(run)
    assert {name: found_of(each) for name, each in found.items()} == {
        name: expected_of(each) for name, each in download.expected.items()
    }
    for name, each in download.expected.items():
        assert each.reason in found[name].get("reason", "")
    assert run.returncode == 1  # every class has a file that cannot be read
    assert run.stderr.startswith(headline(download))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize("kind", DOWNLOADS)
def test_every_recogniser_refuses_the_download_of_every_other_platform(tmp_path: Path, kind: str, layout: Any) -> None:
    folder = DOWNLOADS[kind]().write(tmp_path)
    own = kind.partition(",")[0] == layout.name
    read = layout.recognise(Listing.of_folder(folder, Clues(None, lambda _: None)))
    assert (read is not None) == own
    assert not own or (read.score(Listing.of_folder(folder, Clues(None, lambda _: None))) == 1.0 and not read.problem)


def test_the_layouts_have_the_names_that_the_option_offers() -> None:
    assert (*(layout.name for layout in LAYOUTS), "plain") == LAYOUT_NAMES
    assert len(set(LAYOUT_NAMES)) == len(LAYOUT_NAMES)
