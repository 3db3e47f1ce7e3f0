"""What is recognised, what is refused with the reason, and what --layout decides."""

from __future__ import annotations

import os
import pwd
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import pytest

from gradetape import intake
from gradetape.records import Submission, Unreadable
from tests.course import called, notebook
from tests.engines.passing import passing_course
from tests.layouts import canvas, gradescope, old, right


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return passing_course(tmp_path / "course", monkeypatch)


def put(root: Path, *names: str, **texts: str) -> Path:
    """Writes a notebook to each path below a folder, each different."""
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(right(number))
    for name, text in texts.items():
        (root / name).write_text(text)
    return root


def taken(
    folder: Path, layout: str | None = None, assignment: str | None = None
) -> Mapping[str, Submission | Unreadable]:
    found = intake.take_in([folder], layout=layout, assignment=assignment)
    assert not found.problem, found.problem
    assert len({each.student for each in found.results}) == len(found.results)
    return {each.student: each for each in found.results}


def problem(*paths: Path, layout: str | None = None) -> str:
    return intake.take_in(paths, layout=layout).problem


def reasons(folder: Path, layout: str | None = None) -> dict[str, str]:
    """The reason for everyone who cannot be graded."""
    return {name: each.reason for name, each in taken(folder, layout).items() if isinstance(each, Unreadable)}


MOODLE = "Jane Doe_1_assignsubmission_file_/hw.ipynb"
CANVAS = "doejane_10001_90001_hw.ipynb"


# Refusals


def test_a_folder_of_two_platforms_is_refused_and_nothing_is_graded(course: Path) -> None:
    put(course / "in", MOODLE, CANVAS)
    run = called(course, "grade", "in")
    assert (run.returncode, run.stdout) == (2, "")
    assert "in looks like a download of Canvas and like Moodle, and nothing was graded" in run.stderr
    assert "Grade each part by itself, or say what the folder is with --layout" in run.stderr
    assert not (course / "results").exists()


def test_what_is_left_over_is_named_and_may_be_left_ungraded(course: Path) -> None:
    put(course / "in", CANVAS, "roerick_10002_90002_hw.ipynb", "emailed.ipynb", "late/hw.ipynb")
    run = called(course, "grade", "in")
    assert run.returncode == 2
    assert "in looks like a download of Canvas (2 students), but not all of it: emailed.ipynb, late." in run.stderr
    assert "or pass --layout canvas to leave them ungraded" in run.stderr
    run = called(course, "grade", "in", "--layout", "canvas")
    assert run.returncode == 1 and "2 graded now" in run.stderr
    assert (
        "unreadable: in/emailed.ipynb: It is not named as Canvas names submissions (lastfirst_12345_67890_"
        in run.stderr
    )


def test_a_layout_that_does_not_fit_is_refused(course: Path) -> None:
    put(course / "in", "alice.ipynb", "bob.ipynb")
    run = called(course, "grade", "in", "--layout", "gradescope")
    assert run.returncode == 2
    assert "--layout gradescope: nothing in it is named as Gradescope names it: submission_123/, with" in run.stderr
    run = called(course, "grade", "in", "--layout", "gradescop")
    assert run.returncode == 2 and "'gradescop' is not one of 'canvas', 'moodle', 'gradescope'" in run.stderr


def test_gradescopes_folders_are_nothing_without_the_file_that_names_their_owners(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", "submission_1/hw.ipynb", "submission_2/hw.ipynb")
    metadata = folder / "submission_metadata.yml"
    assert "says whose each submission is, is missing: put it beside the folders" in problem(folder)
    metadata.write_text("submission_1: [")
    assert "submission_metadata.yml cannot be read: export the submissions again" in problem(folder)
    metadata.write_text("- 1")
    assert "submission_metadata.yml describes no submission: export them again" in problem(folder)
    metadata.unlink()
    metadata.symlink_to(folder / "submission_1/hw.ipynb")
    assert "submission_metadata.yml is a link, or larger than 32 MiB: export the" in problem(folder)


def test_a_folder_that_gradescopes_file_does_not_describe_is_left_over(tmp_path: Path) -> None:
    folder = gradescope().write(tmp_path)
    put(folder, "submission_99/hw.ipynb")
    assert "but not all of it: submission_99. Whose these are is not certain" in problem(folder)


def test_outer_and_inner_folders_are_not_taken_for_students_without_a_reason(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", "ann/mine/hw.ipynb", "bob/stuff/hw.ipynb")
    assert "whether its outer or its inner folders are the students is not certain" in problem(folder)
    assert set(taken(folder, "jupyterhub")) == {"ann", "bob"}
    assert set(taken(folder, "plain")) == {"mine", "stuff"}


@pytest.mark.parametrize(
    "names",
    [
        ("ann/hw1/a.ipynb", "bob/hw1/b.ipynb"),
        ("ann/tiny/a.ipynb", "bob/tiny/b.ipynb"),
        ("ann/x/a.ipynb", "bob/x/b.ipynb", "eve/x/c.ipynb"),
        ("ann/mine/a.ipynb", "bob/b.ipynb", "ann/.bashrc"),
        ("ann/hw1/a.ipynb", "bob/b.ipynb"),
    ],
)
def test_homes_are_recognised_by_what_is_in_them(tmp_path: Path, names: tuple[str, ...]) -> None:
    found = taken(put(tmp_path / "in", *names))
    assert set(found) == {name.split("/")[0] for name in names}
    assert {each.origin.login for each in found.values() if each.origin} == set(found)


def test_in_a_home_the_folder_of_the_assignment_counts(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", "ann/hw1/a.ipynb", "ann/tiny/a.ipynb", "bob/tiny/b.ipynb", "eve/hw1/c.ipynb")
    found = taken(folder, assignment="tiny")
    assert found["ann"].file.endswith("ann/tiny/a.ipynb") and found["eve"].file.endswith("eve/hw1/c.ipynb")


def test_sections_with_a_folder_for_each_student_are_a_plain_folder(tmp_path: Path) -> None:
    names = ("north/ann/hw.ipynb", "north/bob/hw.ipynb", "south/eve/hw.ipynb", "south/dan/hw.ipynb")
    assert set(taken(put(tmp_path / "in", *names))) == {"ann", "bob", "eve", "dan"}


@pytest.mark.parametrize(
    ("folder", "names", "logins"),
    [
        ("in", ("hw1-j-doe/a.ipynb", "hw1-j-roe/a.ipynb"), {"j-doe", "j-roe"}),
        ("in", ("tiny-j-doe/a.ipynb", "tiny-j-roe/a.ipynb"), {"j-doe", "j-roe"}),
        ("our-work-submissions", ("our-work-j-doe/a.ipynb", "our-work-j-roe/a.ipynb"), {"j-doe", "j-roe"}),
        ("in", ("week-3-ann/a.ipynb", "week-3-bob/a.ipynb"), {"ann", "bob"}),
        ("in", ("hw1-ann/deep/er/a.ipynb",), {"ann"}),
    ],
)
def test_the_prefix_of_a_github_classroom_assignment_is_known(
    tmp_path: Path, folder: str, names: tuple[str, ...], logins: set[str]
) -> None:
    assert set(taken(put(tmp_path / folder, *names))) == logins


def test_folders_whose_names_happen_to_begin_alike_are_a_plain_folder(tmp_path: Path) -> None:
    names = ("jane-doe/a.ipynb", "jane-roe/a.ipynb", "jane-roe/.git/HEAD", "jane-doe/.git/HEAD")
    assert set(taken(put(tmp_path / "in", *names))) == {"jane-doe", "jane-roe"}


def test_a_prefix_of_repositories_that_may_end_in_two_places_is_refused(tmp_path: Path) -> None:
    names = [f"our-work-{login}/{file}" for login in ("a", "b", "c") for file in ("a.ipynb", ".git/HEAD")]
    folder = put(tmp_path / "in", *names)
    assert "where the login begins in these names is not certain: name the folder" in problem(folder)
    assert set(taken(folder, "github")) == {"a", "b", "c"}


def test_several_assignments_of_nbgrader_are_not_mixed(tmp_path: Path) -> None:
    folder = put(tmp_path / "submitted", "ann/hw1/a.ipynb", "ann/hw2/a.ipynb", "bob/hw2/b.ipynb")
    (folder / "ann/hw1/timestamp.txt").write_text("2025-09-03 23:59:00 UTC")
    assert "it holds several assignments (hw1, hw2): name the one to grade with --assignment" in problem(folder)
    found = taken(folder, assignment="hw2")
    assert found["ann"].file.endswith("hw2/a.ipynb") and set(found) == {"ann", "bob"}


def test_the_staffs_folders_of_nbgrader_are_no_students(tmp_path: Path) -> None:
    folder = put(tmp_path / "course", "source/hw1/a.ipynb", "release/hw1/a.ipynb")
    assert "release, source is the course staff's there, and submitted/ is missing" in problem(folder)


def test_titles_of_google_classroom_that_differ_are_refused(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", "Jane Doe - hw.ipynb", "Bob - final.ipynb")
    assert "where the name ends is not certain, since the files have no title in common" in problem(folder)


def test_a_folder_in_a_folder_may_be_a_students(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", "fay/notes - hw.ipynb")
    assert "it holds the work of one student only: pass the inner folder" in problem(folder)
    assert set(taken(folder, "plain")) == {"fay"} and set(taken(folder / "fay")) == {"notes"}


def test_the_downloads_of_two_sections_are_read_together(tmp_path: Path) -> None:
    for section, names in {"A": (CANVAS, "roe_10002_90002_hw.ipynb"), "B": ("poe_10003_90003_hw.ipynb",)}.items():
        put(tmp_path / "in" / section, *names)
    assert set(taken(tmp_path / "in")) == {"doejane", "roe", "poe"}


def test_a_student_who_names_a_file_like_a_platform_stays_who_the_folder_says(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", "ann/hw.ipynb", "bob/Ann_7_assignsubmission_file_x.ipynb", "eve/hw.ipynb")
    assert intake.take_in([folder]).title == "Plain folder"
    assert "The file is named as a learning platform names submissions, and is in a folder" in reasons(folder)["bob"]
    assert isinstance(taken(folder)["ann"], Submission)


# Names that students choose


@pytest.mark.parametrize(
    "name",
    [
        "Mallory_1_assignsubmission_file_/Ann_2_assignsubmission_file_/hw.ipynb",
        "Mallory_1_assignsubmission_file_Ann_2_assignsubmission_file_hw.ipynb",
        "Mallory_1_assignsubmission_file_/10002-90001 - Ann - Sep 3, 2025 1159 PM/hw.ipynb",
        "Mallory_1_assignsubmission_file_/ann_10002_90002_hw.ipynb",
        "10001-90001 - Mallory - Sep 3, 2025 1159 PM - 10002-90001 - Ann - Sep 4, 2025 1159 PM - hw.ipynb",
        "10001-90001 - Mallory - Sep 3, 2025 1159 PM/Ann_2_assignsubmission_file_/hw.ipynb",
    ],
)
def test_no_name_that_a_student_gives_makes_somebody_else_of_them(tmp_path: Path, name: str) -> None:
    assert set(taken(put(tmp_path / "in", name))) == {"Mallory"}
    assert [each.student for each in intake.read([tmp_path / "in" / name])] == ["Mallory"]


def test_blackboards_file_name_and_text_are_not_the_students(tmp_path: Path) -> None:
    stem = "HW_mallory_attempt_2025-09-03-10-00-00"
    folder = put(tmp_path / "in", f"{stem}_ann_attempt_2026-01-01-00-00-00_hw.ipynb")
    text = "Name: Mallory (mallory)\nAssignment: HW\n\nSubmission Field:\nName: Ann (ann)\n"
    (folder / f"{stem}.txt").write_text(text)
    assert set(taken(folder)) == {"Mallory"}
    (folder / f"{stem}.txt").write_text("Name: Ann (ann)\n")  # not the login in the file's name
    assert set(taken(folder)) == {"mallory"}


def test_a_login_that_may_begin_in_two_places_needs_blackboards_text(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", "Home_work_j_doe_attempt_2025-09-03-10-00-00_hw.ipynb")
    assert all("Where the login begins in this name is not certain" in why for why in reasons(folder).values())
    put(folder, "Home_work_roe_attempt_2025-09-03-10-00-00_hw.ipynb")
    (folder / "Home_work_roe_attempt_2025-09-03-10-00-00.txt").write_text("Name: R Roe (roe)\n")
    assert set(taken(folder)) == {"j_doe", "R Roe"}


def test_an_attempt_at_blackboard_that_is_only_text_has_a_row(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", "HW_ann_attempt_2025-09-03-10-00-00_hw.ipynb")
    (folder / "HW_bob_attempt_2025-09-03-10-00-00.txt").write_text("Name: Bob (bob)\n\nMy answer is 42.\n")
    assert "This attempt has no file, only text typed into Blackboard" in reasons(folder)["Bob"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders to other users")
def test_a_folder_in_nbgraders_exchange_that_another_user_has_made_is_not_graded(tmp_path: Path) -> None:
    folder = put(
        tmp_path / "inbound", *(f"{who}+hw1+2025-09-03 10:00:00 UTC/hw.ipynb" for who in ("root", "daemon", "ann"))
    )
    for who in ("root", "daemon"):
        os.chown(folder / f"{who}+hw1+2025-09-03 10:00:00 UTC", pwd.getpwnam(who).pw_uid, -1)
    os.chown(folder / "ann+hw1+2025-09-03 10:00:00 UTC", pwd.getpwnam("daemon").pw_uid, -1)
    why = reasons(folder)
    assert list(why) == ["ann"]
    assert "The folder's name says that it is ann's, but it belongs to the user daemon of this system" in why["ann"]


# People and names


def test_one_id_under_two_names_is_nobodys(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", CANVAS, "roejane_10001_90002_hw.ipynb", "poe_10003_90003_hw.ipynb")
    why = reasons(folder)
    assert set(why) == {"doejane", "roejane"}
    assert all("The id 10001 stands beside several names: doejane, roejane." in reason for reason in why.values())


def test_a_name_in_two_unicode_forms_is_one_name(tmp_path: Path) -> None:
    nfc = "Zoë Müller"
    nfd = unicodedata.normalize("NFD", nfc)
    moodle = put(tmp_path / "moodle", f"{nfc}_1_assignsubmission_file_/hw.ipynb")
    put(moodle, f"{nfd}_1_assignsubmission_onlinetext_/x.html")
    assert [type(each) for each in taken(moodle).values()] == [Submission]
    plain = put(tmp_path / "plain", f"{nfc}.ipynb", f"{nfd}/hw.ipynb", "bob.ipynb")
    [one, two] = [each for each in intake.read([plain]) if each.student == nfc]
    assert isinstance(one, Unreadable) and isinstance(two, Unreadable) and "have the same student name" in one.reason


def test_the_message_for_a_class_of_one_name_does_not_grow_with_its_square(course: Path) -> None:
    sizes = []
    for count in (100, 300):
        folder = course / f"in{count}"
        for number in range(count):
            (folder / f"{number}" / "x").mkdir(parents=True)
            (folder / f"{number}" / "x" / "Participant_x.ipynb").write_text(right(1))
        run = called(course, "grade", folder.name, "--layout", "plain")
        assert run.returncode == 2 and "None of these submissions can be graded." in run.stderr
        sizes.append(len(run.stderr))
    assert sizes[1] < sizes[0] * 1.2 and sizes[1] < 40_000


def test_the_notebook_that_declares_the_assignment_counts_before_the_others(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", "ann/hw.ipynb", "bob/a.ipynb", "bob/b.ipynb", "eve/x.ipynb")
    (folder / "ann/scratch.ipynb").write_text(notebook("1", assignment=None))
    (folder / "eve/old.ipynb").write_text(notebook("1", assignment="loops"))
    (folder / "eve/broken.ipynb").write_text("{")
    found = taken(folder, assignment="tiny")
    assert found["ann"].file.endswith("hw.ipynb") and found["eve"].file.endswith("x.ipynb")
    assert isinstance(found["bob"], Unreadable) and "Keep the one to grade" in found["bob"].reason
    assert isinstance(taken(folder)["eve"], Unreadable)  # two assignments, and none was asked for


def test_numbered_copies_belong_to_nobody_unless_a_folder_says_it(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", "alice.ipynb", "hw (1).ipynb", "dan/hw (1).ipynb")
    why = reasons(folder)
    assert list(why) == ["hw (1)"] and "It is numbered like a copy, such as 'hw.ipynb' and 'hw (1)" in why["hw (1)"]


def test_a_groups_submission_is_that_of_each_member(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", "submission_1/hw.ipynb", "submission_2/hw.ipynb")
    ann, bob = ("  - :name: Ann\n    :sid: '1'\n", "  - :name: Bob\n    :sid: '2'\n")
    (folder / "submission_metadata.yml").write_text(
        f"submission_1:\n  :submitters:\n{ann}{bob}  :created_at: 2025-09-01 10:00:00 Z\n"
        f"submission_2:\n  :submitters:\n{ann}  :created_at: 2025-09-02 10:00:00 Z\n"
    )
    found = taken(folder)
    assert found["Ann"].file.endswith("submission_2/hw.ipynb") and found["Bob"].file.endswith("submission_1/hw.ipynb")


def test_what_was_recognised_is_said_before_anything_is_graded(course: Path) -> None:
    run = called(course, "grade", canvas().write(course / "in"))
    assert run.stderr.startswith("Canvas, 7 students, 8 attempts, 1 older attempt left out\n")
    put(course, "alice.ipynb")
    assert not called(course, "grade", "alice.ipynb").stderr.startswith("Plain")


def test_without_times_that_can_be_read_nobody_guesses_which_attempt_is_the_latest(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for time, text in {"Sep 3, 2025 1159 PM": old(1), "3. syyskuuta 2025 1159": right(1)}.items():
        path = folder / f"10001-90001 - Ann - {time}" / "hw.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert "Found 2 files, expected one" in reasons(folder)["Ann"]
