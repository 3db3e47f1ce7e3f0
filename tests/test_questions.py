"""Questions are added, renamed, removed and copied in all places at once, or nowhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gradetape import scaffold
from gradetape.course import assignments as course
from gradetape.course.answer_key import answer_key
from gradetape.course.gradable import GradableAssignment
from gradetape.errors import CourseError
from gradetape.gradebook import Gradebook
from gradetape.records import Unreadable
from tests.course import called, tiny, write_files

LISTED = """\
# The first line.
title: "A tiny assignment"   # in quotes
questions:
  # one
  q01_double: 3     # three points
  # two
  q02_halve: 2

# after the questions
data: [table.csv, q01_double/numbers.csv]
"""
WAIVERS = """\
# honest checks
- question: q01_double
  adversary: zeros
  checks: [hidden::test_any]
  reason: It trains a model.

# another
- question: q02_halve
  adversary: zeros
  checks: [hidden::test_odd]
  reason: It trains a model as well.
"""
PLAIN = LISTED.replace(", q01_double/numbers.csv", "")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The tiny course, whose first question has every part that a question can have."""
    root = tiny(tmp_path / "course")
    parts = {
        "assignments/tiny/assignment.yml": PLAIN,
        "assignments/tiny/table.csv": "1\n",
        "assignments/tiny/q01_double/numbers.csv": "2\n",
        "solutions/tiny/variants/q01_double/with_times.py": "def double(x):\n    return 2 * x\n",
        "solutions/tiny/mutants/q01_double/plus_two.py": '"""Adds two."""\n# fails: hidden::test_any\n',
        "solutions/tiny/mutants/q01_double.yml": "- name: not_at_all\n",
        "solutions/tiny/equivalents/q01_double.yml": "[]\n",
        "solutions/tiny/notes/q01_double.md": "Twice.\n",
        "solutions/tiny/notes/q02_halve.md": "The inverse of q01_double.\n",
        "student/tiny/README.md": "",
    }
    return write_files(root, parts)


def files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def names(root: Path, word: str) -> list[str]:
    return [name for name in sorted(files(root)) if word in name]


def test_a_question_is_renamed_in_all_places(root: Path) -> None:
    before = files(root)
    run = called(root, "rename", "question", "q01", "q07_twice")
    assert run.returncode == 0, run.stderr
    assert names(root, "q01_double") == []
    assert {name.replace("q07_twice", "q01_double") for name in files(root)} == set(before)
    assert "solutions/tiny/mutants/q01_double.yml -> solutions/tiny/mutants/q07_twice.yml" in run.stdout
    assert "q01_double is still named in solutions/tiny/notes/q02_halve.md. Change these by hand." in run.stdout
    assert "Next: gradetape verify tiny, then gradetape release tiny" in run.stdout
    listed = (root / "assignments/tiny/assignment.yml").read_text()
    assert listed == PLAIN.replace("q01_double", "q07_twice")
    assert answer_key(course.find(root), course.find(root).assignment("tiny")).patches("q07_twice").is_file()


def test_data_in_a_questions_folder_is_renamed_and_removed_with_it(root: Path) -> None:
    listed = root / "assignments/tiny/assignment.yml"
    listed.write_text(LISTED)
    assert called(root, "rename", "question", "q01", "q07_twice").returncode == 0
    assert "data: [table.csv, q07_twice/numbers.csv]" in listed.read_text()
    assert called(root, "remove", "question", "q07").returncode == 0
    assert "data: [table.csv]" in listed.read_text()
    assert "# The first line." in listed.read_text() and "# after the questions" in listed.read_text()
    assert course.find(root).assignment("tiny").question_ids == ("q02_halve",)


def test_a_question_is_removed_from_all_places(root: Path) -> None:
    run = called(root, "remove", "question", "q01_double")
    assert run.returncode == 0, run.stderr
    assert "solutions/tiny/equivalents/q01_double.yml removed" in run.stdout
    assert names(root, "q01_double") == [] and names(root, ".new-") == []
    kept = PLAIN.replace("  q01_double: 3     # three points\n", "")
    assert (root / "assignments/tiny/assignment.yml").read_text() == kept
    assert GradableAssignment.open(course.find(root), "tiny").assignment.question_ids == ("q02_halve",)


def test_the_only_question_of_an_assignment_stays(root: Path) -> None:
    assert called(root, "remove", "question", "q01").returncode == 0
    run = called(root, "remove", "question", "q02")
    assert run.returncode == 2
    assert "q02_halve is the only question of tiny, which needs at least one" in run.stderr
    assert names(root, "q02_halve")


@pytest.mark.parametrize("verb", [("rename", "question", "q01", "q07_twice"), ("remove", "question", "q01")])
def test_a_dry_run_lists_and_changes_nothing(root: Path, verb: tuple[str, ...]) -> None:
    before = files(root)
    run = called(root, *verb, "--dry-run")
    assert run.returncode == 0, run.stderr
    assert (
        "solutions/tiny/variants/q01_double" in run.stdout and "assignments/tiny/assignment.yml changed" in run.stdout
    )
    assert "Nothing was changed, since this is a dry run." in run.stdout
    assert files(root) == before


@pytest.mark.parametrize("verb", [("rename", "question", "q01", "q07_twice"), ("remove", "question", "q01")])
@pytest.mark.parametrize("results", ["results", "elsewhere"])
def test_what_has_results_is_changed_only_with_force(root: Path, verb: tuple[str, ...], results: str) -> None:
    with Gradebook.open(root / results / "gradebook.sqlite") as book:
        book.record(Unreadable(student="ada", file="ada.ipynb", sha256="ab", reason="It is empty."), "tiny")
    before = files(root)
    options = () if results == "results" else ("--results", results)
    run = called(root, *verb, *options)
    assert run.returncode == 2
    assert "tiny has results (of 1 student), in which the question has its former" in run.stderr
    assert "grade the submissions again" in " ".join(run.stderr.split())
    assert {name: text for name, text in files(root).items() if "sqlite" not in name} == {
        name: text for name, text in before.items() if "sqlite" not in name
    }
    assert called(root, *verb, *options, "--force").returncode == 0
    assert names(root, "q01_double") == []


def test_grades_of_another_assignment_do_not_matter(root: Path) -> None:
    with Gradebook.open(root / "results" / "gradebook.sqlite") as book:
        book.record(Unreadable(student="ada", file="ada.ipynb", sha256="ab", reason="It is empty."), "other")
    assert called(root, "remove", "question", "q01").returncode == 0


@pytest.mark.parametrize("step", range(9))
@pytest.mark.parametrize("verb", ["rename", "remove", "copy", "new"])
def test_a_failure_at_any_step_changes_nothing(
    root: Path, verb: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(root)
    found = course.find(root)
    calls = iter(range(step))

    def failing(source: Path, target: Path) -> None:
        if next(calls, "last") == "last":
            monkeypatch.undo()  # moving back works
            raise OSError(28, "No space left on device", str(target))
        source.replace(target)

    def change() -> None:
        monkeypatch.setattr("gradetape.scaffold.writing.move", failing)
        if verb == "new":
            scaffold.new_question(found, "tiny", "q05_new")
        elif verb == "copy":
            scaffold.make(found, scaffold.copy(found, ("tiny", "q01_double"), found, ("tiny", "q05_new")), found)
        else:
            planned = scaffold.rename(found, "tiny", "q01_double", "q05_new")
            scaffold.make(found, planned if verb == "rename" else scaffold.remove(found, "tiny", "q01_double"))

    if step < {"rename": 9, "remove": 9, "copy": 9, "new": 6}[verb]:
        with pytest.raises(CourseError, match=r"No space left on device\. Nothing was written"):
            change()
        assert files(root) == before


def test_waivers_follow_their_question(root: Path, tmp_path: Path) -> None:
    waivers = root / "solutions/tiny/waivers.yml"
    waivers.write_text(WAIVERS)
    run = called(root, "rename", "question", "q01", "q07_twice")
    assert "solutions/tiny/waivers.yml changed" in run.stdout
    assert waivers.read_text() == WAIVERS.replace("q01_double", "q07_twice")
    other = tiny(tmp_path / "other")
    assert called(other, "copy", "question", "../course/tiny/q07", "--as", "q09_twice").returncode == 0
    copied = (other / "solutions/tiny/waivers.yml").read_text()
    assert "question: q09_twice" in copied and "q02_halve" not in copied
    assert called(root, "remove", "question", "q07").returncode == 0
    assert "q07_twice" not in waivers.read_text() and "question: q02_halve" in waivers.read_text()
    assert waivers.read_text().startswith("# honest checks\n")
    assert called(root, "copy", "question", "tiny/q02", "--as", "q03_again").returncode == 0
    assert waivers.read_text().count("It trains a model as well.") == 2
    assert called(root, "remove", "question", "q02").returncode == 0
    assert called(other, "remove", "question", "q09").returncode == 0
    assert not (other / "solutions/tiny/waivers.yml").exists()


def test_a_new_question_follows_the_one_that_is_named(root: Path) -> None:
    run = called(root, "new", "question", "tiny", "q03_thirds", "--after", "q01")
    assert run.returncode == 0, run.stderr
    assert course.find(root).assignment("tiny").question_ids == ("q01_double", "q03_thirds", "q02_halve")
    listed = (root / "assignments/tiny/assignment.yml").read_text()
    assert listed == PLAIN.replace("# three points\n", "# three points\n  q03_thirds: 2\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title: Tiny\nquestions:\n", "title: Tiny\nquestions:\n  q03_thirds: 2\n"),
        ("title: Tiny\nquestions: {}\n# end\n", "title: Tiny\nquestions:\n  q03_thirds: 2\n# end\n"),
        ("title: Tiny\n", "title: Tiny\nquestions:\n  q03_thirds: 2\n"),
    ],
)
def test_an_assignment_without_questions_gets_its_first(tmp_path: Path, text: str, expected: str) -> None:
    root = tiny(tmp_path / "course")
    for folder in ("assignments/tiny", "solutions/tiny", "autograder/tiny"):
        shutil.rmtree(root / folder)
    (root / "assignments/tiny").mkdir()
    (root / "assignments/tiny/introduction.md").write_text("# Tiny\n")
    (root / "assignments/tiny/assignment.yml").write_text(text)
    run = called(root, "new", "question", "tiny", "q03_thirds")
    assert run.returncode == 0, run.stderr
    assert (root / "assignments/tiny/assignment.yml").read_text() == expected
    assert course.find(root).assignment("tiny").question_ids == ("q03_thirds",)


def test_a_course_without_assignments_gets_its_first(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    for folder in ("assignments", "solutions", "autograder/tiny"):
        shutil.rmtree(root / folder)
    for name in ("week-1", "week-2"):
        run = called(root, "new", "assignment", name)
        assert run.returncode == 0, run.stderr
    assert course.find(root).names() == ("week-1", "week-2")


@pytest.mark.parametrize("flow", [True, False])
def test_questions_on_one_line_are_changed_as_well(root: Path, flow: bool) -> None:
    listed = root / "assignments/tiny/assignment.yml"
    listed.write_text("title: Tiny\nquestions: {q01_double: 3, q02_halve: 2}\n# end\n" if flow else PLAIN)
    for verb in (
        ("rename", "question", "q01", "q07_twice"),
        ("new", "question", "tiny", "q08_new", "--after", "q07"),
        ("remove", "question", "q07"),
    ):
        run = called(root, *verb)
        assert run.returncode == 0, run.stderr
    assert course.find(root).assignment("tiny").question_ids == ("q08_new", "q02_halve")
    assert "# end" in listed.read_text() or not flow


def test_a_question_is_copied_from_another_course_with_all_its_parts(root: Path, tmp_path: Path) -> None:
    other = tiny(tmp_path / "other")
    run = called(other, "copy", "question", "../course/tiny/q01", "--as", "q05_again", "--after", "q01")
    assert run.returncode == 0, run.stderr
    copied = {name.replace("q05_again", "q01_double"): text for name, text in files(other).items() if "q05" in name}
    assert copied == {name: text for name, text in files(root).items() if "q01_double" in name}
    assignment = course.find(other).assignment("tiny")
    assert assignment.question_ids == ("q01_double", "q05_again", "q02_halve")
    assert assignment.questions[1].points == 3


def test_the_data_files_in_a_questions_folder_are_released_with_its_copy(root: Path) -> None:
    folder = root / "assignments/tiny"
    (folder / "assignment.yml").write_text(LISTED)
    assert called(root, "copy", "question", "tiny/q01", "--as", "q03_again").returncode == 0
    data = course.find(root).assignment("tiny").data
    assert [path.relative_to(folder).as_posix() for path in data] == [
        "table.csv", "q01_double/numbers.csv", "q03_again/numbers.csv"
    ]  # fmt: skip


def test_a_question_is_copied_within_a_course(root: Path) -> None:
    assert called(root, "new", "assignment", "week-2").returncode == 0
    run = called(root, "copy", "question", "tiny/q02_halve", "--to", "week-2", "--dry-run")
    assert "assignments/tiny/q02_halve -> assignments/week-2/q02_halve" in run.stdout
    assert not (root / "assignments/week-2/q02_halve").exists()
    assert called(root, "copy", "question", "tiny/q02_halve", "--to", "week-2").returncode == 0
    assert course.find(root).assignment("week-2").question_ids == ("q01_first_question", "q02_halve")


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("rename", "question", "q01", "twice"), "is not a question id: use two digits and a name"),
        (("rename", "question", "q01", "q02_halve"), "tiny already has a question q02_halve. Choose another id"),
        (("rename", "question", "q09", "q10_x"), "there is no question q09"),
        (("rename", "question", "q01", "q10_x", "--assignment", "tin"), "There is no assignment 'tin'"),
        (("remove", "question", "q0"), "is a prefix of q01_double, q02_halve: write more of the id"),
        (("copy", "question", "q01"), "names no assignment: write COURSE/ASSIGNMENT/QUESTION"),
        (("copy", "question", "nowhere/tiny/q01"), "nowhere is not the folder of a course: there is no"),
        (("copy", "question", "tiny/q01"), "tiny already has a question q01_double. Choose another id"),
        (("new", "question", "tiny", "q03_x", "--after", "q09"), "there is no question q09"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused(root: Path, arguments: tuple[str, ...], advice: str) -> None:
    before = files(root)
    run = called(root, *arguments)
    assert run.returncode == 2
    assert advice in run.stderr
    assert files(root) == before


def test_a_stray_file_in_the_place_of_a_part_is_not_overwritten(root: Path) -> None:
    (root / "solutions/tiny/notes/q07_twice.md").write_text("mine")
    run = called(root, "rename", "question", "q01", "q07_twice")
    assert run.returncode == 2
    assert "solutions/tiny/notes/q07_twice.md already exists, and nothing was written" in run.stderr
    assert names(root, "q07_twice") == ["solutions/tiny/notes/q07_twice.md"]


def test_a_question_of_several_assignments_is_asked_for(root: Path) -> None:
    shutil.copytree(root / "assignments/tiny", root / "assignments/week-2")
    run = called(root, "remove", "question", "q01_double")
    assert run.returncode == 2
    assert "q01_double is in tiny, week-2: name the assignment with --assignment" in run.stderr
    run = called(root, "copy", "question", "tiny/q01", "--to", "week-2")
    assert "week-2 already has a question" in run.stderr


def test_a_copy_needs_an_assignment(root: Path, tmp_path: Path) -> None:
    other = tiny(tmp_path / "other")
    (other / "assignments/tiny").rename(other / "assignments/week-1")
    shutil.copytree(other / "assignments/week-1", other / "assignments/week-2")
    run = called(other, "copy", "question", "../course/tiny/q01")
    assert run.returncode == 2
    assert "this course has no assignment 'tiny': name the one to copy to with --to (week-1, week-2)" in run.stderr
