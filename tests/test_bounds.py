"""The points that solutions without an answer may get: in each question, in every way of running, and waivers."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from gradetape.course import assignments as courses
from gradetape.course.answer_key import answer_key
from gradetape.errors import GradetapeError
from gradetape.records import Check, CheckResult, Verdict
from gradetape.verify import Proof, Trial
from gradetape.verify.bounds import bounds
from gradetape.verify.table import render
from gradetape.verify.waivers import Waiver, waivers_in
from tests.course import gradetape, tiny

COUNTS = "CALLS = []\n\ndef halve(x):\n    CALLS.append(x)\n    return x / 2\n"
HIDDEN = '''
from gradetape.checks import points

@points(1)
def test_work(student, rng):
    """The work is done."""
    number = float(rng.normal())
    student.halve(number)
    assert list(student.CALLS)[-1] == number
'''
FILE = "solutions/tiny/waivers.yml"
WAIVER = """\
- question: q02_halve
  adversary: zeros
  checks: [hidden::test_work]
  reason: Calls are counted, whatever they return.
"""
LARGE = Check(question="q02_halve", name="test_large", public=True, title="", hint="", points=19)
WORK = Check(question="q02_halve", name="test_work", public=False, title="", hint="", points=1)


def verified(root: Path, *arguments: str) -> tuple[dict[str, Any], str]:
    run = gradetape(root, "verify", "tiny", "--json", *arguments)
    report: dict[str, Any] = json.loads(run.stdout)
    return report, run.stderr


def test_bounds_are_the_same_for_a_question_alone_and_in_the_assignment_and_a_waived_check_does_not_count(
    tmp_path: Path,
) -> None:
    root = tiny(tmp_path / "course")
    (root / "solutions/tiny/q02_halve.py").write_text(COUNTS)
    (root / "autograder/tiny/test_q02_halve.py").write_text(HIDDEN)
    (whole, problems), (alone, problems_alone) = verified(root), verified(root, "--question", "q02")
    for said in (problems, problems_alone):
        assert "q02_halve: zeros gets 1 point (at most 0.2) by q02_halve::hidden::test_work. Let these checks" in said
        assert f"compare with numbers that are not zero, or waive them in {FILE} with a reason" in said
    own = [bound for bound in whole["bounds"] if bound["question"] == "q02_halve"]
    assert own == alone["bounds"]
    assert {bound["name"] for bound in own} == {"starter", "liar", "puppet", "raiser", "argument", "zeros"}
    assert {"question": "q02_halve", "name": "zeros", "points": 1, "at_most": 0.2, "ok": False} in own

    (root / FILE).write_text(WAIVER)
    report, problems = verified(root, "--question", "q02")
    assert "zeros" not in problems
    assert "zeros may pass q02_halve::hidden::test_work: Calls are counted, whatever they return." in report["notes"]
    assert report["waivers"] == [
        {
            "question": "q02_halve", "adversary": "zeros", "checks": ["hidden::test_work"],
            "reason": "Calls are counted, whatever they return.",
        }
    ]  # fmt: skip
    assert {"question": "q02_halve", "name": "zeros", "points": 0, "at_most": 0.2, "ok": True} in report["bounds"]


def fooled(*checks: Check) -> Trial:
    """An adversary *zeros* that passes these checks."""
    results = tuple(
        CheckResult(
            check=check, verdict=Verdict.PASSED if check in checks else Verdict.FAILED, seconds=0,
            points=check.points if check in checks else 0,
        )
        for check in (LARGE, WORK)
    )  # fmt: skip
    return Trial(kind="adversary", name="zeros", question=None, results=results)


def test_a_puppet_may_get_more_than_its_share_and_the_table_shows_it() -> None:
    puppet = msgspec.structs.replace(fooled(LARGE, WORK), name="puppet")
    reference = msgspec.structs.replace(puppet, kind="reference", name="reference")
    proof = Proof(assignment="tiny", checks=(LARGE, WORK), trials=(reference, puppet))
    [bound] = bounds(proof)
    assert not bound.ok and "puppet" not in "\n".join((*proof.problems, *proof.notes))
    console = Console(width=200, record=True, file=io.StringIO())
    render(proof, console)
    assert f"{bound.points:g}, too many" in console.export_text()


def waiver(*checks: str) -> Waiver:
    return Waiver(question="q02_halve", adversary="zeros", checks=checks, reason="It works.", place=f"{FILE}, line 1")


def bounded(trial: Trial, *waivers: Waiver) -> Proof:
    return Proof(assignment="tiny", checks=(LARGE, WORK), trials=(trial,), waivers=waivers)


@pytest.mark.parametrize(
    ("passed", "waived", "note"),
    [
        ((LARGE,), "public::test_large", "zeros may pass q02_halve::public::test_large: It works."),
        (
            (LARGE,),
            "hidden::test_work",
            f"{FILE}, line 1: zeros does not pass q02_halve::hidden::test_work, so remove what waives it",
        ),
        ((WORK,), "hidden::test_work", f"{FILE}, line 1: zeros stays within its bound without this waiver: remove it"),
    ],
    ids=["needed", "not passed", "within the bound"],
)
def test_a_waiver_that_is_not_needed_is_told(passed: tuple[Check, ...], waived: str, note: str) -> None:
    assert note in bounded(fooled(*passed), waiver(waived)).notes


def test_what_is_not_waived_counts_and_a_waiver_of_no_check_is_a_problem() -> None:
    problems = bounded(fooled(LARGE, WORK), waiver("hidden::test_work", "hidden::test_wrok")).problems
    assert "q02_halve: zeros gets 19 points (at most 2) by q02_halve::public::test_large. Let" in "\n".join(problems)
    assert f"{FILE}, line 1: q02_halve::hidden::test_wrok is not a check. Correct the name, or remove the entry" in (
        problems
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("q02_halve", "q02_half", "line 1: there is no question 'q02_half'. Did you mean 'q02_halve'?"),
        ("zeros", "zero", "line 2: 'adversary' is 'zero'; it should be 'argument', 'zeros' or 'liar'."),
        ("Calls are counted, whatever they return.", "No.", "line 4: 'reason' is 'No.'; it should be text of at least"),
        ("Calls are counted, whatever they return.", '"              "', "line 4: 'reason' is"),
        ("hidden::test_work", "test_work", "write checks as public::test_x or hidden::test_x"),
        ("reason", "because", "line 4: unknown key 'because'."),
    ],
)
def test_a_waiver_that_is_wrong_is_refused_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    course = courses.find(tiny(tmp_path / "course"))
    (course.root / FILE).write_text(WAIVER.replace(old, new))
    found = answer_key(course, course.assignment("tiny"))
    with pytest.raises(GradetapeError) as refused:
        waivers_in(found.waivers, FILE, found.assignment.question_ids)
    assert message in str(refused.value) and str(refused.value).startswith(f"{FILE}, line ")
