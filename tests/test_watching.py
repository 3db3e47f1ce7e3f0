"""`verify --watch`: a warm engine, and only what a saved file belongs to."""

from __future__ import annotations

import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine, EngineOptions, MockEngine
from gradetape.engine.warm import WarmEngine
from gradetape.records import Check, CheckResult, Job, Outcome, Verdict
from gradetape.verify import verify
from gradetape.verify.outcomes import Outcomes
from gradetape.verify.watching import affected, watched
from tests.course import command, tiny

CHECKS = tuple(
    Check(question=question, name=name, public=True, title="", hint="", points=points)
    for question, name, points in (("q01_double", "test_two", 3), ("q02_halve", "test_four", 2))
)


@pytest.fixture
def gradable(tmp_path: Path) -> GradableAssignment:
    return GradableAssignment.open(courses.find(tiny(tmp_path / "course")), "tiny")


def all_pass(job: Job) -> Outcome:
    return Outcome(
        results=tuple(
            CheckResult(check=check, verdict=Verdict.PASSED, points=check.points, seconds=0)
            for check in CHECKS
            if check.id in (job.only or ())
        )
    )


class Opened:
    """The engines that were opened."""

    def __init__(self) -> None:
        self.engines: list[MockEngine] = []

    def open(self, gradable: GradableAssignment, options: EngineOptions) -> Engine:
        self.engines.append(MockEngine(all_pass, checks=CHECKS))
        return self.engines[-1]


@pytest.mark.parametrize(
    ("path", "questions"),
    [
        ("assignments/tiny/q01_double/prompt.md", ("q01_double",)),
        ("solutions/tiny/q02_halve.py", ("q02_halve",)),
        ("solutions/tiny/variants/q02_halve/other.py", ("q02_halve",)),
        ("solutions/tiny/mutants/q01_double.yml", ("q01_double",)),
        ("autograder/tiny/test_q01_double.py", ("q01_double",)),
        ("assignments/tiny/assignment.yml", None),
        ("solutions/tiny/waivers.yml", None),
    ],
)
def test_a_file_belongs_to_a_question_or_to_the_whole_assignment(
    gradable: GradableAssignment, path: str, questions: tuple[str, ...] | None
) -> None:
    assert affected(gradable, [gradable.course.root / path]) == questions
    assert any((gradable.course.root / path).is_relative_to(folder) for folder in watched(gradable))


def test_only_what_has_changed_runs_again(gradable: GradableAssignment) -> None:
    opened, outcomes = Opened(), Outcomes()

    def jobs() -> int:
        verify(gradable, question="q01_double", open_engine=warm.open, outcomes=outcomes)
        [engine] = opened.engines
        return len(engine.jobs)

    with WarmEngine(opened.open) as warm:
        first = jobs()
        assert jobs() == first > 0
        starter = gradable.assignment.question_sources[0].starter
        starter.write_text(starter.read_text() + "\n# A word more.\n")
        assert jobs() == first + 1
        public = gradable.assignment.question_sources[0].public_checks
        text = public.read_text()
        public.write_text(text + "\n# A word more.\n")
        assert jobs() == first + 1
        assert len(opened.engines[0].bundles) == 1
        public.write_text(text + "\n_HELPER = 1\n")
        assert jobs() == 2 * first + 1
        (gradable.answer_key.autograder / "shared.py").write_text("HELPER = 2\n")
        assert jobs() == 3 * first + 1


def test_what_ran_under_another_configuration_runs_again(gradable: GradableAssignment) -> None:
    opened, outcomes = Opened(), Outcomes()
    with WarmEngine(opened.open) as warm:
        verify(gradable, question="q01_double", open_engine=warm.open, outcomes=outcomes)
        (gradable.course.root / "grader_config.yml").write_text("keras: legacy\n")
        legacy = GradableAssignment.open(courses.find(gradable.course.root), "tiny")
        verify(legacy, question="q01_double", open_engine=warm.open, outcomes=outcomes)
    assert [len(engine.jobs) for engine in opened.engines] == [len(opened.engines[0].jobs)] * 2


def test_another_configuration_gets_another_engine(gradable: GradableAssignment) -> None:
    opened = Opened()
    with WarmEngine(opened.open) as warm:
        warm.open(gradable, EngineOptions())
        (gradable.course.root / "grader_config.yml").write_text("keras: legacy\n")
        warm.open(GradableAssignment.open(courses.find(gradable.course.root), "tiny"), EngineOptions())
    assert len(opened.engines) == 2


class Watching:
    """A running `verify --watch`, and what it says."""

    def __init__(self, root: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            command("verify", "tiny", "--watch", *arguments), cwd=root, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def until(self, part: str) -> str:
        """The text up to a line with this part."""
        said = ""
        while part not in said:
            said += self._lines.get(timeout=300)
        return said

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as said:
            for line in said:
                self._lines.put(line)


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[tuple[Path, Watching]]:
    root = tiny(tmp_path / "course")
    found = Watching(root, "--question", "q01")
    yield root, found
    found.end()


def test_a_saved_file_is_verified_again_and_mistakes_do_not_end_it(watching: tuple[Path, Watching]) -> None:
    root, running = watching
    waiting = "Waiting for the next change"
    assert "test_any_number" in running.until(waiting)
    mutant = root / "solutions/tiny/mutants/q01_double.yml"
    mutant.parent.mkdir()
    mutant.write_text("- name: zero\n")
    assert "line 1: 'misconception' is missing. Add it." in running.until("missing")
    fails = "[public::test_two, hidden::test_any_number]"
    mutant.write_text(
        f"- name: zero\n  misconception: It is zero.\n  fails: {fails}\n  replace: 2 * x\n  with: 0 * x\n"
    )
    (root / "solutions/tiny/q01_double.py").write_text("def double(x):\n    return 2 * x\n")
    said = running.until("1 mutant)")
    assert "no mutant fails" not in said
    hidden = root / "autograder/tiny/test_q01_double.py"
    hidden.write_text(hidden.read_text().replace("test_any_number", "test_numbers"))
    assert "'fails' names q01_double::hidden::test_any_number, which is not a check" in running.until("'fails'")
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(60) == 0
