"""Students' pages go back under the names that each platform reads: one page per student, nothing of anybody else."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import msgspec
import pytest

from gradetape.errors import RequestError
from gradetape.exports.feedback import FEEDBACK, FeedbackPage, zipped
from gradetape.records import Origin, Unreadable
from tests.books import recorded
from tests.course import called
from tests.factories import SECRET, a_tiny_grade


def a_page(file: str, student: str = "Jane Doe", origin: Origin | None = None) -> FeedbackPage:
    return FeedbackPage(
        student=student, file=file, page_name=f"{student.lower().replace(' ', '-')}.html", text="<p>A page</p>",
        origin=origin,
    )  # fmt: skip


def name_of(target: str, page: FeedbackPage) -> str:
    [name] = zipped(FEEDBACK[target], [page]).names
    return name


def moodles_number(path: str) -> tuple[str, str] | None:
    """The participant and the file's name as mod/assign/feedback/file/importziplib.php finds them."""
    parts = path.split("/")
    while parts:
        info = parts.pop(0).split("_", 4)
        if len(info) >= 4 and info[1].isdigit() and (info[2], info[3]) == ("assignsubmission", "file"):
            return info[1], "/".join([*info[4:], *parts]).strip("/")
    return None


def canvas_numbers(name: str) -> list[str]:
    """The user and the file as Canvas finds them in app/models/assignment.rb."""
    return [part for part in name.split("_") if part.isdigit()][:2]


@pytest.mark.parametrize(
    ("file", "student"),
    [
        ("in/Jane Doe_4711_assignsubmission_file_/hw.ipynb", "Jane Doe"),
        ("in/Jane_Doe_4711_assignsubmission_file/sub/hw.ipynb", "Jane Doe"),
        ("in/Jane Doe_4711_assignsubmission_file_hw.ipynb", "Jane Doe"),
        ("in/Participant_4711_assignsubmission_file_/hw.ipynb", "Participant 4711"),
        ("in/.~J/../x_1_2_3_4711_assignsubmission_file_/hw.ipynb", "x"),
    ],
)
def test_moodle_finds_the_participant(file: str, student: str) -> None:
    name = name_of("moodle", a_page(file, student))
    assert moodles_number(name) == ("4711", "feedback.html")
    assert name.count("/") == 1 and not name.startswith((".", "~"))


def test_a_folder_that_a_student_named_like_moodles_gets_the_page_of_nobody_else() -> None:
    file = "in/Jane Doe_4711_assignsubmission_file_/Bob Ray_9999_assignsubmission_file_/hw.ipynb"
    assert moodles_number(name_of("moodle", a_page(file))) == ("4711", "feedback.html")


def test_moodle_finds_a_participant_of_whom_only_the_number_is_known() -> None:
    page = a_page("jane.ipynb", "../Jane_Doe\ud800", Origin(layout="moodle", id="4711"))
    name = name_of("moodle", page)
    assert moodles_number(name) == ("4711", "feedback.html") and "/.." not in f"/{name}" and "\\" not in name


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("in/doejane_12345_90001_hw.ipynb", "doejane_12345_90001_hw.html"),
        ("in/doejane_LATE_12345_90001_my_hw-2.ipynb", "doejane_LATE_12345_90001_my_hw-2.html"),
        ("in/anon_Ab3dE_90002_hw.ipynb", "anon_Ab3dE_90002_hw.html"),
    ],
)
def test_canvas_finds_the_user_and_the_file(file: str, name: str) -> None:
    assert name_of("canvas", a_page(file)) == name
    assert name.startswith("anon") or canvas_numbers(name) == ["12345", "90001"]


def test_gradescopes_pages_are_in_its_folders_also_those_of_a_group() -> None:
    pages = [a_page("in/submission_340000001/hw.ipynb", student) for student in ("Jane Doe", "Ann Roe")]
    assert zipped(FEEDBACK["gradescope"], pages).names == (
        "submission_340000001/ann-roe.html",
        "submission_340000001/jane-doe.html",
    )


@pytest.mark.parametrize("target", ["moodle", "canvas", "gradescope"])
def test_a_student_without_a_name_on_the_platform_is_refused_or_left_out(target: str) -> None:
    pages = [a_page("in/homework_2026_10_05.ipynb", "Ann Roe")]
    with pytest.raises(
        RequestError, match=r"Not every student has a name on .*:\n  Ann Roe: in/homework_2026_10_05.ipynb is not"
    ):
        zipped(FEEDBACK[target], pages)
    made = zipped(FEEDBACK[target], pages, partial=True)
    assert made.names == () and made.left_out[0].startswith("left out: Ann Roe: in/homework_2026_10_05.ipynb is not")


def test_two_pages_of_one_name_are_refused() -> None:
    pages = [a_page("a/x_1_2_hw.ipynb", "Jane Doe"), a_page("b/X_1_2_hw.py", "Ann Roe")]
    with pytest.raises(RequestError, match=r"Pages of several students would have one name:\n  x_1_2_hw.html: .*Roe"):
        zipped(FEEDBACK["canvas"], pages)


def test_the_same_pages_give_the_same_bytes() -> None:
    pages = [a_page("", "Jane Doe"), a_page("", "Ann Roe")]
    assert zipped(FEEDBACK["zip"], pages) == zipped(FEEDBACK["zip"], pages[::-1])


@pytest.fixture
def course(tmp_path: Path) -> Path:
    grades = [
        msgspec.structs.replace(a_tiny_grade(name), file=f"in/{name}_{number}_9000{number}_hw.ipynb")
        for number, name in enumerate(("doejane", "roeann"), start=1)
    ]
    broken = Unreadable(
        student="poebob",
        file="in/poebob_3_90003_hw.pdf",
        sha256="cd",
        reason="SECRETS of doejane",
        for_student="Hand in a notebook.",
    )
    return recorded(tmp_path, *grades, unreadable=(broken,))


@pytest.mark.parametrize("target", ["canvas", "zip"])
def test_each_student_has_one_page_with_nothing_of_others_and_nothing_for_staff(course: Path, target: str) -> None:
    run = called(course, "export", "feedback", "--for", target, "--out", "f.zip")
    assert run.returncode == 0 and run.stdout == "Written to f.zip.\n", run.stderr
    with zipfile.ZipFile(course / "f.zip") as made:
        pages = {name: made.read(name).decode() for name in made.namelist()}
    students = {"doejane", "roeann", "poebob"}
    assert len(pages) == 3
    for name, text in pages.items():
        [own] = [student for student in students if student in name]
        assert own in text and not any(other in text for other in students - {own})
        assert SECRET not in text and "test_odd" not in text and "SECRETS" not in text
    assert "Hand in a notebook." in next(text for name, text in pages.items() if "poebob" in name)
    assert (course / "f.zip").stat().st_mode & 0o777 == 0o600


def test_the_pages_are_those_of_the_results_folder(course: Path) -> None:
    called(course, "report")
    called(course, "export", "feedback", "--for", "zip", "--out", "f.zip")
    folder = course / "results" / "students" / "tiny"
    with zipfile.ZipFile(course / "f.zip") as made:
        assert {name: made.read(name) for name in made.namelist()} == {
            path.name: path.read_bytes() for path in folder.iterdir()
        }


def test_feedback_of_files_from_elsewhere_is_refused_and_nothing_is_written(course: Path) -> None:
    run = called(course, "export", "feedback", "--for", "moodle", "--out", "f.zip")
    assert run.returncode == 2 and "leave these students out with --partial" in run.stderr
    assert not (course / "f.zip").exists() and re.search(r"roeann: in/roeann_2_90002_hw.ipynb is not in a", run.stderr)
    run = called(course, "export", "feedback", "--for", "moodle", "--out", "f.zip", "--partial")
    assert run.returncode == 0 and run.stderr.count("left out: ") == 3
    assert zipfile.ZipFile(io.BytesIO((course / "f.zip").read_bytes())).namelist() == []
