"""Links lead nowhere: not to the answer key, not to another student's file, and not out of the results folder."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from gradetape import intake
from gradetape.errors import GradebookError
from gradetape.files import link_in, open_to_all
from gradetape.gradebook import Gradebook
from gradetape.records import Submission, Unreadable
from gradetape.report import write
from tests.course import gradetape, tiny

RIGHT = "def double(x):\n    return 2 * x\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a course's secrets, and submissions beside them."""
    for name in ("autograder/seed", "solutions/tiny/q01.py", "submissions/alice.py", "submissions/bob/hw.py"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(RIGHT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _refused(path: Path | str, *, secret: tuple[Path, ...] = ()) -> Unreadable:
    (found,) = intake.read([path], assignment="tiny", secret=secret)
    assert isinstance(found, Unreadable)
    return found


@pytest.mark.parametrize("target", ["autograder/seed", "solutions/tiny/q01.py", "submissions/alice.py"])
def test_a_link_that_is_named_on_the_command_line_is_refused(folder: Path, target: str) -> None:
    os.symlink(folder / target, folder / "mallory.py")
    found = _refused("mallory.py")
    assert found.student == "mallory" and found.sha256 == ""
    assert found.reason.startswith("It is a symbolic link, and links are not followed: a student's could lead to the")
    assert found.reason.endswith(f"If the link is yours, pass the real path: {folder / target}")
    assert found.for_student == "This is a link to another file. Hand in the notebook itself."


@pytest.mark.parametrize("path", ["submissions/mallory", "submissions/mallory/q01.py", "{}/submissions/mallory/q01.py"])
def test_a_linked_folder_is_refused_wherever_it_is_in_the_path(folder: Path, path: str) -> None:
    os.symlink("../solutions/tiny", folder / "submissions" / "mallory")
    found = _refused(path.format(folder))
    assert "submissions/mallory" in found.reason or found.reason.startswith("It is a symbolic link")
    assert "links are not followed" in found.reason and "solutions" not in found.for_student


def test_a_chain_of_links_and_a_link_to_the_working_directory_are_refused(folder: Path) -> None:
    os.symlink("..", folder / "submissions" / "up")
    os.symlink("alice.py", folder / "submissions" / "first.py")
    os.symlink("first.py", folder / "submissions" / "second.py")
    for path in ("submissions/up/solutions/tiny/q01.py", "submissions/second.py", folder / "submissions/up/solutions"):
        assert "links are not followed" in _refused(path).reason


def test_a_grader_whose_own_folder_is_a_link_reads_what_to_pass(folder: Path) -> None:
    os.symlink(folder / "submissions", folder / "this-year")
    found = _refused("this-year")
    assert found.reason.endswith(f"pass the real path: {folder / 'submissions'}")
    assert {each.student for each in intake.read([folder / "submissions"], assignment="tiny")} == {"alice", "bob"}


def test_the_links_on_the_way_to_the_working_directory_do_not_count(folder: Path) -> None:
    os.symlink(folder, folder.parent / f"{folder.name}-link")
    linked = folder.parent / f"{folder.name}-link"
    try:
        assert link_in(linked / "submissions" / "alice.py") is None
        (found,) = intake.read([linked / "submissions" / "alice.py"], assignment="tiny")
        assert isinstance(found, Submission)
        os.symlink("../solutions", folder / "submissions" / "mallory")
        assert link_in(linked / "submissions" / "mallory") == linked / "submissions" / "mallory"
    finally:
        linked.unlink()


def test_a_hard_link_to_the_answer_key_is_refused(folder: Path) -> None:
    os.link(folder / "solutions/tiny/q01.py", folder / "submissions/mallory.py")
    secret = (folder / "solutions", folder / "autograder")
    found = _refused("submissions/mallory.py", secret=secret)
    assert found.reason == (
        f"It is a hard link to {folder / 'solutions/tiny/q01.py'}, and was not graded. Replace it by the student's own "
        "notebook."
    )
    assert found.for_student == "This is a link to another file. Hand in the notebook itself."
    (own,) = intake.read(["solutions/tiny/q01.py"], assignment="tiny", secret=secret)
    assert isinstance(own, Submission)  # the instructor's own file, by its own name


def test_two_submissions_that_are_one_file_are_both_refused(folder: Path) -> None:
    os.link(folder / "submissions/alice.py", folder / "submissions/mallory.py")
    found = {each.student: each for each in intake.read(["submissions"], assignment="tiny")}
    for name in ("alice", "mallory"):
        refused = found[name]
        assert isinstance(refused, Unreadable)
        assert "are one file with several names (hard links), and none was graded" in refused.reason
        assert refused.reason.endswith("copy it over itself: cp FILE COPY && mv COPY FILE")
        assert refused.for_student.startswith("This file is shared with another submission, and was not graded.")
    assert isinstance(found["bob"], Submission)


def test_a_file_with_another_name_elsewhere_is_graded(folder: Path) -> None:
    (folder / "backup").mkdir()
    os.link(folder / "submissions/alice.py", folder / "backup/alice.py")
    assert all(isinstance(each, Submission) for each in intake.read(["submissions"], assignment="tiny"))


def test_grade_refuses_linked_submissions_with_the_reason(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    os.symlink("autograder/seed", root / "mallory.py")
    run = gradetape(root, "grade", "mallory.py", "--assignment", "tiny")
    assert run.returncode == 1 and "unreadable: mallory.py: It is a symbolic link, and links are not" in run.stderr
    page = (root / "results/students/tiny/mallory.html").read_text()
    assert (root / "autograder/seed").read_text().strip() not in page
    assert "Hand in the notebook itself" in page and "autograder" not in page


def test_results_are_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    os.symlink("elsewhere", tmp_path / "results")
    (tmp_path / "own" / "students").mkdir(parents=True)
    os.symlink(tmp_path / "elsewhere", tmp_path / "own" / "students" / "tiny")
    for place in ("results", "own"):
        with pytest.raises(GradebookError, match=r"is behind a symbolic link, or holds one: .*name the folder itself"):
            write(tmp_path / place, [], [], assignment="tiny", max_points=1)
    with pytest.raises(GradebookError, match=r"is behind a symbolic link: .*Name the real path: .*elsewhere/gradebook"):
        Gradebook.open(tmp_path / "results" / "gradebook.sqlite")
    assert not any((tmp_path / "elsewhere").iterdir())


def test_results_are_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Gradebook.open(tmp_path / "results" / "gradebook.sqlite") as book:
            assert book.assignments() == []
            write(tmp_path / "results", [], [], assignment="tiny", max_points=1)
            modes = {path: path.stat().st_mode & 0o777 for path in (tmp_path / "results").rglob("*")}
    finally:
        os.umask(before)
    assert (tmp_path / "results").stat().st_mode & 0o777 == 0o700
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    names = {path.name for path in modes}
    assert {"gradebook.sqlite", "gradebook.sqlite-wal", "gradebook.sqlite-shm", "grades.csv", "index.html"} <= names


def test_an_older_gradebook_is_closed_to_other_users_and_stays_open_to_its_group(tmp_path: Path) -> None:
    file = tmp_path / "gradebook.sqlite"
    Gradebook.open(file).close()
    file.chmod(0o664)
    Gradebook.open(file).close()
    assert file.stat().st_mode & 0o777 == 0o660 and not open_to_all(file)


def test_doctor_tells_about_results_that_every_user_can_read(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    (root / "results").mkdir(mode=0o755)
    (root / "results").chmod(0o755)
    told = gradetape(root, "doctor").stdout
    assert re.search(rf"results +every user of this machine can read {root}/results\n +Close it: chmod -R o-rwx", told)
    (root / "results").chmod(0o700)
    assert "is closed to the other users of this machine" in gradetape(root, "doctor").stdout
