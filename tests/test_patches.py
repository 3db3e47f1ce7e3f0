"""Mutants that are patches of a right solution: how they are read, applied and refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradetape.course import assignments as courses
from gradetape.course.answer_key import answer_key
from gradetape.errors import CourseError
from gradetape.verify.mutants import Mutant, mutants_of
from tests.course import gradetape, tiny

QUESTION = "q01_double"
SOLUTION = '''\
# %%
def double(x):
    """Return twice x."""
    total = 0
    for _ in range(2):
        total += x
    return total
'''
VARIANT = '"""By multiplication."""\n\ndef double(x):\n    return 2 * x\n'


def read(folder: Path, text: str, *, legacy: bool = False) -> dict[str, Mutant]:
    """The mutants of a question whose patches are these."""
    root = tiny(folder / "course")
    solutions = root / "solutions/tiny"
    (solutions / f"{QUESTION}.py").write_text(SOLUTION)
    (solutions / "variants" / QUESTION).mkdir(parents=True)
    (solutions / "variants" / QUESTION / "times.py").write_text(VARIANT)
    (solutions / "mutants").mkdir()
    (solutions / "mutants" / f"{QUESTION}.yml").write_text(text)
    course = courses.find(root)
    found = answer_key(course, course.assignment("tiny"))
    return {mutant.name: mutant for mutant in mutants_of(found, QUESTION, legacy=legacy)}


def entry(patch: str, name: str = "wrong") -> str:
    lines = "".join(f"  {line}\n" for line in patch.splitlines())
    return f"- name: {name}\n  misconception: It is wrong.\n  fails: [public::test_numbers]\n{lines}"


def test_a_text_on_one_line_is_replaced_where_it_stands(tmp_path: Path) -> None:
    patch = "replace: range(2)\nwith: range(3)\nbreaks: [twice]\nfails_legacy: [hidden::test_random]"
    patch += "\nmay_fail: [hidden::test_two]"
    mutant = read(tmp_path, entry(patch))["wrong"]
    assert mutant.source.text == SOLUTION.replace("range(2)", "range(3)")
    assert mutant.misconception == "It is wrong."
    assert mutant.breaks == ("twice",)
    assert mutant.fails == ("public::test_numbers",)
    assert mutant.possible == (f"{QUESTION}::hidden::test_two",)
    assert read(tmp_path / "legacy", entry(patch), legacy=True)["wrong"].fails == ("hidden::test_random",)


def test_what_is_right_under_legacy_keras_is_no_mutant_there(tmp_path: Path) -> None:
    text = entry("replace: range(2)\nwith: range(3)\nfails_legacy: []")
    text += entry("replace: total += x\nwith: total += 1", "other")
    assert set(read(tmp_path, text)) == {"wrong", "other"}
    assert set(read(tmp_path / "legacy", text, legacy=True)) == {"other"}


def test_lines_are_replaced_with_the_indentation_that_they_have(tmp_path: Path) -> None:
    replace = "replace: |\n  total = 0\n  for _ in range(2):\n      total += x\n"
    blocks = replace + "with: |\n  total = x\n  if x:\n      total += 1"
    mutant = read(tmp_path, entry(blocks))["wrong"]
    assert mutant.source.text.endswith("    total = x\n    if x:\n        total += 1\n    return total\n")


def test_a_line_is_replaced_by_several_and_several_by_none(tmp_path: Path) -> None:
    several = entry("replace: return total\nwith: |\n  total += 1\n  return total", "several")
    none = entry("replace: |\n  for _ in range(2):\n      total += x\nwith:", "none")
    found = read(tmp_path, several + none)
    assert found["several"].source.text.endswith("        total += x\n    total += 1\n    return total\n")
    assert found["none"].source.text.endswith("    total = 0\n    return total\n")


def test_a_patch_may_have_several_edits_and_be_one_of_a_variant(tmp_path: Path) -> None:
    edits = "of: times\nedits:\n- {replace: 2 * x, with: 3 * y}\n- {replace: (x), with: (y)}"
    assert read(tmp_path, entry(edits))["wrong"].source.text.endswith("def double(y):\n    return 3 * y\n")


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ("replce: x\nwith: y", "line 4: unknown key 'replce'. Did you mean 'replace'?"),
        ("edits:\n- {replace: x, wth: y}", "line 5: unknown key 'wth'. Did you mean 'with'?"),
        ("edits: []", "line 4: 'edits' is []; it should be a list of at least 1."),
        ("replace: range(2)\nwith: 3", "line 5: 'with' is 3: write it in quotes."),
        ("replace:\nwith: x", "'replace' is empty: copy the text to replace from"),
        ("replace: range(2)", "line 1 (wrong): a patch has either 'replace' and 'with', or 'edits', a list of them"),
        ("replace: range(4)\nwith: range(3)", "'replace' (range(4)) does not occur in"),
        ("replace: retrun total\nwith: return x", "copy it from there. Did you mean 'return total'?"),
        ("replace: |\n  for _ in range(2):\n  total += x\nwith: ''", "does not occur as whole lines in"),
        ("replace: total\nwith: x", "occurs 3 times in"),
        ("replace: total\nwith: x", "(lines 4, 6, 7): add more of the text around it"),
        ("replace: Return twice\nwith: Return twice", "the patch changes nothing that runs. Change 'with'"),
        ("replace: return total\nwith: return (total", "the patched solution is not Python: '(' was never closed in"),
        (
            "of: tmies\nreplace: x\nwith: y",
            "there is no variant 'tmies' for 'of'. Did you mean 'times'? Variants: times.",
        ),
        ("breaks: twice\nreplace: x\nwith: y", "line 4: 'breaks' is 'twice'; it should be a list."),
    ],
)
def test_a_patch_that_does_not_fit_is_refused_with_its_line(tmp_path: Path, patch: str, message: str) -> None:
    with pytest.raises(CourseError) as refused:
        read(tmp_path, entry(patch))
    assert message in str(refused.value)
    assert f"mutants/{QUESTION}.yml, line " in str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: wrong\n", "line 1: the file should be a list, with entries that begin with '- '."),
        ("- wrong\n", "line 1: this entry should be a mapping, with lines such as 'key: value'."),
        ("- misconception: It is wrong.\n  replace: '2'\n  with: '3'\n", "line 1: 'name' is missing. Add it."),
        ("- name: a b\n  misconception: It is.\n", "'a b': write a name like adds_one, with letters, digits and _."),
        (
            "- name: a\n  misconception: It is.\n  fails: [test_x]\n",
            "write checks as public::test_x or hidden::test_x.",
        ),
        (
            "- {name: a, misconception: It is., replace: '2', with: '3'}\n",
            "add a line such as 'fails: [hidden::test_x]' that names the checks that must fail",
        ),
        (2 * entry("replace: range(2)\nwith: range(3)"), "line 6 (wrong): the name 'wrong' is taken by "),
    ],
)
def test_an_entry_that_is_no_patch_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CourseError) as refused:
        read(tmp_path, text)
    assert message in str(refused.value)


def test_every_patch_that_is_wrong_is_reported_at_once(tmp_path: Path) -> None:
    wrong = [entry(f"replace: gone{number}\nwith: x", f"wrong{number}") for number in range(3)]
    with pytest.raises(CourseError) as refused:
        read(tmp_path, "".join(wrong))
    assert [line.split(": ")[0].rsplit(", ", 1)[1] for line in str(refused.value).splitlines()] == [
        "line 1 (wrong0)", "line 6 (wrong1)", "line 11 (wrong2)",
    ]  # fmt: skip


def test_a_patched_solution_runs_as_a_mutant_and_one_that_does_not_run_points_at_the_patch(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    (root / "solutions/tiny/mutants").mkdir()
    (root / "solutions/tiny" / f"{QUESTION}.py").write_text(SOLUTION)
    patches = entry("replace: range(2)\nwith: range(3)") + entry("replace: '# %%'\nwith: import tensorflowx", "typo")
    file = root / "solutions/tiny/mutants" / f"{QUESTION}.yml"
    file.write_text(patches.replace("test_numbers", "test_doubles"))
    run = gradetape(root, "verify", "tiny", "--question", QUESTION, "--json")
    unknown = f"{QUESTION}.yml, line 6 (typo): 'fails' names {QUESTION}::public::test_doubles, which is not a check of"
    assert run.returncode == 2 and unknown in run.stderr
    file.write_text(patches.replace("public::test_numbers", "public::test_two, hidden::test_any_number"))
    run = gradetape(root, "verify", "tiny", "--question", QUESTION, "--json")
    wrong, typo = sorted(json.loads(run.stdout)["mutants"], key=lambda mutant: mutant["name"] == "typo")
    assert wrong["failed"] and wrong["ok"]
    assert not typo["ok"]
    place = f"{QUESTION}.yml, line 6: the patched solution, in line 1 (import tensorflowx): "
    assert f"{place}this cell raised ModuleNotFoundError" in run.stderr
