"""The verdict of a check, and which part of its message a student may read."""

from __future__ import annotations

import re
import selectors
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import msgspec
import pytest

from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import LocalEngine, judge
from gradetape.judge.messages import CancelJob, Done, Loaded, Message, RunJob
from gradetape.judge.process import JudgeProcess
from gradetape.judge.server import Server
from gradetape.judge.session import Judge
from gradetape.judge.transcript import Transcript
from gradetape.records import Cell, CellEvent, CheckResult, Job, Limits, Outcome, Slot, Verdict
from gradetape.runtime.slots import Slots
from gradetape.wire.message_channel import MessageChannel, QueueingChannel
from tests.course import tiny, write_files

EXPECTED = "0.7234561"

VERDICTS = Path(__file__).parent / "verdicts"
PUBLIC, HIDDEN, REFERENCE, SUBMISSION = (
    (VERDICTS / f"{name}.py").read_text() for name in ("public", "hidden", "reference", "submission")
)


def write_course(root: Path) -> Path:
    """A course with one assignment: q01 whole, q02 with a syntax error, q03 with a check that imports TensorFlow."""
    files = {
        "grader_config.yml": "course: Tests\nlimits:\n  memory_mb: 500\n  check_s: 15\n  cell_s: 20\n",
        "assignments/a/assignment.yml": "title: A\nquestions: {q01_x: 22, q02_y: 1, q03_z: 1}\n",
        "assignments/a/introduction.md": "# A\n",
        "autograder/seed": "5f3a9c0e7d12b4865f3a9c0e7d12b486\n",
    }
    checks = {
        "q01_x": (PUBLIC, HIDDEN),
        "q02_y": ("def test_fine(student):\n    '''Fine.'''\n    assert student.good() == 3\n", "def test_(:\n"),
        "q03_z": ("import tensorflow as tf\ndef test_it(): '''It.'''\n", "def test_silent(student):\n    pass\n"),
    }
    for question_id, (public, hidden) in checks.items():
        files |= {
            f"assignments/a/{question_id}/prompt.md": "# Do\n",
            f"assignments/a/{question_id}/starter.py": "def good():\n    ...\n",
            f"assignments/a/{question_id}/test_public.py": public,
            f"autograder/a/test_{question_id}.py": hidden,
            f"solutions/a/{question_id}.py": REFERENCE,
        }
    return write_files(root, files)


@pytest.fixture(scope="module")
def gradable(tmp_path_factory: pytest.TempPathFactory) -> GradableAssignment:
    return GradableAssignment.open(courses.find(write_course(tmp_path_factory.mktemp("course"))), "a")


@pytest.fixture(scope="module")
def engine(gradable: GradableAssignment) -> Iterator[LocalEngine]:
    slots = Slots.of(gradable.course.config, workers=1, secret=gradable.secret_folders)
    with LocalEngine(gradable.bundle(), slots, root=gradable.course.root) as engine:
        yield engine


def judged(
    engine: LocalEngine, gradable: GradableAssignment, source: str = SUBMISSION, only: str = "", **how: bool
) -> Outcome:
    """The outcome of a submission of one cell, of the checks whose ids have `only` in them."""
    ids = tuple(check.id for check in engine.collected.checks if only in check.id)
    assert ids
    limits = gradable.course.config.limits.record()
    return judge(engine, gradable.job((Cell(source=source, question="q01_x"),), limits, only=ids, **how))


@pytest.fixture(scope="module")
def results(engine: LocalEngine, gradable: GradableAssignment) -> dict[str, CheckResult]:
    """Every check's result for the submission, by the check's name."""
    outcome = judged(engine, gradable, only="q01_x")
    names = [result.check.name for result in outcome.results]
    assert (
        len(names) == len(set(names)) == len([check for check in engine.collected.checks if check.question == "q01_x"])
    )
    return {result.check.name: result for result in outcome.results}


def verdicts(results: dict[str, CheckResult], check: str) -> dict[str, str]:
    """The verdicts of a check, by its parameters."""
    found = {
        name.partition("[")[2].rstrip("]"): result.verdict.value
        for name, result in results.items()
        if name.split("[")[0] == check
    }
    assert found
    return found


ENDS = {
    "wrong": "failed", "error": "error", "undefined": "missing", "numpy_bomb": "memory", "tensor_bomb": "memory",
    "leaves": "crashed", "segfault": "crashed", "aborts": "crashed",
}  # fmt: skip


def test_every_end_has_its_verdict_and_costs_that_check_alone(results: dict[str, CheckResult]) -> None:
    found = verdicts(results, "test_ends")
    assert {name.split("-")[1]: verdict for name, verdict in found.items()} == {**ENDS, "good": "passed"}
    assert all(verdict == "passed" for name, verdict in found.items() if name.endswith("good"))
    assert verdicts(results, "test_hangs") == {"forever": "timeout", "sleeper": "timeout", "good": "passed"}
    for result in results.values():
        assert result.points == (result.check.points if result.verdict in (Verdict.PASSED, Verdict.SKIPPED) else 0)


def test_expecting_any_exception_accepts_no_end_of_the_worker(results: dict[str, CheckResult]) -> None:
    expected = {name: verdict for name, verdict in ENDS.items() if name != "wrong"} | {"error": "passed"}
    assert verdicts(results, "test_raises_anything") == expected
    assert set(verdicts(results, "test_raises_anything_late").values()) == {"timeout"}


def test_a_value_of_another_kind_is_failed_and_no_fault(results: dict[str, CheckResult]) -> None:
    assert set(verdicts(results, "test_compared_with_numbers").values()) == {"failed"}
    assert set(verdicts(results, "test_computed_with").values()) <= {"failed", "error"}
    note = results["test_compared_with_numbers[a_dict]"].staff_message
    assert "test_q01_x.py:" in note and "TypeError" in note


def test_the_checks_own_failure_is_a_fault_unless_a_value_was_received(results: dict[str, CheckResult]) -> None:
    assert results["test_own_error_before"].verdict is Verdict.FAULT
    message = results["test_own_error_before"].staff_message
    assert re.match(r"\S+/test_public\.py:\d+: KeyError: |\S+/test_q01_x\.py:\d+: KeyError: ", message)
    assert "Traceback" in message and "pluggy" not in message, "the check's own lines are not lost among pytest's"
    assert results["test_own_error_after"].verdict is Verdict.FAILED
    assert results["test_reference_breaks"].verdict is Verdict.FAULT


def test_a_judge_that_dies_costs_one_check(results: dict[str, CheckResult]) -> None:
    assert results["test_own_exit"].verdict is results["test_own_signal"].verdict is Verdict.FAULT
    assert results["test_after_all"].verdict is Verdict.PASSED
    assert results["test_poisons_the_judge"].verdict is Verdict.PASSED
    assert results["test_poisoned"].verdict is Verdict.FAULT


def test_a_check_that_hangs_is_ended_from_outside(results: dict[str, CheckResult]) -> None:
    assert results["test_own_hang"].verdict is results["test_own_loop"].verdict is Verdict.TIMEOUT
    assert "killed" in results["test_own_hang"].staff_message


def test_a_check_that_hangs_gives_the_submission_no_new_time(engine: LocalEngine, gradable: GradableAssignment) -> None:
    limits = msgspec.structs.replace(gradable.course.config.limits.record(), submission_s=4.0)
    ids = tuple(check.id for check in engine.collected.checks if check.name in ("test_own_hang", "test_after_all"))
    found = judge(engine, gradable.job((Cell(source=SUBMISSION, question="q01_x"),), limits, only=ids)).results
    assert [result.verdict.value for result in found] == ["timeout", "timeout"]
    assert "the time limit of the whole submission was reached" in found[1].staff_message


def test_the_other_workers(results: dict[str, CheckResult]) -> None:
    for name in ("test_reference", "test_clean", "test_source", "test_dies_later", "test_after_it_died"):
        assert results[name].verdict is Verdict.PASSED, results[name].staff_message
    assert results["test_skipped"].verdict is Verdict.SKIPPED and results["test_skipped"].message == "there is no GPU"


def test_hostile_objects_neither_pass_nor_see_what_is_expected(results: dict[str, CheckResult]) -> None:
    found = verdicts(results, "test_hostile")
    assert len(found) == 90 and set(found.values()) <= {"failed", "error"}, found
    assert results["test_what_hostile_objects_were_given"].verdict is Verdict.PASSED


def test_hidden_checks_say_nothing_in_the_students_words(results: dict[str, CheckResult]) -> None:
    hidden = [result for result in results.values() if not result.check.public]
    for result in hidden:
        for text in ("STUDENT-TEXT", "PRINTED-TEXT", "SIGSEGV", "exit status", EXPECTED, "ValueError", "drew"):
            assert text not in result.message, result
    assert len({result.message for result in hidden}) < 10
    assert "STUDENT-TEXT" in results["test_ends[2-error]"].staff_message
    assert "SIGSEGV" in results["test_ends[12-segfault]"].staff_message


def test_public_checks_say_what_the_students_code_said(results: dict[str, CheckResult]) -> None:
    error = results["test_public[error]"].message
    assert "STUDENT-TEXT" in error and "PRINTED-TEXT" in error and 'File "<cell 1>"' in error
    assert "exit status 77" in results["test_public[status]"].message
    assert "4 == 3" in results["test_public[wrong]"].message
    assert "PRINTED-TEXT" in results["test_public[printer]"].message
    assert results["test_public[undefined]"].message == "undefined is not defined"
    assert results["test_public[good]"].message == ""


def drew(result: CheckResult) -> str:
    return result.staff_message.partition("drew ")[2].split("\n")[0]


def test_random_numbers_depend_on_the_seed_and_the_check_alone(
    engine: LocalEngine, gradable: GradableAssignment, results: dict[str, CheckResult]
) -> None:
    alone = {result.check.name: result for result in judged(engine, gradable, only="::test_random[2]").results}
    assert drew(alone["test_random[2]"]) == drew(results["test_random[2]"]) != drew(results["test_random[1]"])
    seeded = {result.check.name: result for result in judged(engine, gradable, only="::test_seeded").results}
    for name in ("test_seeded", "test_seeded_again"):
        assert drew(seeded[name]) == drew(results[name])
    assert drew(results["test_seeded"]) != drew(results["test_seeded_again"])


def test_what_the_reference_does_not_pass_is_a_fault(engine: LocalEngine, gradable: GradableAssignment) -> None:
    outcome = judged(engine, gradable, only="public::test_public", trusted=True)
    found = {result.check.name: result for result in outcome.results}
    assert found.pop("test_public[good]").verdict is Verdict.PASSED
    assert {result.verdict for result in found.values()} == {Verdict.FAULT}
    assert "does not pass this check (missing)" in found["test_public[undefined]"].staff_message


def test_check_files_that_cannot_be_used_are_reported_and_the_rest_works(
    engine: LocalEngine, gradable: GradableAssignment
) -> None:
    broken = {Path(path).as_posix().split("/")[-1]: text for path, text in engine.collected.broken.items()}
    assert set(broken) == {"test_q02_y.py", "test_public.py", "test_q03_z.py"}
    assert "line 1: invalid syntax. Correct it" in broken["test_q02_y.py"]
    assert "a check does not import tensorflow. Use the fixtures tf and keras" in broken["test_public.py"]
    assert "docstring" in broken["test_q03_z.py"]
    assert [result.verdict.value for result in judged(engine, gradable, only="q02_y").results] == ["passed"]


PATCHES = {
    "the seeding": "import keras\ndef boom(*_): raise ValueError\nkeras.utils.set_random_seed = boom",
    "the seeding, with an exit": "import os, random\nrandom.seed = lambda *_: os._exit(0)",
}


@pytest.mark.parametrize("patch", PATCHES.values(), ids=PATCHES.keys())
def test_a_submission_that_breaks_its_worker_is_charged_and_not_lost(
    engine: LocalEngine, gradable: GradableAssignment, patch: str
) -> None:
    outcome = judged(engine, gradable, f"{patch}\ndef good(): return 3", only="test_public[good]")
    assert [result.verdict.value for result in outcome.results] == ["crashed"]


# An instructor's own pytest


# The channel to the engine


def test_the_judge_reads_while_the_engine_does_not_take_what_it_sends() -> None:
    ours, theirs = socket.socketpair()
    child, forked = socket.socketpair()
    request = RunJob(number=1, zygote="", slot=Slot(), job=Job(cells=(), reference=(), seed="1", limits=Limits()))
    server, session = Server(QueueingChannel(theirs), Judge(), {}), cast("pytest.Session", None)
    process = JudgeProcess(request, [], 0, MessageChannel(forked), 0.0, Transcript())
    server._selector.register(process.channel, selectors.EVENT_READ, process)
    told = Loaded(number=1, events=tuple(CellEvent(cell=n, kind="note", text="x" * 5000) for n in range(90)))
    received = list[object]()

    def engine() -> None:
        """Sends more than the judge's socket holds before it reads."""
        channel = MessageChannel(ours)
        for _ in range(20_000):
            channel.send(CancelJob(number=2))
        received.extend(channel.receive(Message) for _ in range(3))
        channel.close()

    def judge_child() -> None:
        channel = MessageChannel(child)
        for message in (told, Done(number=1), Done(number=1)):
            channel.send(message)

    threads = [threading.Thread(target=each, daemon=True) for each in (lambda: server._serve(session), engine)]
    for thread in (*threads, threading.Thread(target=judge_child, daemon=True)):
        thread.start()
    for thread in threads:
        thread.join(20)
    for each in (theirs, child, forked):
        each.close()
    server._selector.close()
    assert received == [told, *[Done(number=1, events=told.events)] * 2]


def _own_pytest(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", *arguments],
        cwd=root, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_an_instructors_pytest_shows_both_values(gradable: GradableAssignment, tmp_path: Path) -> None:
    submission = tmp_path / "alice.py"
    submission.write_text("def good():\n    return 4\n")
    run = _own_pytest(
        gradable.course.root, "autograder/a/test_q01_x.py", "-k", "after_all or test_reference",
        "--submission", str(submission),
    )  # fmt: skip
    assert run.returncode == 1, run.stderr
    assert "assert 4 == 3" in run.stdout
    assert "3 failed" in run.stdout


def _without_a_seed(root: Path) -> list[str]:
    (root / "autograder" / "seed").unlink()
    return ["autograder"]


def _without_a_docstring(root: Path) -> list[str]:
    (root / "autograder/tiny/test_q02_halve.py").write_text("def test_odd(student):\n    pass\n")
    return ["autograder/tiny/test_q02_halve.py"]


def _with_words_for_points(root: Path) -> list[str]:
    text = "from gradetape.checks import points\n@points('two')\ndef test_odd(student):\n    '''Odd.'''\n"
    (root / "autograder/tiny/test_q02_halve.py").write_text(text)
    return ["autograder/tiny/test_q02_halve.py"]


def _with_words_for_a_limit(root: Path) -> list[str]:
    text = "from gradetape.checks import limit\n@limit('long')\ndef test_odd(student):\n    '''Odd.'''\n"
    (root / "autograder/tiny/test_q02_halve.py").write_text(text)
    return ["autograder/tiny/test_q02_halve.py"]


def _with_a_sentence_for_an_id(root: Path) -> list[str]:
    text = "from gradetape.checks import proves\n@proves('A sentence')\ndef test_odd(student):\n    '''Odd.'''\n"
    (root / "autograder/tiny/test_q02_halve.py").write_text(text)
    return ["autograder/tiny/test_q02_halve.py"]


def _in_another_encoding(root: Path) -> list[str]:
    (root / "autograder/tiny/test_q02_halve.py").write_bytes("# Übung\n".encode("latin-1"))
    return ["autograder/tiny/test_q02_halve.py"]


def _outside_of_the_two_folders(root: Path) -> list[str]:
    (root / "test_extra.py").write_text("def test_extra(source):\n    assert source\n")
    return ["autograder", "test_extra.py", "-k", "extra"]


def _of_two_submissions(root: Path) -> list[str]:
    for name in ("ada", "bob"):
        (root / "in" / name).mkdir(parents=True)
        (root / "in" / name / "a.py").write_text("x = 1\n")
    return ["autograder", "--submission", "in"]


def _of_no_submission(root: Path) -> list[str]:
    return ["autograder", "--submission", "ada.ipynb"]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_without_a_seed, "ERROR: gradetape: autograder/seed should hold at least 32 random"),
        (_without_a_docstring, "test_q02_halve.py: test_odd has no docstring. Write one"),
        (_with_words_for_points, "test_odd has @points('two'). Write a number there"),
        (_with_words_for_a_limit, "test_odd has @limit('long'). Write a number there"),
        (_with_a_sentence_for_an_id, "test_odd has @proves('A sentence'). Name requirements of the prompt, such as"),
        (_in_another_encoding, "test_q02_halve.py is not UTF-8 text. Save it as UTF-8"),
        (_outside_of_the_two_folders, "is not a check file: checks are in assignments/ and autograder/ of a course"),
        (_of_two_submissions, "--submission takes one notebook, script or zip: in holds 2"),
        (_of_no_submission, "ada.ipynb: The file does not exist or cannot be reached"),
    ],
)
def test_a_mistake_is_reported_to_an_instructors_pytest_without_a_traceback(
    tmp_path: Path, spoil: Callable[[Path], list[str]], words: str
) -> None:
    root = tiny(tmp_path / "course")
    run = _own_pytest(root, *spoil(root))
    assert run.returncode != 0
    assert words in run.stdout + run.stderr
    assert "INTERNALERROR" not in run.stdout
