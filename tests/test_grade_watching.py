"""`grade --watch`: what arrives is graded with a warm engine, and a changed check file runs its question alone."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine, EngineOptions, MockEngine
from gradetape.errors import CourseError
from gradetape.gradebook import Gradebook
from gradetape.grading.events import Event
from gradetape.grading.request import GradeRequest
from gradetape.grading.run import GradeReport
from gradetape.grading.watching import FolderWatch, places
from gradetape.records import CollectedChecks
from tests.course import DOUBLE, HALVE, called, command, notebook
from tests.regrading import BOTH, DOUBLED, HIDDEN, NOTEBOOK, checks_of, compared, edit, passed


class Collecting(MockEngine):
    """A mock that collects the checks of the course as they are."""

    def __init__(self, root: Path) -> None:
        self._root = root
        super().__init__(lambda job: passed(job, self.collected.checks))

    @property
    def collected(self) -> CollectedChecks:  # type: ignore[override]
        gradable = GradableAssignment.open(courses.find(self._root), "tiny")
        return CollectedChecks(checks=checks_of(gradable))

    @collected.setter
    def collected(self, _: CollectedChecks) -> None:
        pass


class Watched:
    """A watch of a course's folder `in`, and its engines."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.engines: list[Collecting] = []
        self.watch = FolderWatch(root, GradeRequest(paths=(root / "in",), assignment="tiny"), self._open)

    def _open(self, gradable: GradableAssignment, options: EngineOptions) -> Engine:
        self.engines.append(Collecting(self.root))
        return self.engines[-1]

    def look(self) -> tuple[set[str], GradeReport]:
        """One look: the questions that were judged for somebody, and the report."""
        before = [len(engine.jobs) for engine in self.engines]
        events: list[Event] = []
        report = self.watch.look(self.watch.plan(), events.append)
        jobs = [job for engine, count in zip(self.engines, [*before, 0], strict=False) for job in engine.jobs[count:]]
        return {check.partition("::")[0] for job in jobs if not job.trusted for check in job.only or ()}, report


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(compared(tmp_path / "course"))


def page(root: Path, student: str) -> Path:
    return root / f"results/students/tiny/{student}.html"


def test_what_arrives_is_graded_and_nothing_else(watched: Watched) -> None:
    assert watched.look()[0] == BOTH
    assert watched.look()[0] == set()
    (watched.root / "in/grace.ipynb").write_text(notebook(DOUBLE, HALVE, "# grace"))
    judged, report = watched.look()
    assert judged == BOTH and [grade.student for grade in report.batch.grades] == ["grace"]
    assert page(watched.root, "grace").is_file() and len(watched.engines) == 1


def test_only_the_pages_of_new_entries_are_written(watched: Watched) -> None:
    watched.look()
    page(watched.root, "ada").write_text("as it was")
    watched.look()
    (watched.root / "in/grace.ipynb").write_text(notebook(DOUBLE, HALVE, "# grace"))
    watched.look()
    assert page(watched.root, "ada").read_text() == "as it was"
    assert "grace" in (watched.root / "results/index.html").read_text()
    edit(watched.root, "grader_config.yml", "A course", "Another course")
    watched.look()
    assert "Another course" in page(watched.root, "ada").read_text()


def test_a_changed_check_file_runs_its_question_with_the_same_engine(watched: Watched) -> None:
    watched.look()
    edit(watched.root, HIDDEN, "2 * number", "number + number")
    assert watched.look()[0] == {DOUBLED}
    assert len(watched.engines) == 1 and len(watched.engines[0].bundles) == 1
    edit(watched.root, HIDDEN, "not whole?", "negative?")
    judged, report = watched.look()
    assert judged == set() and report.batch.composed == 1


def test_another_configuration_gets_another_engine(watched: Watched) -> None:
    watched.look()
    edit(watched.root, "grader_config.yml", "cell_s: 20", "cell_s: 21")
    assert watched.look()[0] == BOTH and len(watched.engines) == 2


def test_a_half_written_file_is_left_until_it_is_whole(watched: Watched) -> None:
    watched.look()
    file = watched.root / "in/grace.ipynb"
    whole = notebook(DOUBLE, HALVE, "# grace")
    file.write_text(whole[: len(whole) // 2])
    assert watched.look()[1].batch.unreadable == [] and watched.watch.unsettled
    with Gradebook.open(watched.root / "results/gradebook.sqlite") as book:
        assert book.unreadable("tiny") == []
    file.write_text(whole)
    judged, report = watched.look()
    assert judged == BOTH and not watched.watch.unsettled
    assert [grade.student for grade in report.batch.grades] == ["grace"]


def test_a_file_that_is_gone_before_it_is_read_costs_nobody_a_grade(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some programs save by removing the file and writing it again."""
    watched.look()
    file, opened = watched.root / NOTEBOOK, os.open

    def gone(path: str | Path, *how: int) -> int:
        if Path(path) == file:
            file.unlink(missing_ok=True)
        return opened(path, *how)

    (watched.root / "in/grace.ipynb").write_text(notebook(DOUBLE, HALVE, "# grace"))
    text = file.read_text()
    with monkeypatch.context() as patched:
        patched.setattr("gradetape.intake.reading.os.open", gone)
        report = watched.look()[1]
    assert not file.exists() and report.batch.unreadable == [] and not watched.watch.unsettled
    with Gradebook.open(watched.root / "results/gradebook.sqlite") as book:
        assert [grade.student for grade in book.latest("tiny")] == ["ada", "grace"]
    file.write_text(text)
    assert watched.look()[0] == set()


def test_a_file_that_stays_broken_is_reported_once(watched: Watched) -> None:
    file = watched.root / "in/grace.ipynb"
    file.write_text("{")
    old = time.time() - 60
    os.utime(file, (old, old))
    watched.look()
    assert page(watched.root, "grace").is_file()
    assert watched.look()[1].batch.recorded == set()


def test_a_file_that_changes_while_it_is_graded_is_graded_again(watched: Watched) -> None:
    planned = watched.watch.plan()
    edit(watched.root, NOTEBOOK, "x + x", "2 * x")
    watched.watch.look(planned, lambda _: None)
    judged, report = watched.look()
    assert judged == BOTH and report.batch.recorded == {"ada"}


def test_a_check_file_that_changes_while_a_look_begins_is_judged_by_the_next_look(watched: Watched) -> None:
    watched.look()
    (watched.root / "in/grace.ipynb").write_text(notebook(DOUBLE, HALVE, "# grace"))
    planned = watched.watch.plan()
    edit(watched.root, HIDDEN, "2 * number", "number + number")
    with pytest.raises(CourseError, match=r"had read it: autograder/tiny/test_q01_double\.py"):
        watched.watch.look(planned, lambda _: None)
    judged, report = watched.look()
    assert judged == BOTH and {grade.student: grade.points for grade in report.batch.grades} == {"ada": 5, "grace": 5}


def test_a_mistake_in_the_course_is_raised_and_the_next_look_goes_on(watched: Watched) -> None:
    watched.look()
    edit(watched.root, "assignments/tiny/assignment.yml", "q01_double: 3", "q01_double: 4")
    with pytest.raises(CourseError, match="points do not add up"):
        watched.look()
    edit(watched.root, "assignments/tiny/assignment.yml", "q01_double: 4", "q01_double: 3")
    assert watched.look()[0] == set()


def test_the_results_own_files_are_no_reason_to_look(watched: Watched) -> None:
    planned = watched.watch.plan()
    assert not watched.watch.concerns(planned, [watched.root / "results/index.html"])
    assert watched.watch.concerns(planned, [watched.root / "results/index.html", watched.root / NOTEBOOK])
    assert {watched.root / "in", watched.root / "grader_config.yml"} <= set(places(planned, [watched.root / "in"]))


@pytest.mark.parametrize("more", [("--dry-run",), ("--json",), ("--student", "ada")])
def test_to_watch_needs_folders_and_prints_text(watched: Watched, more: tuple[str, ...]) -> None:
    run = called(watched.root, "grade", "in", "--watch", *more)
    assert run.returncode == 2 and "--watch looks at folders: name folders, and leave out" in run.stderr
    assert called(watched.root, "grade", NOTEBOOK, "--watch").returncode == 2


# The command


@pytest.fixture
def lines(watched: Watched) -> Iterator[tuple[subprocess.Popen[str], queue.Queue[str]]]:
    line = command("grade", "in", "--assignment", "tiny", "--watch", "--workers", "1")
    process = subprocess.Popen(line, cwd=watched.root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said: queue.Queue[str] = queue.Queue()
    assert process.stderr is not None
    reader = threading.Thread(target=lambda: [said.put(text) for text in process.stderr or ()])
    reader.start()
    yield process, said
    process.kill()
    process.wait()
    reader.join()
    process.stderr.close()


def until(said: queue.Queue[str], words: str) -> list[str]:
    """What the command says up to a line with these words."""
    found: list[str] = []
    while not found or words not in found[-1]:
        found.append(said.get(timeout=240))
    return found


def test_the_command_grades_what_arrives_until_it_is_interrupted(
    watched: Watched, lines: tuple[subprocess.Popen[str], queue.Queue[str]]
) -> None:
    process, said = lines
    until(said, "Waiting for the next file")
    (watched.root / "in/grace.ipynb").write_text(notebook(DOUBLE, HALVE, "# grace"))
    assert any("grace: 5 of 5" in text for text in until(said, "Waiting for the next file"))
    edit(watched.root, HIDDEN, "2 * number", "number + number")
    found = until(said, "Waiting for the next file")
    assert any(f"{DOUBLED}: its checks changed" in text for text in found)
    process.send_signal(signal.SIGINT)
    assert any("Stopped watching" in text for text in until(said, "Stopped watching"))
    assert process.wait(60) == 0
