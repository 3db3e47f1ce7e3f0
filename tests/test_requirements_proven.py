"""Every requirement of a prompt is proven: by a check that names it, and by a mutant that breaks it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradetape.course.requirements import requirements_of, without_comments
from gradetape.records import Check, CheckResult, Verdict
from gradetape.verify import Proof, Trial
from gradetape.verify.coverage import Prompt
from tests.course import gradetape, tiny

PATH = "assignments/tiny/q01_double/prompt.md"
PROMPT = """\
# Twice

- <!-- requirement: doubles -->Return twice the number.
- <!-- requirement: negative -->
  Negative numbers too.
"""


def check(name: str, *proves: str) -> Check:
    return Check(question="q01_double", name=name, public=True, title="", hint="", points=1, requirements=proves)


def mutant(name: str, breaks: tuple[str, ...], fails: tuple[str, ...], checks: tuple[Check, ...]) -> Trial:
    results = tuple(
        CheckResult(check=each, verdict=Verdict.FAILED if each.name in fails else Verdict.PASSED, points=0, seconds=0)
        for each in checks
    )
    expected = tuple(each.id for each in checks if each.name in fails)
    return Trial(
        kind="mutant", name=name, question="q01_double", results=results, expected=expected, breaks=breaks,
        place=f"q01_double.yml, line 1 ({name})",
    )  # fmt: skip


def problems(
    tmp_path: Path, prompt: str, checks: tuple[Check, ...], *mutants: tuple[str, tuple[str, ...], tuple[str, ...]]
) -> list[str]:
    """The problems of a proof whose mutants have these names, requirements that they break, and checks they fail."""
    file = tmp_path / PATH
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(prompt)
    trials = tuple(mutant(*each, checks) for each in mutants)
    read = Prompt.read("q01_double", file, tmp_path)
    return list(Proof(assignment="tiny", checks=checks, trials=trials, prompts=(read,)).problems)


@pytest.mark.parametrize(
    ("prompt", "text", "released"),
    [
        ("1.  a\n\n    <!-- requirement: x -->\n    b\n", "b", "1.  a\n\n    b\n"),
        ("    <!-- requirement: x --> b <!-- requirement: y -->\n", "b", "    b "),
        ("- <!-- requirement: x -->b:\n  ```\n  c\n  ```\n", "b:", "- b:\n  ```\n  c\n  ```\n"),
        ("<!-- requirement: x -->b\n## c\n", "b", "b\n## c\n"),
    ],
    ids=["a line of its own", "a line with text", "a code block", "a heading"],
)
def test_a_requirement_ends_at_a_block_and_its_comment_leaves_no_indentation(
    prompt: str, text: str, released: str
) -> None:
    assert requirements_of(prompt)[0].text == text
    assert without_comments(prompt) == released


PROVEN = (check("test_two", "doubles"), check("test_minus", "doubles", "negative"))
MUTANTS = (("adds", ("doubles",), ("test_two", "test_minus")), ("absolute", ("negative",), ("test_minus",)))


def test_a_prompt_whose_requirements_all_have_checks_and_mutants_has_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, PROMPT, PROVEN, *MUTANTS) == []


@pytest.mark.parametrize(
    ("prompt", "checks", "mutants", "expected"),
    [
        (
            PROMPT.replace("negative", "zero"),
            (check("test_two", "doubles"), check("test_minus", "doubles")),
            MUTANTS[:1],
            [
                f"{PATH}, line 4: no check proves 'zero'. Add @proves('zero') to a check that tests it",
            ],
        ),
        (
            PROMPT,
            (*PROVEN, check("test_more")),
            (("adds", ("doubles",), ("test_two", "test_minus", "test_more")), MUTANTS[1]),
            [f"q01_double::public::test_more proves no requirement. Add @proves with ids from {PATH}"],
        ),
        (
            PROMPT,
            (check("test_two", "doubles", "negativ"), PROVEN[1]),
            MUTANTS,
            [
                "q01_double::public::test_two proves 'negativ', which is not a requirement in "
                f"{PATH}. Did you mean 'negative'?"
            ],
        ),
        (
            PROMPT,
            PROVEN,
            (("adds", ("doubles", "x"), ("test_two", "test_minus")), MUTANTS[1]),
            [
                f"q01_double.yml, line 1 (adds): it breaks 'x', which is not a requirement in {PATH}. "
                "Add <!-- requirement: x --> there, or remove it here."
            ],
        ),
        (
            PROMPT + "- <!-- requirement: doubles -->Again.\n",
            PROVEN,
            MUTANTS,
            [f"{PATH}, line 6: line 3 has the id 'doubles' too. Choose another"],
        ),
        (
            PROMPT.replace("negative", "Negative Numbers"),
            (check("test_two", "doubles"), check("test_minus", "Negative Numbers")),
            (MUTANTS[0], ("absolute", ("Negative Numbers",), ("test_minus",))),
            [
                f"{PATH}, line 4: 'Negative Numbers' is not an id. "
                "Write words with hyphens in lower case, like empty-row",
            ],
        ),
        (
            PROMPT.replace("  Negative numbers too.\n", ""),
            PROVEN,
            MUTANTS,
            [f"{PATH}, line 4: no text follows the comment of 'negative'. Put it directly before the text"],
        ),
        (
            PROMPT,
            PROVEN,
            (*MUTANTS, ("silent", (), ("test_minus",))),
            [
                "q01_double.yml, line 1 (silent): it does not say which requirement it breaks. "
                "Add breaks: doubles, negative"
            ],
        ),
        (
            PROMPT,
            PROVEN,
            MUTANTS[:1],
            [f"{PATH}, line 4: no mutant breaks 'negative' and fails a check that proves it. Add such a mutant"],
        ),
        (
            PROMPT,
            PROVEN,
            (*MUTANTS, ("wrong", ("negative",), ("test_two",))),
            [
                "q01_double.yml, line 1 (wrong): it breaks 'negative', "
                "which none of the checks that it fails proves"
            ],
        ),
        (
            PROMPT.replace("requirement: negative", "requirment: negative"),
            (PROVEN[0], check("test_minus", "doubles")),
            MUTANTS[:1],
            [
                f"{PATH}, line 4: students would read the comment 'requirment: negative'. "
                "Write it as <!-- requirement: empty-row -->"
            ],
        ),
    ],
    ids=[
        "requirement without a check", "check without a requirement", "check of an unknown one",
        "mutant of an unknown one", "duplicate", "malformed", "without a text", "mutant without one",
        "requirement without a mutant", "mutant of what is not proven", "misspelt comment",
    ],
)  # fmt: skip
def test_what_is_not_proven_is_reported_with_its_line(
    tmp_path: Path,
    prompt: str,
    checks: tuple[Check, ...],
    mutants: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...],
    expected: list[str],
) -> None:
    assert problems(tmp_path, prompt, checks, *mutants) == expected


def test_a_prompt_without_ids_has_a_note_and_no_problem(tmp_path: Path) -> None:
    file = tmp_path / "prompt.md"
    file.write_text("# Twice\n\nReturn twice the number.\n")
    prompt, checks = Prompt.read("q01_double", file, tmp_path), (check("test_two"),)
    trial = mutant("adds", (), ("test_two",), checks)
    proof = Proof(assignment="tiny", checks=checks, trials=(trial,), prompts=(prompt,))
    assert proof.ok
    assert proof.notes == (
        "q01_double has no requirement ids in the prompt, so it is not known whether the checks test every requirement",
    )


def test_a_course_with_requirements_is_proven_and_its_object_lists_them(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    prompt = root / PATH
    prompt.write_text("# Twice\n\n<!-- requirement: doubles -->Return twice the number.\n")
    for file in (root / "assignments/tiny/q01_double/test_public.py", root / "autograder/tiny/test_q01_double.py"):
        text = file.read_text().replace("import ", "import proves, ").replace("@points", '@proves("doubles")\n@points')
        text = text.replace("(student)", "(student, rng)")
        text = text.replace("student.double(2) == 4", "student.double(x := rng.random()) == 2 * x")
        file.write_text(text)
    (root / "solutions/tiny/mutants/q01_double").mkdir(parents=True)
    (root / "solutions/tiny/mutants/q01_double/adds.py").write_text(
        '"""Adds one."""\n# breaks: doubles\n# fails: public::test_two, hidden::test_any_number\n\n'
        "def double(x):\n    return x + 1\n"
    )
    run = gradetape(root, "verify", "tiny", "--question", "q01", "--json")
    report = json.loads(run.stdout)
    assert (run.returncode, run.stderr.strip(), report["notes"]) == (0, "", [])
    assert report["requirements"] == [
        {
            "question": "q01_double", "id": "doubles", "text": "Return twice the number.", "line": 3,
            "checks": ["public::test_two", "hidden::test_any_number"], "mutants": ["adds"],
        }
    ]  # fmt: skip
    assert [mutant["breaks"] for mutant in report["mutants"]] == [["doubles"]]
    assert [check["proves"] for check in report["checks"]] == [["doubles"], ["doubles"]]


def test_a_skipped_check_is_noted_with_its_reason() -> None:
    skipped = CheckResult(
        check=check("test_card"), verdict=Verdict.SKIPPED, points=1, seconds=0, staff_message="it needs a GPU"
    )
    trial = Trial(kind="reference", name="reference", question=None, results=(skipped,))
    notes = Proof(assignment="tiny", checks=(check("test_card"),), trials=(trial,)).notes
    assert "q01_double::public::test_card was skipped, so it is not proven here: it needs a GPU" in notes
