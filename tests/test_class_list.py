"""The class list: submissions get its names by id, then by exact name; nobody is guessed; who is missing is a row."""

from __future__ import annotations

import json
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradetape.errors import ConfigError
from gradetape.exports import ClassLookup, read_class_list
from gradetape.records import Origin
from tests.books import recorded
from tests.course import by_student, called
from tests.engines.passing import passing_course
from tests.factories import a_tiny_grade
from tests.layouts import right
from tests.platform_files import FILES

OWN = (
    "name,id,email,login,section,canvas_id,github\n"
    "Jane Doe,u1,jane@example.org,jdoe,A,10001,octojane\n"
    "Jane Doe,u2,jdoe2@example.org,jdoe2,B,10002,\n"
    "Zoë Müller,u3,zoe@example.org,zmueller,A,10003,\n"
    "Rick Roe,u4,rick@example.org,rroe,A,,\n"
)


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A tiny course with a class list, in which nothing is run: every check passes."""
    root = passing_course(tmp_path / "course", monkeypatch)
    (root / "roster.csv").write_text(OWN)
    with (root / "grader_config.yml").open("a") as file:
        file.write("roster: roster.csv\n")
    yield root


def put(course: Path, *names: str) -> None:
    for number, name in enumerate(names):
        path = course / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(right(number))


def table(course: Path) -> dict[str, dict[str, object]]:
    rows = json.loads(called(course, "export", "json").stdout)
    return {row["student"]: row for row in rows}


# reading


def found(text: str | bytes, student: str, origin: Origin | None = None) -> str:
    content = text if isinstance(text, bytes) else text.encode()
    member, why = ClassLookup(read_class_list(content, "roster.csv")).member(student, origin)
    return member.student if member else why


def test_an_id_or_login_or_email_comes_before_the_name() -> None:
    assert found(OWN, "doejane", Origin(layout="canvas", id="10002")) == "Jane Doe (u2)"
    assert found(OWN, "Rick Roe", Origin(layout="gradescope", id="u1")) == "Jane Doe (u1)"
    assert found(OWN, "x", Origin(layout="blackboard", login="JDOE2")) == "Jane Doe (u2)"
    assert found(OWN, "x", Origin(layout="gradescope", email="Zoe@Example.org")) == "Zoë Müller"
    assert found(OWN, "octojane", Origin(layout="github", login="octojane")) == "Jane Doe (u1)"
    assert [found(OWN, name) for name in ("u4", "rroe", "rick@example.org")] == ["Rick Roe"] * 3


def test_a_name_is_exact_in_any_unicode_form_and_as_canvas_writes_it() -> None:
    assert found(OWN, unicodedata.normalize("NFD", "Zoë Müller")) == "Zoë Müller"
    assert found(OWN, "roerick", Origin(layout="canvas", id="999")) == "Rick Roe"
    assert found(OWN, "Rick Ro") == "no row has this id, login, email or name"
    assert found(OWN, "Jane Doe") == "rows 2, 3 could be meant"


@pytest.mark.parametrize(
    ("student", "origin"),
    [
        ("Zoë Müller", Origin(layout="canvas", id="7")),  # the list has another id of Canvas for her
        ("Rick Roe", Origin(layout="gradescope", id="u9")),
        ("Rick Roe", Origin(layout="gradescope", email="other@example.org")),
        ("rroe", Origin(layout="canvas", id="7")),  # who calls himself by somebody's login
        ("u4", Origin(layout="moodle", id="7")),
        ("10001", Origin(layout="canvas", id="7")),
        ("octojane", Origin(layout="nbgrader", id="octojane", login="octojane")),
        ("rroe", Origin(layout="github", login="rroe")),
    ],
)
def test_what_speaks_against_a_name_decides(student: str, origin: Origin) -> None:
    assert "row" in found(OWN, student, origin)


@pytest.mark.parametrize(("name", "file"), FILES)
def test_a_platforms_own_file_is_a_class_list(name: str, file: object) -> None:
    content = file.filled("", "", "")  # type: ignore[attr-defined]
    people = read_class_list(content, name)
    assert [member.student.split()[-1] for member in people.members] == ["Doe", "Ñunez", "Roe"]
    assert found(content, "Jane Doe") == "Jane Doe"


def test_canvas_has_ids_and_sections_and_its_test_student_is_none() -> None:
    content = dict(FILES)["canvas"].filled("", "", "")
    people = read_class_list(content, "canvas.csv")
    assert {member.own_ids["canvas"] for member in people.members} == {"12345", "12346", "12347"}
    assert not any("Test" in member.student for member in people.members)


def test_the_numbers_of_moodles_participants_are_of_one_assignment_and_decide_nothing() -> None:
    content = dict(FILES)["moodle"].filled("", "", "")
    assert found(content, "Jane Doe", Origin(layout="moodle", id="9999")) == "Jane Doe"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("student,points\na,1\n", "has the columns 'student', 'points'. Write the columns name, id"),
        ("x\n", "of which only name is needed, or use a platform's own file of grades."),
        ("name,id\n", "it has no row with a person"),
        ("name,id\n,u1\n", "row 2 has no name"),
        ("name,id\nA,u1\nB,U1\n", "rows 2 and 3 are both of 'u1'"),
        ("name,id\nA,\nA,u1\n", "rows 2 and 3 are of 'A', and have no id that tells them apart"),
        ("name,canvas_id\nA,1\nB,1\n", "2 rows have the id '1' of canvas"),
        (b"name,id\n\xff\xfe\xfa,1\n", "The class list cannot be read."),
        ('name,id\n"A,1\n', "a quote is not closed"),
    ],
)
def test_a_class_list_that_is_none_or_contradicts_itself_is_refused(text: str | bytes, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        found(text, "A")
    assert words in str(error.value)


# grading


def test_grades_have_the_names_of_the_class_list_and_what_only_it_says(course: Path) -> None:
    put(course, "doejane_10001_90001_hw.ipynb", "doejane_10002_90002_hw.ipynb", "roerick_77_90003_hw.ipynb")
    run = called(course, "grade", "in", "--json")
    assert run.returncode == 0, run.stderr
    submissions = by_student(run)
    assert set(submissions) == {"Jane Doe (u1)", "Jane Doe (u2)", "Rick Roe"}
    origin = submissions["Jane Doe (u2)"]["origin"]
    assert (origin["id"], origin["email"], origin["section"]) == ("10002", "jdoe2@example.org", "B")
    assert json.loads(run.stdout)["no_submission"] == [
        {"student": "Zoë Müller", "id": "u3", "email": "zoe@example.org", "section": "A"}
    ]
    assert "no submission: Zoë Müller" in run.stderr


def test_who_handed_in_nothing_is_a_row_without_points_and_in_no_mean(course: Path) -> None:
    put(course, "u4.ipynb")
    assert called(course, "grade", "in").returncode == 0
    rows = table(course)
    assert rows["Rick Roe"]["final"] == 5.0 and len(rows) == 4
    absent = rows["Zoë Müller"]
    assert (absent["status"], absent["points"], absent["final"], absent["id"]) == ("no_submission", None, None, "u3")
    page = (course / "results" / "index.html").read_text()
    assert "4 students, 3 without a submission, none in need of attention" in page and "mean 5.0" in page
    assert not list((course / "results").glob("students/*/zo*"))
    assert "Without a submission" not in page


def test_the_mean_of_an_assignment_leaves_out_who_handed_in_nothing(course: Path) -> None:
    put(course, "u4.ipynb")
    called(course, "grade", "in")
    other = course / "results" / "staff" / "other"
    other.mkdir()
    (other / "grades.csv").write_text((course / "results" / "staff" / "tiny" / "grades.csv").read_text())
    called(course, "report")
    page = (course / "results" / "index.html").read_text()
    assert "Without a submission" in page and "5.0 of 5" in page


def test_what_matches_nobody_or_several_is_listed_with_the_nearest_and_nothing_is_graded(course: Path) -> None:
    put(course, "Rik Roe.ipynb", "jdoe.ipynb", "Jane Doe.ipynb")
    run = called(course, "grade", "in")
    assert run.returncode == 2
    assert "The class list roster.csv does not say whose 2 submissions are, and nothing was graded:" in run.stderr
    assert "Rik Roe: no row has this id, login, email or name. Did you mean 'Rick Roe'?" in run.stderr
    assert "Jane Doe: rows 2, 3 could be meant." in run.stderr
    assert "decide in a CSV file with the columns submission and student" in run.stderr
    assert not (course / "results").exists()


def test_a_table_decides_where_the_class_list_cannot(course: Path) -> None:
    put(course, "Rik Roe.ipynb", "jdoe.ipynb", "Jane Doe.ipynb", "staff.ipynb")
    (course / "map.csv").write_text("submission,student\nRik Roe,u4\nJane Doe,jdoe2\nstaff,\n")
    run = called(course, "grade", "in", "--json", "--roster-map", "map.csv")
    assert run.returncode == 0, run.stderr
    assert set(by_student(run)) == {"Rick Roe", "Jane Doe (u1)", "Jane Doe (u2)"}
    assert "left out, as roster_map says: staff" in run.stderr


def test_two_submissions_of_one_person_are_refused(course: Path) -> None:
    put(course, "u4.ipynb", "rroe.ipynb")
    run = called(course, "grade", "in")
    assert run.returncode == 2 and "all are of Rick Roe" in run.stderr


def test_student_names_a_person_of_the_class_list(course: Path) -> None:
    put(course, "hw.ipynb")
    run = called(course, "grade", "in/hw.ipynb", "--student", "u3", "--json")
    assert set(by_student(run)) == {"Zoë Müller"}
    run = called(course, "grade", "in/hw.ipynb", "--student", "nobody")
    assert run.returncode == 2 and "no row has 'nobody'" in run.stderr


def test_another_class_list_can_be_named_and_one_that_is_missing_is_refused(course: Path) -> None:
    put(course, "Ann Poe.ipynb")
    (course / "other.csv").write_text("name;id\nAnn Poe;1\nBen Poe;2\n")
    run = called(course, "grade", "in", "--roster", "other.csv", "--json")
    assert run.returncode == 0 and json.loads(run.stdout)["no_submission"][0]["student"] == "Ben Poe"
    run = called(course, "grade", "in", "--roster", "none.csv")
    assert run.returncode == 2 and "which roster names, cannot be read: No such file" in run.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b\n1,2\n", "row 2: write the columns submission and student, separated by a comma."),
        ("submission,student\nx,u1\nX,u2\n", "row 3: 'X' is there already, with another student. Keep one."),
        ('submission,student\n"x,u1\n', "cannot be read as a CSV file"),
    ],
)
def test_a_table_that_is_wrong_is_refused(course: Path, content: str, words: str) -> None:
    put(course, "u4.ipynb")
    (course / "map.csv").write_text(content)
    run = called(course, "grade", "in", "--roster-map", "map.csv")
    assert run.returncode == 2 and words in run.stderr


def test_who_is_in_the_gradebook_and_not_in_the_class_list_is_a_warning(tmp_path: Path) -> None:
    course = recorded(tmp_path, a_tiny_grade("alice"), a_tiny_grade("u4"), a_tiny_grade("Rick Roe"))
    (course / "roster.csv").write_text(OWN)
    run = called(course, "report", "--roster", "roster.csv")
    assert "tiny has students who are not in the class list: alice." in run.stderr
    assert "tiny has one person of the class list under several names: Rick Roe, u4." in run.stderr
    assert "Rename with: gradetape rename student OLD NEW" in run.stderr


def test_the_gradebook_and_the_class_list_may_not_name_two_people_for_one_id(course: Path) -> None:
    put(course, "Rick Roe_10001_1_hw.ipynb")
    config = (course / "grader_config.yml").read_text()
    (course / "grader_config.yml").write_text(config.replace("roster: roster.csv\n", ""))
    assert called(course, "grade", "in", "--json").returncode == 0
    (course / "grader_config.yml").write_text(config)
    run = called(course, "grade", "in")
    assert run.returncode == 2
    assert "The gradebook has Rick Roe (10001) as 'Rick Roe', and the class list as 'Jane Doe (u1)'." in run.stderr
    assert "Correct the class list, or rename the student: gradetape rename student" in run.stderr
    called(course, "rename", "student", "Rick Roe", "Jane Doe (u1)")
    assert called(course, "grade", "in").returncode == 0


def test_a_person_keeps_a_name_of_the_gradebook_that_is_nobody_elses(course: Path) -> None:
    put(course, "doejane_10001_1_hw.ipynb")
    config = (course / "grader_config.yml").read_text()
    (course / "grader_config.yml").write_text(config.replace("roster: roster.csv\n", ""))
    called(course, "grade", "in")
    (course / "grader_config.yml").write_text(config)
    run = called(course, "grade", "in", "--json")
    assert run.returncode == 0 and set(by_student(run)) == {"doejane"}
    assert "Jane Doe (u1)" not in {each["student"] for each in json.loads(run.stdout)["no_submission"]}


def zipped(path: Path, *names: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, right(number + 50))


def test_what_a_student_names_like_somebody_else_stays_the_students(course: Path) -> None:
    put(course, "Zoë Müller/u4.ipynb", "Zoë Müller/notes/rroe.txt")
    zipped(course / "in" / "jdoe" / "rroe.zip", "Rick Roe/u4.ipynb")
    zipped(
        course / "in" / "jdoe2" / "u4.zip", "roerick_10004_90001_hw.ipynb", "Rick Roe_7_assignsubmission_file_/hw.ipynb"
    )
    run = called(course, "grade", "in", "--json")
    found = {name: each["status"] for name, each in by_student(run).items()}
    assert found == {"Zoë Müller": "graded", "Jane Doe (u1)": "graded", "Jane Doe (u2)": "unreadable"}
    assert [each["student"] for each in json.loads(run.stdout)["no_submission"]] == ["Rick Roe"]


def test_the_id_of_a_platform_is_none_in_a_plain_folder(course: Path) -> None:
    put(course, "10001.ipynb", "octojane.ipynb")
    run = called(course, "grade", "in")
    assert run.returncode == 2 and "10001: no row has this id" in run.stderr and "octojane: no row" in run.stderr


def test_an_unreadable_file_of_nobody_is_told_and_stops_nobody(course: Path) -> None:
    put(course, "u4.ipynb")
    (course / "in" / "stranger.ipynb").write_text("")
    run = called(course, "grade", "in", "--json")
    assert run.returncode == 1 and by_student(run)["Rick Roe"]["points"] == 5
    assert "not in the class list, and without points anyway: stranger" in run.stderr


def test_the_class_list_is_no_submission_and_no_worker_may_read_it(course: Path) -> None:
    put(course, "u4.ipynb")
    (course / "in" / "rroe.py").hardlink_to(course / "roster.csv")
    (course / "in" / "u4.ipynb").unlink()
    run = called(course, "grade", "in", "--assignment", "tiny", "--json")
    assert by_student(run)["Rick Roe"]["status"] == "unreadable"
    assert "hard link to" in by_student(run)["Rick Roe"]["reason"]
