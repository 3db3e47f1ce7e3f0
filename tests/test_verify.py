"""The proof of an assignment's checks, and the problems that prevent it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gradetape.records import Check, CheckResult, Verdict
from gradetape.verify import Proof, Trial
from tests.course import called, gradetape, tiny

QUESTION = "q01_double"
WRONG_SUM = '"""Adds one."""\n# fails: public::test_numbers, hidden::test_random\n\ndef double(x):\n    return x + 1\n'
LAZY = '"""Says that it squares."""\n# fails: public::test_numbers\n\ndef double(x):\n    return x + x\n'
NOT_OF_TWO = (
    '"""Two is three."""\n# fails: hidden::test_two\n# may fail: hidden::test_random\n\n'
    "def double(x):\n    return 3 if x == 2 else 2 * x\n"
)

PUBLIC = '''
from gradetape.checks import points

@points(1)
def test_numbers(student, rng):
    """Numbers are doubled."""
    x = float(rng.normal())
    assert student.double(x) == 2 * x
'''
HIDDEN = '''
from gradetape.checks import points

@points(1)
def test_random(student, rng):
    """Any number is doubled."""
    x = int(rng.integers(10, 10**9))
    assert student.double(x) == 2 * x

@points(1)
def test_two(student):
    """The constant two is doubled, which a liar can learn."""
    assert student.double(2) == 4
'''


def course(folder: Path, *, mutants: dict[str, str], hidden: str = HIDDEN) -> Path:
    """The tiny course with one question, whose checks are these."""
    root = tiny(folder)
    (root / "assignments/tiny" / QUESTION / "test_public.py").write_text(PUBLIC)
    (root / "autograder/tiny" / f"test_{QUESTION}.py").write_text(hidden)
    for name, text in mutants.items():
        path = root / "solutions/tiny/mutants" / QUESTION / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    variant = root / "solutions/tiny/variants" / QUESTION / "twice.py"
    variant.parent.mkdir(parents=True, exist_ok=True)
    variant.write_text('"""By multiplication."""\n\ndef double(x):\n    return 2 * x\n')
    return root


def verified(root: Path) -> tuple[int, dict[str, Any], str]:
    """The exit status, the JSON object and the problems of `verify --json` for the question."""
    run = gradetape(root, "verify", "tiny", "--question", QUESTION, "--json")
    return run.returncode, json.loads(run.stdout), run.stderr


@pytest.fixture(scope="module")
def unproven(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any], str]:
    """A course whose mutants are not all what they say, and whose check of a constant nothing can fail."""
    root = course(tmp_path_factory.mktemp("unproven") / "course", mutants={"adds_one": WRONG_SUM, "lazy": LAZY})
    return verified(root)


def test_the_object_says_what_was_proven_and_what_was_not(unproven: tuple[int, dict[str, Any], str]) -> None:
    status, report, _ = unproven
    assert status == 1
    assert set(report) == {
        "assignment", "ok", "reference", "starter", "variants", "adversaries", "mutants", "checks", "flaky",
        "requirements", "bounds", "waivers", "partial", "brief", "notes", "recalled",
    }  # fmt: skip
    assert report["ok"] is False
    assert report["reference"] == {"points": 3, "max_points": 3}
    assert report["starter"] == {"points": 0}
    assert report["variants"] == [{"question": QUESTION, "name": "twice", "ok": True}]
    assert report["flaky"] == []
    assert report["requirements"] == []
    assert report["notes"] == [
        "q01_double has no requirement ids in the prompt, so it is not known whether the checks test every requirement"
    ]


def test_a_mutant_that_passes_what_it_should_fail_is_reported(unproven: tuple[int, dict[str, Any], str]) -> None:
    _, report, problems = unproven
    mutants = {mutant["name"]: mutant for mutant in report["mutants"]}
    assert mutants["lazy"] == {
        "question": QUESTION, "name": "lazy", "expected": ["public::test_numbers"], "failed": [], "ok": False,
        "may_fail": [], "breaks": [],
    }  # fmt: skip
    assert "lazy should fail public::test_numbers but passes it" in problems


def test_a_mutant_that_fails_more_than_it_says_is_reported(unproven: tuple[int, dict[str, Any], str]) -> None:
    _, report, problems = unproven
    adds_one = next(mutant for mutant in report["mutants"] if mutant["name"] == "adds_one")
    assert adds_one["failed"] == ["public::test_numbers", "hidden::test_random", "hidden::test_two"]
    assert adds_one["ok"] is False
    assert "adds_one fails hidden::test_two unexpectedly" in problems


def test_a_mutant_may_fail_a_check_with_some_seeds_only(tmp_path: Path) -> None:
    """Of two mutants that may fail the same check, one does and one does not; neither is a problem."""
    adds_one = WRONG_SUM.replace("::test_random", "::test_random\n# may fail: hidden::test_two")
    mutants = {"adds_one": adds_one, "not_of_two": NOT_OF_TWO}
    found = verified(course(tmp_path / "course", mutants=mutants))[1]
    assert {each["name"]: (each["may_fail"], each["ok"]) for each in found["mutants"]} == {
        "adds_one": (["hidden::test_two"], True),
        "not_of_two": (["hidden::test_random"], True),
    }


def test_a_check_knows_which_mutants_fail_it(unproven: tuple[int, dict[str, Any], str]) -> None:
    _, report, _ = unproven
    killed = {check["name"]: check["killed_by"] for check in report["checks"]}
    assert killed == {"test_numbers": ["adds_one"], "test_random": ["adds_one"], "test_two": ["adds_one"]}


def test_the_liar_gets_what_rests_on_testimony_and_nothing_else(unproven: tuple[int, dict[str, Any], str]) -> None:
    _, report, problems = unproven
    points = {adversary["name"]: adversary["points"] for adversary in report["adversaries"]}
    assert points == {"liar": 1, "puppet": 3, "raiser": 0, "argument": 0, "zeros": 0}
    assert "liar gets 1 point (at most 0.75) by q01_double::hidden::test_two" in problems


def test_a_check_that_no_mutant_fails_and_a_flaky_one_are_reported(tmp_path: Path) -> None:
    flaky = HIDDEN.replace(
        "    assert student.double(2) == 4", "    import os\n    assert student.double(2) == 4 or os"
    )
    flaky = flaky.replace("x = int(rng", "import time\n    assert time.time_ns() // 1000 % 2\n    x = int(rng")
    root = course(tmp_path / "course", mutants={"adds_one": WRONG_SUM}, hidden=flaky)
    run = gradetape(root, "verify", "tiny", "--question", QUESTION, "--repeat", "20", "--json")
    report = json.loads(run.stdout)
    assert run.returncode == 1
    assert report["flaky"] == [f"{QUESTION}::hidden::test_random"]
    assert f"no mutant fails {QUESTION}::hidden::test_two, so it is not proven: add" in run.stderr


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("def double(x):\n    return 0\n", "begins with a docstring"),
        ('"""Zero."""\ndef double(x):\n    return 0\n', "add a line such as '# fails: hidden::test_x'"),
        ('"""Zero."""\n# fails: test_two\ndef double(x):\n    return 0\n', "write checks as public::test_x"),
        (
            '"""Zero."""\n# fails: hidden::test_tow\ndef double(x):\n    return 0\n',
            "which is not a check of the question",
        ),
        (
            '"""Zero."""\n# fails: hidden::test_two\n# may fail: hidden::test_tow\ndef double(x):\n    return 0\n',
            "'may_fail' names q01_double::hidden::test_tow, which is not a check of the question",
        ),
    ],
)
def test_a_mutant_with_an_unfit_header_is_refused_with_advice(tmp_path: Path, text: str, advice: str) -> None:
    root = course(tmp_path / "course", mutants={"zero": text})
    run = gradetape(root, "verify", "tiny", "--question", QUESTION, "--json")
    assert run.returncode == 2
    assert not run.stdout
    assert advice in run.stderr
    assert "zero.py" in run.stderr


def test_points_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    root = course(tmp_path / "course", mutants={}, hidden=HIDDEN.replace("@points(1)", "@points(2)"))
    run = gradetape(root, "verify", "tiny", "--json")
    assert run.returncode == 2
    assert "The points do not add up. Change @points or assignment.yml:\n" in run.stderr
    assert "q01_double: its checks give 5 points, assignment.yml says 3" in run.stderr


def test_a_check_that_is_a_fault_or_that_a_right_solution_does_not_pass_is_reported_with_the_reason() -> None:
    check = Check(question=QUESTION, name="test_two", public=True, title="Two.", hint="", points=1)
    ends = {
        "mutant": (Verdict.FAULT, "test_q01_double.py:3: NameError"),
        "variant": (Verdict.FAILED, "assert 3 == 4"),
    }
    trials = [
        Trial(kind=kind, name=verdict.value, question=QUESTION, results=(
            CheckResult(check=check, verdict=verdict, points=0, seconds=0, staff_message=why),
        ))
        for kind, (verdict, why) in ends.items()
    ]  # fmt: skip
    broken = {f"{QUESTION}::hidden::test_q01_double.py": "line 1: invalid syntax"}
    proof = Proof(assignment="tiny", checks=(check,), trials=tuple(trials), faults=broken)
    report = "\n".join(proof.problems)
    assert not proof.ok
    assert f"{QUESTION}::hidden::test_q01_double.py cannot be run: line 1: invalid syntax" in report
    assert f"test_two ends in a fault with mutant {QUESTION}/fault: test_q01_double.py:3: NameError" in report
    assert f"variant {QUESTION}/failed does not pass {check.id}: assert 3 == 4" in report


NOT_LOADED = """\
\"\"\"Adds one.\"\"\"
# fails: public::test_numbers, hidden::test_random, hidden::test_two

# %%

import tensorflowx as tf

# %%
def double(x):
    return tf.add(x, 1)
"""


def lines(problems: str) -> list[str]:
    return [line for line in problems.splitlines() if line.strip()]


def test_a_solution_that_does_not_run_is_reported_with_its_own_error_and_shows_nothing(tmp_path: Path) -> None:
    root = course(tmp_path / "course", mutants={"adds_one": WRONG_SUM, "typo": NOT_LOADED})
    variant = root / "solutions/tiny/variants" / QUESTION / "twice.py"
    variant.write_text(variant.read_text() + "    return (x\n")
    status, report, problems = verified(root)
    assert status == 1
    typo_problems = [line for line in lines(problems) if "typo" in line]
    assert len(typo_problems) == 1, "what follows from the error is not report"
    assert typo_problems[0].startswith(f"mutant {QUESTION}/typo does not run: ")
    assert "typo.py, line 6: this cell raised ModuleNotFoundError: No module named 'tensorflowx'" in typo_problems[0]
    assert f"variant {QUESTION}/twice does not run: {variant}, line 5: this cell raised SyntaxError" in problems
    assert [mutant["ok"] for mutant in report["mutants"] if mutant["name"] == "typo"] == [False]
    assert report["variants"] == [{"question": QUESTION, "name": "twice", "ok": False}]
    assert all("typo" not in check["killed_by"] for check in report["checks"])


def test_a_reference_that_does_not_run_is_one_problem(tmp_path: Path) -> None:
    root = course(tmp_path / "course", mutants={"adds_one": WRONG_SUM})
    reference = root / "solutions/tiny" / f"{QUESTION}.py"
    reference.write_text("raise LookupError('no data')\n\n" + reference.read_text())
    _, _, problems = verified(root)
    assert f"reference does not run: {reference}, line 1: this cell raised LookupError: no data" in problems
    assert "Missing" not in problems and "does not pass" not in problems


def test_a_typo_in_a_check_is_one_problem_with_its_line(tmp_path: Path) -> None:
    hidden = HIDDEN.replace("rng.integers", "rng.integrs").replace("test_two(student)", "test_two(studnet)")
    root = course(tmp_path / "course", mutants={"adds_one": WRONG_SUM}, hidden=hidden)
    public = root / "assignments/tiny" / QUESTION / "test_public.py"
    public.write_text(PUBLIC.replace("== 2 * x", "== 2 * y"))
    _, _, problems = verified(root)
    report = lines(problems)
    for check, place, error in (
        ("public::test_numbers", f" {public.relative_to(root)}:8: ", "NameError: name 'y' is not defined"),
        ("hidden::test_random", f"test_{QUESTION}.py:7: ", "AttributeError: "),
        ("hidden::test_two", f"test_{QUESTION}.py:10: ", "there is no fixture 'studnet'. A check may use student, "),
    ):
        (own,) = [line for line in report if check in line]
        assert own.startswith(f"reference does not pass {QUESTION}::{check}: ")
        assert place in own and error in own
    assert len(report) == 3


def test_check_files_that_cannot_be_read_are_reported_and_blame_no_mutant(tmp_path: Path) -> None:
    root = course(tmp_path / "course", mutants={"adds_one": WRONG_SUM}, hidden=f"{HIDDEN}\nx = = 3\n")
    (root / "autograder/tiny/test_q02_halve.py").write_text("LIMIT = 1\nx = y\n")
    run = gradetape(root, "verify", "tiny")
    assert run.returncode == 1
    report = [line for line in run.stdout.splitlines() if line.startswith("✗")]
    assert [line.split(": ", 1)[1].rsplit("/", 1)[1] for line in report] == [
        "test_q01_double.py, line 15: invalid syntax. Correct it.",
        "test_q02_halve.py:2: NameError: name 'y' is not defined",
    ]
    assert "tiny: 2 problems (4 checks, 0 mutants)" in run.stdout


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            f"solutions/tiny/{QUESTION}.py",
            "def double(x):\n    return 2 * x\n\n# %%\nx = = 3\n",
            "line 5: invalid syntax",
        ),
        (
            f"assignments/tiny/{QUESTION}/starter.py",
            "def double(x): ...\n\n# %%\n\nx = = 3\n",
            "starter.py, line 5: invalid",
        ),
        (
            f"assignments/tiny/{QUESTION}/test_public.py",
            PUBLIC.replace("(student, rng)", "(student, reference)"),
            "test_public.py, line 5: notebooks have no fixture reference",
        ),
    ],
    ids=["reference", "starter", "public check"],
)
def test_a_course_without_anything_to_prove_is_refused_with_its_line(
    tmp_path: Path, file: str, text: str, message: str
) -> None:
    root = course(tmp_path / "course", mutants={"adds_one": WRONG_SUM})
    (root / file).write_text(text)
    run = called(root, "verify", "tiny", "--question", QUESTION)
    assert run.returncode == 2
    assert message in run.stderr and file in run.stderr
    assert "Traceback" not in run.stderr
