"""Every mistake that a person can make is provoked once: it is reported without a traceback, and with the next step."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from gradetape.cli import cli
from gradetape.grading.batch import Batch
from gradetape.grading.selection import of_assignment
from gradetape.records import Status
from tests.books import recorded
from tests.course import DOUBLE, by_student, called, tiny
from tests.factories import a_tiny_grade
from tests.submissions import script


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return tiny(tmp_path / "course")


def _append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


# A mistake in a course, the command that finds it, and its message


def _no_assignments(course: Path) -> None:
    (course / "assignments").rename(course / "assignment")


def _latin_config(course: Path) -> None:
    (course / "grader_config.yml").write_bytes("course: Übung".encode("latin-1"))


def _a_folder_for_the_config(course: Path) -> None:
    (course / "assignments" / "tiny" / "assignment.yml").unlink()
    (course / "assignments" / "tiny" / "assignment.yml").mkdir()


def _no_deadline_zone(course: Path) -> None:
    _append(course / "assignments" / "tiny" / "assignment.yml", "deadline: 2026-10-01T23:59:00\n")


def _mutant(text: str) -> Callable[[Path], None]:
    def spoil(course: Path) -> None:
        folder = course / "solutions" / "tiny" / "mutants" / "q01_double"
        folder.mkdir(parents=True)
        (folder / "wrong.py").write_text(text)

    return spoil


def _public_check(text: str) -> Callable[[Path], None]:
    def spoil(course: Path) -> None:
        (course / "assignments" / "tiny" / "q01_double" / "test_public.py").write_text(text)

    return spoil


def _a_folder_for_a_mutant(course: Path) -> None:
    (course / "solutions" / "tiny" / "mutants" / "q01_double" / "wrong.py").mkdir(parents=True)


def _no_title(course: Path) -> None:
    (course / "assignments" / "tiny" / "q01_double" / "prompt.md").write_text("Double a number.\n")


def _a_reference_that_python_cannot_read(course: Path) -> None:
    (course / "solutions" / "tiny" / "q02_halve.py").write_text("x = 1\n# %%\ndef halve(x):\n    return x /\n")


def _a_stranger(course: Path) -> None:
    (course / "assignments" / "tiny" / "drafts").mkdir()


def _a_question_without_a_folder(course: Path) -> None:
    path = course / "assignments" / "tiny" / "assignment.yml"
    path.write_text(path.read_text().replace("q02_halve:", "q02_halve: 2\n  q09_zzz:"))


def _a_directive_for_otter(course: Path) -> None:
    _append(course / "assignments" / "tiny" / "q01_double" / "starter.py", "\n# %%\nx = 1 # SEED\n")


@pytest.mark.parametrize(
    ("spoil", "verb", "words"),
    [
        (_no_assignments, "verify", "Create an assignment: gradetape new assignment NAME"),
        (_latin_config, "verify", "grader_config.yml is not UTF-8 text. Save it as UTF-8."),
        (_a_folder_for_the_config, "release", "assignments/tiny/assignment.yml cannot be read"),
        (_no_title, "release", "prompt.md has no title. Begin it with a heading"),
        (
            _a_stranger,
            "release",
            "assignments/tiny/drafts is not among the questions in assignments/tiny/assignment.yml. Move it",
        ),
        (_a_question_without_a_folder, "release", "but assignments/tiny/q09_zzz is missing. Remove the line"),
        (_a_folder_for_a_mutant, "verify", "q01_double/wrong.py cannot be read: Is a directory. Make it a text file"),
        (
            _a_reference_that_python_cannot_read,
            "verify",
            "q02_halve.py, line 4: invalid syntax. Correct it; a reference is plain Python",
        ),
        (
            _no_deadline_zone,
            "release",
            "line 5: 'deadline' is '2026-10-01T23:59:00': write an ISO time",
        ),
        (_mutant("def double(x:\n"), "verify", "line 1: '(' was never closed. Correct it."),
        (_mutant("def double(x): ...\n"), "verify", "begins with a docstring that names its misconception"),
        (_mutant('"""Wrong."""\n'), "verify", "add a line such as '# fails: hidden::test_x'"),
        (_mutant('"""Wrong."""\n# fails: test_two\n'), "verify", "write checks as public::test_x or hidden::test_x"),
        (_public_check("def test_two(:\n"), "release", "Correct it and release again"),
        (_public_check("x = 1\n"), "release", "Write at least one function test_"),
        (_a_directive_for_otter, "release", "Remove the text that it reads as a directive"),
    ],
)
def test_a_mistake_in_a_course_is_reported_before_anything_is_run(
    course: Path, spoil: Callable[[Path], None], verb: str, words: str
) -> None:
    spoil(course)
    run = called(course, verb)
    assert run.returncode == 2
    assert words in run.stderr and "Traceback" not in run.stderr


def _no_assignment_yet(course: Path) -> None:
    shutil.rmtree(course / "assignments" / "tiny")


def _a_file_for_the_students_folder(course: Path) -> None:
    (course / "student").write_text("mine")


def _a_file_for_the_assignments(course: Path) -> None:
    _no_assignment_yet(course)
    (course / "assignments").rmdir()
    (course / "assignments").write_text("mine")


def _a_file_for_the_answer_key(course: Path) -> None:
    shutil.rmtree(course / "autograder")
    (course / "autograder").write_text("mine")


def _files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("spoil", "line", "words"),
    [
        (
            _no_assignment_yet,
            "verify",
            "There is no assignment in assignments/ yet. Create one: gradetape new assignment",
        ),
        (_no_assignment_yet, "release", "There is no assignment in assignments/ yet"),
        (_a_file_for_the_students_folder, "release", "student should be a folder that you may write to"),
        (_a_file_for_the_assignments, "new assignment week", "Nothing was written: use a folder that you"),
        (_a_file_for_the_answer_key, "new assignment week", "course/autograder cannot be written: File exists"),
        (
            _a_file_for_the_answer_key,
            "new question tiny q03_x",
            "course/autograder/tiny cannot be written: Not a directory",
        ),
    ],
)
def test_where_a_folder_should_be_something_else_is_left_as_it_is(
    course: Path, spoil: Callable[[Path], None], line: str, words: str
) -> None:
    spoil(course)
    before = _files(course)
    run = called(course, *line.split())
    assert (run.returncode, run.stdout) == (2, "")
    assert words in run.stderr and "Traceback" not in run.stderr
    assert _files(course) == before


def test_what_otter_cannot_build_is_reported_with_the_next_step(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    run = called(course, "release")
    assert (run.returncode, run.stdout) == (2, "")
    assert (
        "otter assign did not build the notebook: no message. Remove the text that it reads as a directive"
        in run.stderr
    )


TEXTS = {
    "assignments/tiny/introduction.md": "release",
    "assignments/tiny/q01_double/prompt.md": "release",
    "assignments/tiny/q01_double/starter.py": "grade",
    "assignments/tiny/q01_double/test_public.py": "release",
    "solutions/tiny/q01_double.py": "verify",
    "solutions/tiny/variants/q01_double/twice.py": "verify",
    "solutions/tiny/mutants/q01_double/wrong.py": "verify",
    "autograder/tiny/test_q01_double.py": "grade",
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_of_a_course_in_another_encoding_is_named_before_anything_is_run(course: Path, text: str) -> None:
    (course / "a.py").write_text(DOUBLE)
    (course / text).parent.mkdir(parents=True, exist_ok=True)
    (course / text).write_bytes("# Übung\n".encode("latin-1"))
    verb = TEXTS[text]
    run = called(course, verb, *(["a.py", "--assignment", "tiny"] if verb == "grade" else []))
    assert (run.returncode, run.stdout) == (2, "")
    assert f"{text} is not UTF-8 text (byte 2). Save it as UTF-8." in run.stderr and "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verify", "--json", "tiny", "tiny"], "--json describes one assignment: name it"),
        (["verify", "tinny"], "Did you mean 'tiny'?"),
        (["release", "tiny/../tiny"], "Assignments: tiny."),
        (["grade", "a.py", "--isolation", "sometimes"], "'namespaces'"),
        (["grade", "a.py", "--workers", "0"], "1<=x<=512"),
        (["grade"], "Missing argument 'PATHS...'"),
        (["graed"], "No such command 'graed'"),
        (
            ["new", "assignment", "week", "--from", "latin.md"],
            "in position 5: invalid continuation byte. Save it as UTF-8",
        ),
        (["new", "assignment", "week", "--from", "a.py"], "a.py has no numbered questions. Write each as '1. **The"),
        (["new", "question", "tiny", "q01_double"], "tiny already has a question q01_double. Choose another id"),
        (
            ["grade", "a.py", "--question", "q01_duoble", "--assignment", "tiny"],
            "there is no question q01_duoble. Did you mean 'q01_double'?",
        ),
        (["new", "assignment", "week 1"], "use letters, digits, - and _, as in week-3"),
        (["new", "question", "tiny", "q03 Ünïcode 🎓"], "use two digits and a name, as in q05_custom_loss"),
    ],
)
def test_a_mistake_in_a_command_is_reported_with_what_to_write(course: Path, arguments: list[str], words: str) -> None:
    (course / "a.py").write_text(DOUBLE)
    (course / "latin.md").write_bytes("1. **Übung?**".encode("latin-1"))
    run = called(course, *arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert words in run.stderr and "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--device=gpu", "--device cpu, or auto"),
        ("--isolation=container", "Install one (apt-get install podman), or grade with --isolation namespaces"),
    ],
)
def test_what_this_machine_lacks_is_reported_with_what_to_do(
    course: Path, monkeypatch: pytest.MonkeyPatch, option: str, words: str
) -> None:
    (course / "a.py").write_text(DOUBLE)
    monkeypatch.setenv("PATH", str(course))
    run = called(course, "grade", "a.py", "--assignment", "tiny", option)
    assert (run.returncode, run.stdout) == (1, "")
    assert words in run.stderr and "Traceback" not in run.stderr
    assert "To check this machine, run gradetape doctor" in run.stderr


GRADE_IN_CONTAINER = "grade a.py --assignment tiny --isolation container"


@pytest.mark.parametrize(
    ("podman", "line", "words"),
    [
        (
            "echo none of that name >&2; exit 125",
            GRADE_IN_CONTAINER,
            "podman has no image localhost/gradetape:latest: none of",
        ),
        ("echo none of that name >&2; exit 125", "image check", "Build it with `gradetape image build`, or name"),
        (
            "[ $1 = image ] || { echo no space >&2; exit 1; }",
            GRADE_IN_CONTAINER,
            "does not answer: no space. Try: podman info",
        ),
        (
            "[ $1 = image ] || { echo no python3 >&2; exit 127; }",
            "image check",
            "does not run: no python3. Rebuild it",
        ),
        ("exit 1", "image build", "podman could not build localhost/gradetape:latest. Fix the error above"),
        (None, GRADE_IN_CONTAINER, "podman cannot be run: [Errno 8] Exec format error"),
    ],
)
def test_what_an_engine_refuses_is_reported_with_what_to_do(
    course: Path, monkeypatch: pytest.MonkeyPatch, podman: str | None, line: str, words: str
) -> None:
    (course / "a.py").write_text(DOUBLE)
    program = course / "podman"
    program.write_text("" if podman is None else f"#!/bin/sh\n{podman}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(course))
    run = called(course, *line.split())
    assert run.returncode == 1
    assert words in run.stderr and "Traceback" not in run.stderr


def test_a_warning_about_grading_without_isolation_comes_before_anything_starts(course: Path) -> None:
    (course / "a.py").write_text(DOUBLE)
    run = called(course, "grade", "a.py", "--assignment", "tiny", "--isolation", "none", "--out", "a.py")
    assert "WARNING: no isolation: code in a submission can read and change whatever you can" in run.stderr
    assert "The folder a.py cannot be created: File exists. Choose another folder with --out" in run.stderr


def test_of_many_files_that_nobody_can_place_some_are_named_and_the_rest_counted(course: Path) -> None:
    (course / "in").mkdir()
    for number in range(23):
        (course / "in" / f"s{number}.py").write_text(DOUBLE)
    run = called(course, "grade", "in")
    assert (run.returncode, run.stdout) == (2, "")
    assert "None of these files can be graded, and none names its assignment" in run.stderr
    assert "name it with --assignment" in run.stderr and run.stderr.endswith("\n… and 3 more\n")


def test_what_needs_a_person_is_reported_at_the_end(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = replace(a_tiny_grade("ada"), attention=("the zygote has ended",), status=Status.NEEDS_ATTENTION)
    odd = replace(a_tiny_grade("bob"), review=("its cells replaced np.mean", "its cells replaced np.sum"))
    monkeypatch.setattr("gradetape.grading.batch.BatchGrader.run", lambda *_, **__: Batch([broken, odd], [], 2))
    (course / "a.py").write_text(DOUBLE)
    run = called(course, "grade", "a.py", "--assignment", "tiny")
    assert run.returncode == 1
    assert "needs attention: ada: the zygote has ended" in run.stderr
    assert "not final; grade again to retry them. Test the checks with gradetape verify" in run.stderr
    assert "for review: bob: its cells replaced np.mean and 1 more" in run.stderr


def test_a_check_file_that_ends_the_judge_is_reported_with_the_command_that_shows_why(course: Path) -> None:
    (course / "a.py").write_text(DOUBLE)
    (course / "autograder" / "tiny" / "test_q02_halve.py").write_text("import os\nos._exit(3)\n")
    run = called(course, "grade", "a.py", "--assignment", "tiny")
    assert run.returncode == 1
    assert "Run pytest autograder/ to see why" in run.stderr and "Traceback" not in run.stderr


# Gradebooks


def test_a_gradebook_of_a_newer_version_is_reported(tmp_path: Path) -> None:
    course = recorded(tmp_path, a_tiny_grade("alice"))
    place = course / "results" / "gradebook.sqlite"
    with sqlite3.connect(place) as book:
        book.execute("UPDATE meta SET value = '99' WHERE name = 'schema'")
    book.close()
    before = place.read_bytes()
    run = called(course, "show", "alice")
    assert (run.returncode, run.stdout) == (2, "")
    assert "Update gradetape, or choose another folder with --out or --results" in run.stderr
    assert "Traceback" not in run.stderr and place.read_bytes() == before


def test_a_file_for_the_folder_of_results_is_left_as_it_is(tmp_path: Path) -> None:
    course = recorded(tmp_path, a_tiny_grade("alice"))
    (course / "mine").write_text("mine")
    (course / "a.py").write_text(DOUBLE)
    for line in ("report --out mine", "report --results mine", "grade a.py --assignment tiny --out mine"):
        run = called(course, *line.split())
        assert (run.returncode, run.stdout) == (2, ""), line
        assert "--out" in run.stderr or "--results" in run.stderr
    assert (course / "mine").read_text() == "mine"


def test_a_gradebook_that_another_program_locks_is_reported(tmp_path: Path) -> None:
    course = recorded(tmp_path, a_tiny_grade("alice"))
    other = sqlite3.connect(course / "results" / "gradebook.sqlite", isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        run = called(course, "override", "alice", "q01_double", "1", "--reason", "r")
    finally:
        other.close()
    assert (run.returncode, run.stdout) == (2, "")
    assert "is locked by another program. Close that program" in run.stderr and "Traceback" not in run.stderr
    assert called(course, "override", "--list").stderr == "There are no overrides.\n"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://host:port/grades", "cannot be parsed. Write postgresql://"),
        ("postgresql+nothing://host/grades", "Check its name"),
        ("sqlite:////proc/none/grades.sqlite", "Choose another folder with --out"),
        ("mysql://host/grades", "write sqlite:///file or postgresql://user@host/name"),
    ],
)
def test_a_gradebooks_url_that_leads_nowhere_is_reported(course: Path, url: str, words: str) -> None:
    (course / "grader_config.yml").write_text(f"gradebook: '{url}'\n")
    run = called(course, "export", "csv")
    assert (run.returncode, run.stdout) == (2, "")
    assert words in run.stderr and "Traceback" not in run.stderr


def test_a_gradebook_for_which_a_package_is_missing_names_it(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (course / "grader_config.yml").write_text("gradebook: postgresql+asyncpg://host/grades\n")
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    monkeypatch.chdir(course)
    error = CliRunner().invoke(cli, ["export", "csv"]).exception
    assert 'pip install "psycopg[binary]"' in str(error)


def test_a_user_without_a_known_name_is_asked_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(recorded(tmp_path, a_tiny_grade("alice")))
    monkeypatch.setattr("getpass.getuser", _nobody)
    run = CliRunner().invoke(cli, ["override", "alice", "q01_double", "1", "--reason", "r"])
    assert run.exit_code == 2 and "your user name is unknown on this system: pass it with --by NAME" in run.stderr


def test_a_blank_name_is_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = recorded(tmp_path, a_tiny_grade("alice"))
    monkeypatch.setattr("getpass.getuser", lambda: "ana")
    assert called(course, "override", "alice", "q01_double", "1", "--reason", "r", "--by", " ").returncode == 0
    assert " ana, in tiny: alice: 1 point" in called(course, "override", "--list").stdout


def _nobody() -> str:
    raise KeyError("getpwuid(): uid not found")


# Submissions of something else


def test_a_submission_of_another_assignment_is_reported_with_the_option_that_grades_it() -> None:
    made = [script(name, DOUBLE, assignment=of) for name, of in (("ada", "a"), ("bob", "a"), ("cy", "b"))]
    name, good, others = of_assignment(made, None)
    assert (name, [each.student for each in good]) == ("a", ["ada", "bob"])
    assert [each.reason for each in others] == ["It belongs to another assignment. Grade it with --assignment b."]


# Names


def test_submissions_of_any_name_are_graded_and_shown_as_text(course: Path) -> None:
    names = ["with spaces", "émile 🎓", "\u202edetrever", "a;b", "$(touch x)", "-dash", "[bold]"]
    folder = course / "handed in"
    folder.mkdir()
    for name in names:
        (folder / f"{name}.py").write_text(DOUBLE)
    run = called(course, "grade", folder, "--assignment", "tiny", "--json")
    students = by_student(run)
    assert (run.returncode, len(students)) == (0, len(names))
    assert "\u202e" not in run.stderr + run.stdout and not (course / "x").exists()
    for student in students:
        shown = called(course, "show", "--staff", "--", student)
        assert f"{student}: 3 of 5 points in tiny" in shown.stdout
        assert "\u202e" not in shown.stdout


def test_a_folder_that_is_no_course_is_reported_by_every_verb(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(DOUBLE)
    verbs = [
        "verify", "release", "grade a.py", "show a", "report", "export csv", "override --list", "new assignment a",
        "new question a q01_b",
    ]  # fmt: skip
    for verb in verbs:
        run = called(tmp_path, *verb.split())
        assert (run.returncode, run.stdout) == (2, ""), verb
        assert "There is no grader_config.yml" in run.stderr and "gradetape init" in run.stderr
    assert os.listdir(tmp_path) == ["a.py"]
