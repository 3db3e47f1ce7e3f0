"""`verify` runs only those pairs of a solution and a check of which something has changed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import Engine, EngineOptions, MockEngine
from gradetape.records import CellEvent, Check, CheckResult, Job, Outcome, Verdict
from gradetape.verify import Proof, Scope, verify
from gradetape.verify.outcomes import Outcomes
from tests.course import called, tiny, write_files
from tests.regrading import DOUBLED, HIDDEN, PUBLIC, edit

TWO, ANY = (
    Check(question=DOUBLED, name=name, public=public, title="Twice.", hint="Think.", points=points)
    for name, public, points in (("test_two", True, 1), ("test_any_number", False, 2))
)
OTHERS = tuple(
    Check(question="q02_halve", name=name, public=public, title="Half.", hint="", points=1)
    for name, public in (("test_four", True), ("test_odd_number", False))
)
MUTANTS = """\
- name: zero
  misconception: It is zero.
  fails: [public::test_two, hidden::test_any_number]
  replace: 2 * x
  with: 0 * x
- name: square
  misconception: It is the square.
  fails: [hidden::test_any_number]
  replace: 2 * x
  with: x * x
"""
VARIANT = "def double(x):\n    return x + x\n"
REFERENCE = f"solutions/tiny/{DOUBLED}.py"
CALLS = {"test_two": (2, 4), "test_any_number": (1.5, 3), "test_four": (4, 2), "test_odd_number": (5, 2.5)}
WHOLE = 7  # liar, puppet, reference, starter, raiser, argument, zeros
PAIRS = (WHOLE + 3) * 2


class Runs:
    """Verifies the tiny course's first question again and again with one file of memory, and counts what runs."""

    def __init__(self, root: Path, memory: Path, answer: Callable[[Job, Check], Verdict] | None = None) -> None:
        self.root, self.memory = root, memory
        self.answer = answer or right
        self.events: tuple[CellEvent, ...] = ()
        self.checks = (TWO, ANY, *OTHERS)
        self.identity = "mock"
        self.expected: list[int] = []

    def __call__(self, *, fresh: bool = False, repeat: int = 1, question: str | None = DOUBLED) -> Counter[str]:
        """How many solutions each check has judged now, by the check's name."""
        self.verified(fresh=fresh, repeat=repeat, question=question)
        return Counter(check.rsplit("::", 1)[1] for job in self.jobs for check in job.only or ())

    def verified(
        self, *, fresh: bool = False, repeat: int = 1, question: str | None = DOUBLED, scope: Scope | None = None
    ) -> Proof:
        gradable = GradableAssignment.open(courses.find(self.root), "tiny")
        with Outcomes(self.memory, fresh=fresh) as outcomes:
            return verify(
                gradable, question=question, repeat=repeat, open_engine=self.open, outcomes=outcomes,
                scope=scope or Scope(),
            )  # fmt: skip

    def open(self, gradable: GradableAssignment, options: EngineOptions) -> Engine:
        engine = MockEngine(self.outcome, checks=self.checks)
        engine.environment = msgspec.structs.replace(engine.environment, identity=self.identity)
        engine.expect = self.expected.append  # type: ignore[method-assign]
        self.jobs = engine.jobs
        return engine

    def outcome(self, job: Job) -> Outcome:
        results = tuple(self._result(job, check) for check in self.checks if check.id in (job.only or ()))
        return Outcome(results=results, events=self.events)

    def _result(self, job: Job, check: Check) -> CheckResult:
        verdict = self.answer(job, check)
        points = check.points if verdict is Verdict.PASSED else 0
        return CheckResult(check=check, verdict=verdict, points=points, seconds=0.1, staff_message="said")


def right(job: Job, check: Check) -> Verdict:
    """What a solution gets in a check of the tiny course; it is run here."""
    text = "\n".join(cell.source for cell in job.cells)
    if job.puppet or job.liar or "zeros" in text:
        return Verdict.FAILED
    names: dict[str, Callable[[float], float]] = {}
    exec(text, names)
    function = names["double" if check.question == DOUBLED else "halve"]
    number, expected = CALLS[check.name]
    try:
        return Verdict.PASSED if function(number) == expected else Verdict.FAILED
    except NotImplementedError:
        return Verdict.ERROR


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tiny(tmp_path / "course")
    write_files(root / "solutions/tiny", {f"mutants/{DOUBLED}.yml": MUTANTS, f"variants/{DOUBLED}/sum.py": VARIANT})
    return root


@pytest.fixture
def runs(root: Path, tmp_path: Path) -> Runs:
    return Runs(root, tmp_path / "cache/verified.sqlite")


ALL = Counter({"test_two": WHOLE + 3, "test_any_number": WHOLE + 3})
ONE = Counter({"test_two": 1, "test_any_number": 1})
CHANGES: dict[str, tuple[str, str, str, Counter[str]]] = {
    "a comment in a check": (HIDDEN, "    number =", "    # A number.\n    number =", Counter()),
    "a hint": (HIDDEN, "not whole?", "not even whole?", Counter()),
    "a title": (PUBLIC, "Twice two is four.", "Two and two are four.", Counter()),
    "a check": (PUBLIC, "== 4", "== 4.0", Counter({"test_two": WHOLE + 3})),
    "a helper beside a check": (HIDDEN, "@points", "HELPER = 1\n\n\n@points", Counter({"test_any_number": WHOLE + 3})),
    "a check of another question": ("autograder/tiny/test_q02_halve.py", "== 2.5", "== 5 / 2", Counter()),
    "a variant": (
        f"solutions/tiny/variants/{DOUBLED}/sum.py", "x + x", "x + 1 * x", ONE
    ),
    "a mutant": (
        f"solutions/tiny/mutants/{DOUBLED}.yml", "with: x * x", "with: x * x * 1", ONE
    ),
    "a mutant's header": (f"solutions/tiny/mutants/{DOUBLED}.yml", "It is zero.", "It is nothing.", Counter()),
    "a prompt": (f"assignments/tiny/{DOUBLED}/prompt.md", "# ", "# Now: ", Counter()),
    "the starter": (
        f"assignments/tiny/{DOUBLED}/starter.py", 'Error("double")', 'Error("twice")', ONE
    ),
    # The liar, the puppet, the reference, the zeros, and the mutants, which are patches of it.
    "the reference": (REFERENCE, "2 * x", "2 * x  # twice", Counter({"test_two": 6, "test_any_number": 6})),
    "the seed": ("autograder/seed", "5f3a9c", "5f3a9d", ALL),
    "a limit": ("grader_config.yml", "cell_s: 20", "cell_s: 21", ALL),
    "the Keras generation": ("grader_config.yml", "course:", "keras: legacy\ncourse:", ALL),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_only_the_pairs_run_of_which_something_changed(root: Path, runs: Runs, change: str) -> None:
    assert runs() == ALL
    assert runs() == Counter()
    path, old, new, expected = CHANGES[change]
    edit(root, path, old, new)
    assert runs() == expected
    assert runs() == Counter()


def test_a_proof_from_memory_is_the_same_proof(runs: Runs) -> None:
    first, again = runs.verified(), runs.verified()
    assert (first.recalled, again.recalled) == (0, PAIRS)
    assert again.trials == first.trials
    assert {**again.as_json(), "recalled": 0} == first.as_json()
    assert first.ok


def test_the_workers_are_not_started_for_words(root: Path, runs: Runs) -> None:
    runs()
    edit(root, HIDDEN, "not whole?", "odd?")
    runs.checks = (TWO, msgspec.structs.replace(ANY, hint="odd?"), *OTHERS)
    found = runs.verified()
    assert runs.expected == [WHOLE + 3, 0]
    assert {result.check.hint for trial in found.trials for result in trial.results} == {"Think.", "odd?"}
    runs()
    assert len(runs.expected) == 2  # the list of checks is known too


def test_points_are_those_of_now(root: Path, runs: Runs) -> None:
    runs()
    edit(root, HIDDEN, "@points(2)", "@points(3)")
    edit(root, "assignments/tiny/assignment.yml", "q01_double: 3", "q01_double: 4")
    runs.checks = (TWO, msgspec.structs.replace(ANY, points=3), *OTHERS)
    found = runs.verified()
    assert found.recalled == PAIRS
    assert found.as_json()["reference"] == {"points": 4, "max_points": 4}


def test_another_question_and_a_single_check_use_what_is_known(runs: Runs) -> None:
    runs()
    assert runs(question=None) == Counter({"test_four": WHOLE, "test_odd_number": WHOLE})
    assert runs.verified(scope=Scope(checks=("test_two",))).recalled == WHOLE + 3


def test_what_stands_in_the_way_runs_again(runs: Runs) -> None:
    def fails_right(job: Job, check: Check) -> Verdict:
        return Verdict.FAILED if check == TWO else right(job, check)

    runs.answer = fails_right
    assert any("variant q01_double/sum" in each or "reference" in each for each in runs.verified().problems)
    runs.answer = right
    assert runs() == Counter({"test_two": 2})  # the reference and the variant


def test_what_may_depend_on_the_machines_load_runs_again(runs: Runs) -> None:
    def slow(job: Job, check: Check) -> Verdict:
        text = "".join(cell.source for cell in job.cells)
        return Verdict.TIMEOUT if "x * x" in text else Verdict.FAULT if "0 * x" in text else right(job, check)

    runs.answer = slow
    runs()
    runs.answer = right
    # The square should fail the hidden check, and has; a timeout of the public one is no proof. A fault is none at all.
    assert runs() == Counter({"test_two": 2, "test_any_number": 1})


def test_cells_that_were_stopped_run_again(runs: Runs) -> None:
    runs.events = (CellEvent(cell=0, kind="quarantined", text="60 s", question=DOUBLED),)
    runs()
    assert runs() == ALL


def test_how_cells_load_is_known_too(runs: Runs) -> None:
    runs.events = (CellEvent(cell=0, kind="error", text="NameError: name 'y' is not defined", question=DOUBLED),)
    problems = runs.verified().problems
    assert any("does not run" in each for each in problems)
    assert runs.verified().problems == problems


def test_another_sandbox_and_fresh_and_repeats_run_everything(runs: Runs) -> None:
    runs()
    assert runs(fresh=True) == ALL
    assert runs() == Counter()
    runs.identity = "other"
    assert runs() == ALL


def test_memory_that_cannot_be_used_costs_nothing_but_time(runs: Runs, tmp_path: Path) -> None:
    runs()
    for end in ("-wal", "-shm"):
        runs.memory.with_name(runs.memory.name + end).unlink(missing_ok=True)
    runs.memory.write_bytes(b"no database" * 100)
    assert runs() == ALL
    assert runs() == Counter()
    runs.memory = tmp_path / "file/verified.sqlite"
    runs.memory.parent.write_text("")
    assert runs() == ALL
    assert runs() == ALL


def test_memory_is_for_its_owner_alone(runs: Runs) -> None:
    runs()
    assert runs.memory.stat().st_mode & 0o777 == 0o600
    assert runs.memory.parent.stat().st_mode & 0o777 == 0o700


def test_what_another_version_has_kept_is_not_read(runs: Runs) -> None:
    runs()
    with Outcomes(runs.memory) as outcomes:
        outcomes._connection.execute("UPDATE known SET value = x'81'")
    assert runs() == ALL


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own-cache"))
    monkeypatch.delenv("CI", raising=False)
    return tmp_path / "own-cache"


def test_the_command_says_what_it_recalled_and_ci_and_fresh_run_everything(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = called(root, "verify", "tiny", "--question", DOUBLED, "--json")
    again = called(root, "verify", "tiny", "--question", DOUBLED, "--json")
    assert again.returncode == first.returncode
    assert json.loads(again.stdout) == {**json.loads(first.stdout), "recalled": PAIRS}
    shown = called(root, "verify", "tiny", "--question", DOUBLED).stdout
    assert f"0 new results, {PAIRS} known from earlier runs: --fresh runs everything again" in shown
    for arguments in (("--fresh",), ("--repeat", "2")):
        found = called(root, "verify", "tiny", "--question", DOUBLED, "--json", *arguments)
        assert json.loads(found.stdout)["recalled"] == 0
    monkeypatch.setenv("CI", "true")
    assert json.loads(called(root, "verify", "tiny", "--question", DOUBLED, "--json").stdout)["recalled"] == 0
