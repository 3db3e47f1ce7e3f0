"""The zip that a platform offers is graded as it is, and unpacked within limits."""

from __future__ import annotations

import html
import re
import shlex
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gradetape import intake
from gradetape.intake import unpacking
from gradetape.records import Submission, Unreadable
from tests.course import called
from tests.downloads import expected_of, found_of, headline, submissions
from tests.engines.passing import passing_course
from tests.layouts import DOWNLOADS, canvas, right


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return passing_course(tmp_path / "course", monkeypatch)


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No temporary folder remains."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield
    assert list(temporary.glob("gradetape-download-*")) == []


def packed(folder: Path, target: Path, below: str = "") -> Path:
    """The zip of a folder's entries."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                made.write(path, below + str(path.relative_to(folder)))
    return target


def zipped(target: Path, *entries: tuple[str | zipfile.ZipInfo, str | bytes]) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in entries:
            made.writestr(name, data)
    return target


@pytest.mark.parametrize("kind", [kind for kind in DOWNLOADS if kind != "plain"])
def test_the_zip_of_a_download_is_read_like_its_folder(course: Path, kind: str) -> None:
    download = DOWNLOADS[kind]()
    folder = download.write(course.parent / "unpacked")
    packed(folder, course / "all.zip", f"{folder.name}/")
    run = called(course, "grade", "all.zip", "--json")
    found = submissions(run)
    assert {name: found_of(each) for name, each in found.items()} == {
        name: expected_of(each) for name, each in download.expected.items()
    }
    assert all(each["file"].startswith(f"all.zip/{folder.name}/") for each in found.values())
    assert run.stderr.startswith(headline(download)) and "gradetape-download-" not in run.stderr


def test_a_submission_in_a_zip_is_found_again_by_its_path(tmp_path: Path) -> None:
    path = packed(canvas().write(tmp_path), tmp_path / "all.zip")
    whole = {each.student: each for each in intake.read([path])}
    [again] = intake.read([whole["roerick"].file])
    assert isinstance(again, Submission) and (again.student, again.sha256) == ("roerick", whole["roerick"].sha256)
    assert again.file == whole["roerick"].file and again.modified == getattr(whole["roerick"], "modified", "")


def test_the_command_that_staff_pages_show_grades_one_submission_of_a_zip_again(course: Path) -> None:
    zipped(course / "all.zip", ("ann_1_11_hw.ipynb", right(1)), ("bob_2_12_hw.ipynb", right(2)))
    assert called(course, "grade", "all.zip").returncode == 0
    page = (course / "results" / "staff" / "tiny" / "bob.html").read_text("utf-8")
    [command] = re.findall(r"gradetape (grade [^<]*)", page)
    again = called(course, *shlex.split(html.unescape(command)))
    assert again.returncode == 0, again.stderr
    assert "1 graded now, 0 graded before" in again.stderr and "all.zip/bob_2_12_hw.ipynb" in command


def test_a_path_into_a_zip_that_is_not_there_is_refused(course: Path) -> None:
    zipped(course / "all.zip", ("ann_1_11_hw.ipynb", right(1)), ("bob_2_12_hw.ipynb", right(2)))
    (course / "broken.zip").write_bytes(b"PK")
    for path in ("all.zip/eve_3_13_hw.ipynb", "all.zip/../all.zip", "none.zip/ann.ipynb", "broken.zip/ann.ipynb"):
        run = called(course, "grade", path, "--assignment", "tiny")
        assert run.returncode == 2 and "does not exist" in run.stderr, path


def test_the_zips_of_two_sections_are_read_together(tmp_path: Path) -> None:
    one = zipped(tmp_path / "a.zip", ("ann_1_11_hw.ipynb", right(1)))
    two = zipped(tmp_path / "b.zip", ("bob_2_12_hw.ipynb", right(2)), ("eve_3_13_hw.ipynb", right(3)))
    assert {each.student for each in intake.read([one, two])} == {"ann", "bob", "eve"}


def test_a_students_own_zip_stays_one_submission(tmp_path: Path) -> None:
    path = zipped(tmp_path / "alice.zip", ("hw.ipynb", right(1)))
    [found] = intake.read([path])
    assert isinstance(found, Submission) and (found.student, found.file) == ("alice", str(path))


def test_a_zip_of_plain_files_is_a_download_only_if_the_layout_is_said(tmp_path: Path) -> None:
    path = zipped(tmp_path / "all.zip", ("alice.ipynb", right(1)), ("bob.ipynb", right(2)))
    [found] = intake.read([path])
    assert isinstance(found, Unreadable) and "The zip holds 2 notebooks" in found.reason
    assert {each.student for each in intake.take_in([path], layout="plain").results} == {"alice", "bob"}


def test_a_zip_of_two_platforms_is_refused_by_its_own_name(course: Path) -> None:
    zipped(course / "all.zip", ("ann_1_11_hw.ipynb", right(1)), ("Bob_2_assignsubmission_file_/hw.ipynb", right(2)))
    run = called(course, "grade", "all.zip")
    assert run.returncode == 2 and "all.zip looks like a download of Canvas and like Moodle" in run.stderr


def link() -> tuple[zipfile.ZipInfo, str]:
    entry = zipfile.ZipInfo("bob_2_12_hw.ipynb")
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return entry, "/etc/passwd"


def test_a_link_in_a_zip_is_not_unpacked(tmp_path: Path) -> None:
    path = zipped(tmp_path / "all.zip", ("ann_1_11_hw.ipynb", right(1)), link())
    assert [each.student for each in intake.read([path])] == ["ann"]


def outside(path: Path) -> None:
    zipped(path, ("ann_1_11_hw.ipynb", right(1)), ("../bob_2_12_hw.ipynb", right(2)))


def doubled(path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        zipped(path, ("ann_1_11_hw.ipynb", right(1)), ("ann_1_11_hw.ipynb", right(2)))


def bomb(path: Path) -> None:
    zipped(path, *((f"ann_1_{number}_hw.ipynb", bytes(40 << 20)) for number in range(3)))


def blocked(path: Path) -> None:
    zipped(path, ("ann_1_11_hw.ipynb/x", right(1)), ("ann_1_11_hw.ipynb", right(2)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (outside, "has an entry with a path outside the zip, '../bob_2_12_hw.ipynb', and was not unpacked"),
        (doubled, "has two entries of one name, and was not unpacked. Download it again."),
        (bomb, "would unpack to far more than a download has, and was not unpacked."),
        (blocked, "cannot be unpacked (FileExistsError). Unpack it yourself, and pass the folder."),
    ],
    ids=["outside", "doubled", "bomb", "blocked"],
)
def test_a_zip_that_is_no_honest_download_is_refused(course: Path, make: Callable[[Path], None], words: str) -> None:
    make(course / "all.zip")
    run = called(course, "grade", "all.zip")
    assert run.returncode == 2 and f"all.zip {words}" in run.stderr
    assert not (course.parent / "bob_2_12_hw.ipynb").exists()


def test_of_files_that_are_no_submissions_only_the_names_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(
        tmp_path / "all.zip", ("ann_1_11_hw.ipynb", right(1)), ("ann_1_12_film.mp4", bytes(50 << 20)),
        ("bob_2_13_hw.ipynb", bytes(70 << 20)),
    )  # fmt: skip
    monkeypatch.setattr(unpacking, "MAX_RATIO", 10_000)
    found = {each.student: each for each in intake.read([path])}
    bob = found["bob"]
    assert isinstance(found["ann"], Submission)
    assert isinstance(bob, Unreadable) and "The file is larger than 64 MiB" in bob.reason
