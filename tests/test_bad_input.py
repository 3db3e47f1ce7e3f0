"""Every mistake in submissions, course files and commands gets a clear message with the next step; nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from nbformat import v2, v3

from tests.course import DOUBLE, HALVE, by_student, called, command, gradetape, notebook, tiny

GOOD = notebook(DOUBLE, HALVE)


def slow(student: str) -> str:
    """A slow notebook of a student's own: the same cells would be judged once."""
    return notebook(DOUBLE, HALVE, "import time\ntime.sleep(1)", f"# {student}")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    root = tiny(tmp_path / "course")
    (root / "handed_in").mkdir()
    return root


def _old(form: Any, source: str) -> str:
    sheet = form.new_worksheet(cells=[form.new_code_cell(input=source)])
    return str(form.writes_json(form.new_notebook(worksheets=[sheet])))


# Files that are no submissions


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """One batch with everything in it that students hand in by mistake."""
    root = tiny(tmp_path_factory.mktemp("mixed") / "course")
    folder = root / "handed_in"
    folder.mkdir()
    for name, text in {
        "good.ipynb": GOOD,
        "letter.ipynb": "Dear teacher, this is my homework.",
        "cut_off.ipynb": GOOD[: len(GOOD) // 2],
        "nothing.ipynb": "",
        "format_2.ipynb": _old(v2, HALVE),
        "format_3.ipynb": _old(v3, DOUBLE),
        "Zoe.ipynb": GOOD,
        "zoe.py": DOUBLE,
        "nobody.py": "",
    }.items():
        (folder / name).write_text(text)
    with zipfile.ZipFile(folder / "two.zip", "w") as packed:
        packed.writestr("first.ipynb", GOOD)
        packed.writestr("second.ipynb", f"{GOOD}\n")  # other bytes, so that it is no copy
    (root / "essay.docx").write_bytes(b"PK\3\4")
    return gradetape(root, "grade", "handed_in", "essay.docx", "--assignment", "tiny", "--json")


def test_the_good_files_are_graded_and_the_exit_status_reports_the_others(
    mixed: subprocess.CompletedProcess[str],
) -> None:
    results = by_student(mixed)
    graded = {student: found["points"] for student, found in results.items() if found["status"] == "graded"}
    assert graded == {"good": 5, "format_2": 2, "format_3": 3}
    assert {found["max_points"] for found in results.values()} == {5}
    assert mixed.returncode == 1


@pytest.mark.parametrize(
    ("student", "reason", "advice"),
    [
        ("letter", "JSON is broken or cut off", "save it again"),
        ("cut_off", "JSON is broken or cut off", "save it again"),
        ("nothing", "is empty", "hand it in again"),
        ("nobody", "is empty", "hand it in again"),
        ("two", "holds 2 notebooks (first.ipynb, second.ipynb)", "Hand in the right one by itself"),
        ("Zoe", "have the same student name", "Rename one"),
        ("zoe", "have the same student name", "Rename one"),
        ("essay", "is not a notebook (.ipynb), script (.py) or zip", ""),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_what_to_do(
    mixed: subprocess.CompletedProcess[str], student: str, reason: str, advice: str
) -> None:
    found = by_student(mixed)[student]
    assert (found["status"], found["points"], found["questions"]) == ("unreadable", 0, {})
    assert reason in found["reason"] and advice in found["reason"]
    assert f"{found['file']}: {found['reason']}" in mixed.stderr


def test_without_an_assignment_in_the_metadata_the_option_is_named(course: Path) -> None:
    (course / "handed_in" / "ada.ipynb").write_text(notebook(DOUBLE, assignment=None))
    (course / "handed_in" / "bob.ipynb").write_text("no JSON")
    run = gradetape(course, "grade", "handed_in", "--json")
    assert (run.returncode, run.stdout) == (2, "")
    assert "--assignment" in run.stderr and "ada.ipynb" in run.stderr and "bob.ipynb" in run.stderr


def test_a_batch_in_which_nothing_can_be_read_is_still_reported_as_json(course: Path) -> None:
    (course / "handed_in" / "ada.ipynb").write_text("no JSON")
    run = gradetape(course, "grade", "handed_in", "--assignment", "tiny", "--json")
    assert (run.returncode, by_student(run)["ada"]["max_points"]) == (1, 5)
    assert "0 graded now, 0 graded before, 1 unreadable" in run.stderr
    assert "ada" in (course / "results" / "index.html").read_text()


def test_notebooks_that_name_another_assignment_than_the_option_are_counted_aloud(course: Path) -> None:
    for student, declared_assignment in (
        ("ada", "week-2"),
        ("bob", "week-2"),
        ("cy", "tiny"),
        ("dan", None),
        ("eve", "week-3"),
    ):
        (course / "handed_in" / f"{student}.ipynb").write_text(notebook(DOUBLE, HALVE, assignment=declared_assignment))
    run = gradetape(course, "grade", "handed_in", "--assignment", "tiny")
    assert run.returncode == 0
    assert "2 notebooks declare the assignment week-2; they are graded as tiny, as --assignment says" in run.stderr
    assert "1 notebook declares the assignment week-3; it is graded as tiny" in run.stderr


def test_other_files_beside_the_submissions_are_reported(course: Path) -> None:
    (course / "handed_in" / "ada.ipynb").write_text("no JSON")
    (course / "handed_in" / "essay.pdf").write_text("%PDF")
    run = called(course, "grade", "handed_in", "--assignment", "tiny", "--json")
    assert set(by_student(run)) == {"ada"}
    assert "ignored, since they are not submissions: essay.pdf" in run.stderr


def test_files_left_out_for_another_file_of_the_same_student_are_reported(course: Path) -> None:
    (course / "handed_in" / "ada").mkdir()
    (course / "handed_in" / "ada" / "homework.ipynb").write_text(GOOD)
    (course / "handed_in" / "ada" / "helper.py").write_text(DOUBLE)
    run = gradetape(course, "grade", "handed_in", "--json")
    assert by_student(run)["ada"]["points"] == 5
    assert "not graded, since another file of the same student counts: ada (helper.py)" in run.stderr


def test_a_single_submission_can_be_given_a_student_name(course: Path) -> None:
    for student in ("-rf", "Zoë van der Berg"):
        (course / "handed_in" / "homework.ipynb").write_text("no JSON")
        run = called(course, "grade", "handed_in", "--student", student, "--assignment", "tiny", "--json")
        assert set(by_student(run)) == {student}
    (course / "handed_in" / "more.ipynb").write_text("no JSON")
    run = called(course, "grade", "handed_in", "--student", "ada", "--assignment", "tiny")
    assert (run.returncode, run.stdout) == (2, "")
    assert "--student names the student of one submission, but there are 2" in run.stderr
    run = called(course, "grade", "handed_in", "--assignment", "tiny", "--student", " ")
    assert run.returncode == 2 and "--student is empty: write the student's name" in run.stderr


# A course that is wrong


def test_a_check_file_with_a_syntax_error_costs_its_question(course: Path) -> None:
    (course / "autograder" / "tiny" / "test_q02_halve.py").write_text("def test_odd_number(student:\n")
    (course / "handed_in" / "ada.ipynb").write_text(GOOD)
    (course / "handed_in" / "bob.ipynb").write_text(GOOD)
    run = gradetape(course, "grade", "handed_in", "--json")
    ada = by_student(run)["ada"]
    points = {question_id: found["points"] for question_id, found in ada["questions"].items()}
    assert (run.returncode, ada["status"], points) == (1, "needs_attention", {"q01_double": 3, "q02_halve": 1})
    assert [check["verdict"] for check in ada["questions"]["q02_halve"]["checks"]] == ["passed", "fault"]
    assert "needs attention: ada, bob" in run.stderr
    assert "test_q02_halve.py, line 1" in run.stderr


def _without_a_reference(course: Path) -> None:
    (course / "solutions" / "tiny" / "q02_halve.py").unlink()


def _with_a_misspelt_question_id(course: Path) -> None:
    secret = course / "autograder" / "tiny"
    (secret / "test_q02_halve.py").rename(secret / "test_q02_havle.py")


def _with_an_unknown_key(course: Path) -> None:
    (course / "grader_config.yml").write_text("course: Mine\nworker: 2\n")


def _without_a_configuration(course: Path) -> None:
    (course / "grader_config.yml").unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_without_a_reference, ["q02_halve has no reference", "solutions/tiny/q02_halve.py is missing"]),
        (
            _with_a_misspelt_question_id,
            ["test_q02_havle.py does not belong to any question", "Did you mean 'test_q02_halve.py'?"],
        ),
        (_with_an_unknown_key, ["grader_config.yml, line 2", "unknown key 'worker'", "Did you mean 'workers'?"]),
        (_without_a_configuration, ["There is no grader_config.yml", "gradetape init"]),
    ],
)
def test_a_wrong_course_is_reported_with_the_place_and_the_fix(
    course: Path, spoil: Callable[[Path], None], words: list[str]
) -> None:
    (course / "handed_in" / "ada.ipynb").write_text(GOOD)
    spoil(course)
    run = gradetape(course, "grade", "handed_in", "--json")
    assert (run.returncode, run.stdout) == (2, "")
    assert [word for word in words if word not in run.stderr] == []
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.ipynb"], "'nowhere.ipynb' does not exist"),
        (["handed_in", "--assignment", "tinny"], "Did you mean 'tiny'?"),
        (["handed_in", "--question", "q01_duoble"], "Did you mean 'q01_double'?"),
        (["handed_in", "--out", "grader_config.yml/results"], "Choose another folder with --out"),
    ],
)
def test_a_wrong_command_is_reported_before_anything_starts(course: Path, arguments: list[str], words: str) -> None:
    (course / "handed_in" / "ada.ipynb").write_text(GOOD)
    run = gradetape(course, "grade", *arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert words in run.stderr and "Traceback" not in run.stderr


# A batch that is disturbed


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that holds a gradebook and a few grades, and no pages."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if _mount("-t", "tmpfs", "-o", "size=240k", "gradetape-test", disk) != 0:
        pytest.skip("only root can make a disk that is soon full")
    yield disk
    subprocess.run(["umount", disk], check=True)


def _mount(*arguments: str | Path) -> int:
    try:
        return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode
    except FileNotFoundError:
        return -1


def test_a_full_disk_loses_nothing(course: Path, small_disk: Path) -> None:
    for number in range(6):
        (course / "handed_in" / f"s{number}.ipynb").write_text(notebook(DOUBLE, HALVE, f"# {number}"))
    first = gradetape(course, "grade", "handed_in", "--out", small_disk)
    assert first.returncode == 2
    assert "The disk is full: free some space and run the command again" in first.stderr
    assert "Traceback" not in first.stderr
    assert _mount("-o", "remount,size=10m", small_disk) == 0
    again = gradetape(course, "grade", "handed_in", "--out", small_disk, "--json")
    assert (again.returncode, {found["points"] for found in by_student(again).values()}) == (0, {5})
    assert f"{_graded_in(first)} graded before" in again.stderr
    assert (small_disk / "index.html").is_file()


def test_a_read_only_disk_is_reported_and_left_as_it_is(course: Path, small_disk: Path) -> None:
    (course / "handed_in" / "ada.ipynb").write_text(GOOD)
    assert _mount("-o", "remount,ro", small_disk) == 0
    run = gradetape(course, "grade", "handed_in", "--out", small_disk)
    assert (run.returncode, run.stdout) == (2, "")
    assert "Check the owner of it and its folder, or choose another folder with --out" in run.stderr
    assert "Traceback" not in run.stderr and os.listdir(small_disk) == []


def _graded_in(run: subprocess.CompletedProcess[str]) -> int:
    return run.stderr.count(": 5 of 5")


def test_ctrl_c_keeps_what_was_graded_and_leaves_no_process(course: Path) -> None:
    for name in ("ada", "bob", "cy"):
        (course / "handed_in" / f"{name}.ipynb").write_text(slow(name))
    with _running(course, "grade", "handed_in", "--workers", "1") as batch:
        _await(batch, "1/3 ada: 5 of 5")
        started = _everything_at_work(batch)
        os.killpg(batch.pid, signal.SIGINT)
        assert batch.stderr is not None and "Run the same command to continue" in batch.stderr.read()
        assert batch.wait() == 130
    assert psutil.wait_procs(started, timeout=10)[1] == []
    assert "ada" in (course / "results" / "grades.csv").read_text()

    (course / "handed_in" / "dan.ipynb").write_text(notebook(DOUBLE, HALVE, assignment=None))
    again = gradetape(course, "grade", "handed_in", "--json")
    results = by_student(again)
    assert "2 graded now, 1 graded before, 1 unreadable" in again.stderr
    assert {results[student]["points"] for student in ("ada", "bob", "cy")} == {5}
    assert "It does not name an assignment. Grade it with --assignment tiny" in results["dan"]["reason"]


def test_a_batch_outlives_its_judge_and_its_zygote(course: Path) -> None:
    for name in ("ada", "bob", "cy"):
        (course / "handed_in" / f"{name}.ipynb").write_text(slow(name))
    with _running(course, "grade", "handed_in", "--workers", "1") as batch:
        _await(batch, "1/3 ")
        started = _everything_at_work(batch)
        _part(batch, "gradetape.judge.server").kill()
        started |= _everything_at_work(batch, but=started)
        _part(batch, "gradetape.worker.zygote").kill()
        _await(batch, "3/3 ")
        assert batch.wait() == 0
    assert psutil.wait_procs(started, timeout=10)[1] == []
    grades = (course / "results" / "grades.csv").read_text().splitlines()[1:]
    assert [line.split(",")[:4] for line in grades] == [
        [f'"{student}"', "5.0", "5.0", '"graded"'] for student in ("ada", "bob", "cy")
    ]


@contextmanager
def _running(course: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command(*arguments), cwd=course, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.kill()


def _await(batch: subprocess.Popen[str], words: str) -> None:
    """Reads what a batch says until it says the words."""
    assert batch.stderr is not None
    said = []
    for line in batch.stderr:
        said.append(line)
        if words in line:
            return
    pytest.fail(f"it never said {words!r}, but {''.join(said)}")


def _everything_at_work(batch: subprocess.Popen[str], but: Collection[psutil.Process] = ()) -> set[psutil.Process]:
    """All processes of a batch, once one of them runs a submission; `but` are those that must be gone by then."""
    while batch.poll() is None:
        # A part that is being started anew is not there for a moment.
        with suppress(StopIteration, psutil.Error):
            parts = [_part(batch, "gradetape.judge.server"), _part(batch, "gradetape.worker.zygote")]
            if not {*parts} & {*but} and all([part.children() for part in parts]):
                return set(psutil.Process(batch.pid).children(recursive=True))
    pytest.fail("it ended too early")


def _part(batch: subprocess.Popen[str], name: str) -> psutil.Process:
    return next(part for part in psutil.Process(batch.pid).children() if name in part.cmdline())
