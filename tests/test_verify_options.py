"""What `verify` runs and shows on request: single checks and mutants, headers, previews, and the page for authors."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gradetape.cli.proving import ProvingOptions, shown
from gradetape.cli.verify import command
from gradetape.course import assignments as courses
from gradetape.course.answer_key import AnswerKey, answer_key
from gradetape.course.gradable import GradableAssignment
from gradetape.errors import CourseError, RequestError
from gradetape.grading.rubric import Rubric
from gradetape.records import Check, CheckResult, CollectedChecks, Verdict
from gradetape.verify import Proof, Scope, Trial
from gradetape.verify.coverage import Prompt
from gradetape.verify.header_writing import WrittenHeaders, write_headers
from gradetape.verify.mutants import mutants_of
from gradetape.verify.page import page
from tests.course import called, gradetape, recipe, tiny

QUESTION = "q01_double"
PROMPT = "# Twice\n\n- <!-- requirement: doubles -->Return *twice* the number | <b>.\n"
TWO = Check(
    question=QUESTION, name="test_two", public=True, title="Twice two is four.", hint="Think <twice>.", points=1,
    requirements=("doubles",),
)  # fmt: skip
ANY = Check(
    question=QUESTION, name="test_any_number", public=False, title="Any number is doubled.", hint="Whole?", points=2,
    requirements=("doubles", "any"),
)  # fmt: skip
SECRET = "expected 1.2345"
PATCHES = """\
# The mutants of the first question.

- name: adds_one  # the usual one
  misconception: >-
    One is added, and not
    the number itself.
  breaks: [doubles]
  fails: [hidden::test_any_number]  # is this all?

  # What is replaced:
  replace: 2 * x
  with: x + 1

- misconception: It is squared.
  name: squares
  replace: 2 * x
  with: x * x
"""
FILE = '"""Says zero."""\n# fails: hidden::test_any_number\n\ndef double(x):\n    return 0\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tiny(tmp_path / "course")
    solutions = root / "solutions/tiny"
    (solutions / f"{QUESTION}.py").write_text("def double(x):\n    return 2 * x\n")
    (solutions / "mutants" / QUESTION).mkdir(parents=True)
    (solutions / "mutants" / f"{QUESTION}.yml").write_text(PATCHES)
    (solutions / "mutants" / QUESTION / "zero.py").write_text(FILE)
    (root / "assignments/tiny" / QUESTION / "prompt.md").write_text(PROMPT)
    return root


def key(root: Path) -> AnswerKey:
    course = courses.find(root)
    return answer_key(course, course.assignment("tiny"))


def result(check: Check, passed: bool) -> CheckResult:
    verdict, message = (Verdict.PASSED, "") if passed else (Verdict.FAILED, f"<{SECRET}>")
    return CheckResult(check=check, verdict=verdict, points=check.points * passed, seconds=0.25, message=message)


def trial(kind: str, name: str, *passed: Check, unloaded: bool = False) -> Trial:
    return Trial(
        kind=kind, name=name, question=QUESTION if kind == "mutant" else None, place=f"x.yml ({name})",
        results=tuple(result(check, check in passed) for check in (TWO, ANY)), misconception=f"It is {name} & wrong.",
        unloaded={QUESTION: "a typo"} if unloaded else {}, breaks=("doubles",),
    )  # fmt: skip


def proof(*mutants: Trial, right: bool = True) -> Proof:
    reference = trial("reference", "reference", *((TWO, ANY) if right else (TWO,)))
    prompt = Prompt(question=QUESTION, path="prompt.md", requirements=())
    return Proof(assignment="tiny", checks=(TWO, ANY), trials=(reference, *mutants), prompts=(prompt,))


def test_a_header_that_differs_from_what_was_seen_is_written_and_the_rest_of_the_file_stays(root: Path) -> None:
    found = key(root)
    written = write_headers(found, proof(trial("mutant", "adds_one"), trial("mutant", "squares", TWO)), legacy=False)
    expected = PATCHES.replace(
        "  fails: [hidden::test_any_number]  # is this all?\n",
        "  fails: [public::test_two, hidden::test_any_number]\n",
    ).replace("  name: squares\n", "  name: squares\n  breaks: [doubles, any]\n  fails: [hidden::test_any_number]\n")
    assert found.patches(QUESTION).read_text() == expected
    assert [str(header).rsplit("yml, ", 1)[1] for header in written.headers] == [
        "line 3 (adds_one): fails: public::test_two, hidden::test_any_number",
        "line 14 (squares): breaks: doubles, any; fails: hidden::test_any_number",
    ]
    names = {mutant.name: mutant for mutant in mutants_of(found, QUESTION, legacy=False)}
    assert names["squares"].fails == ("hidden::test_any_number",)
    assert names["adds_one"].breaks == ("doubles",)


def test_a_whole_file_gets_its_lines_after_the_docstring(root: Path) -> None:
    found = key(root)
    file = found.mutants(QUESTION)[0]
    write_headers(found, proof(trial("mutant", "zero")), legacy=False)
    header = "# fails: public::test_two, hidden::test_any_number\n# breaks: doubles\n"
    assert file.read_text() == FILE.replace("# fails: hidden::test_any_number\n", header)
    file.write_text(FILE.replace("# fails: hidden::test_any_number\n", "\n"))
    write_headers(found, proof(trial("mutant", "zero", TWO)), legacy=False)
    assert '"""Says zero."""\n# breaks: doubles, any\n# fails: hidden::test_any_number\n' in file.read_text()


def test_under_legacy_keras_only_what_differs_is_written_and_goes_when_it_no_longer_does(root: Path) -> None:
    found = key(root)
    write_headers(found, proof(trial("mutant", "adds_one")), legacy=True)
    text = found.patches(QUESTION).read_text()
    assert "  fails_legacy: [public::test_two, hidden::test_any_number]\n" in text
    assert "  fails: [hidden::test_any_number]  # is this all?\n" in text
    write_headers(found, proof(trial("mutant", "adds_one", TWO)), legacy=True)
    assert found.patches(QUESTION).read_text() == PATCHES
    write_headers(found, proof(trial("mutant", "zero")), legacy=True)
    assert "# fails (legacy): public::test_two, hidden::test_any_number\n" in found.mutants(QUESTION)[0].read_text()


def test_a_long_header_has_a_line_for_each_check(root: Path) -> None:
    found = key(root)
    long = Check(question=QUESTION, name="test_" + 90 * "x", public=False, title="", hint="", points=0)
    mutant = Trial(kind="mutant", name="adds_one", question=QUESTION, results=(result(TWO, False), result(long, False)))
    write_headers(found, proof(mutant), legacy=False)
    lines = f"  fails:\n  - public::test_two\n  - hidden::{long.name}\n\n  # What is replaced:\n"
    assert lines in found.patches(QUESTION).read_text()


@pytest.mark.parametrize(("mark", "end"), [("", "\n"), ("", "\r\n"), ("\ufeff", "\n")], ids=["unix", "windows", "mark"])
def test_the_ends_of_lines_stay_and_a_last_line_without_one_gets_it(root: Path, mark: str, end: str) -> None:
    patches = key(root).patches(QUESTION)
    lines = ["- replace: 2 * x", "  with: x * x", "  name: squares", "  misconception: It is squared."]
    patches.write_bytes((mark + end.join(lines)).encode())
    write_headers(key(root), proof(trial("mutant", "squares", TWO)), legacy=False)
    header = ["  breaks: [doubles, any]", "  fails: [hidden::test_any_number]", ""]
    assert patches.read_bytes().decode() == mark + end.join([*lines, *header])


def left(root: Path, *mutants: Trial) -> WrittenHeaders:
    return write_headers(key(root), proof(*mutants), legacy=False)


def test_a_mutant_that_fails_nothing_or_does_not_run_gets_no_header(root: Path) -> None:
    written = left(root, trial("mutant", "squares", TWO, ANY), trial("mutant", "adds_one", unloaded=True))
    assert key(root).patches(QUESTION).read_text() == PATCHES
    assert written.left == (
        "x.yml (squares): it fails no check: correct it, or add a check that it fails",
        "x.yml (adds_one): it does not run",
    )


def test_what_cannot_be_run_is_told_where_no_header_is_written(root: Path) -> None:
    unready = Proof(assignment="tiny", unready={QUESTION: ("assignments/tiny/q01_double/prompt.md",)})
    assert write_headers(key(root), unready, legacy=False).left == (
        "q01_double is not ready: fill in prompt.md, and remove the placeholder line from each",
    )


def test_no_header_is_written_if_the_reference_fails_or_an_entry_is_on_one_line(root: Path) -> None:
    with pytest.raises(CourseError, match="does not pass every check, so what mutants fail says nothing"):
        write_headers(key(root), proof(trial("mutant", "squares", TWO), right=False), legacy=False)
    file = key(root).patches(QUESTION)
    file.write_text("- {name: squares, misconception: No., replace: 2 * x, with: x * x}\n")
    with pytest.raises(CourseError, match="Write it yourself: the entry is on one line, between braces"):
        write_headers(key(root), proof(trial("mutant", "squares", TWO)), legacy=False)


def selected(root: Path, *checks: str) -> list[str]:
    gradable = GradableAssignment.open(courses.find(root), "tiny")
    collected = CollectedChecks(checks=(TWO, ANY), broken={})
    return [check.name for check in Scope(checks=checks).rubric(Rubric.of(gradable, collected)).checks]


@pytest.mark.parametrize("name", ["test_any_number", "any", "hidden::", f"{QUESTION}::hidden", "test_any"])
def test_a_check_is_found_by_its_name_its_id_and_a_prefix_of_them(root: Path, name: str) -> None:
    assert selected(root, name) == ["test_any_number"]
    assert selected(root) == ["test_two", "test_any_number"]


def test_a_check_or_a_mutant_that_is_not_there_or_not_unique_is_refused(root: Path) -> None:
    with pytest.raises(RequestError, match=r"test_ may be the check .*test_two, .*: write more of its id"):
        selected(root, "test_")
    with pytest.raises(RequestError, match=r"there is no check test_tow in what is verified\. Did you mean 'test_two'"):
        selected(root, "test_tow")
    mutants = {QUESTION: mutants_of(key(root), QUESTION, legacy=False, drafts=True)}
    with pytest.raises(RequestError, match=r"there is no mutant square_ in what is verified\. Did you mean 'squares'"):
        Scope(mutants=("square_",)).of(mutants)
    assert [each.name for each in Scope(mutants=("sq", "q01_double/z")).of(mutants)[QUESTION]] == [
        "squares",
        "zero",
    ]


def test_the_page_shows_requirements_checks_and_mutants_and_what_students_read(root: Path) -> None:
    gradable = GradableAssignment.open(courses.find(root), "tiny")
    prompt = Prompt.read(QUESTION, root / "assignments/tiny" / QUESTION / "prompt.md", root)
    starter = trial("starter", "starter")
    whole = Proof(
        assignment="tiny", checks=(TWO, ANY), prompts=(prompt,),
        trials=(trial("reference", "reference", TWO, ANY), starter, trial("mutant", "adds_one", ANY)),
    )  # fmt: skip
    html, markdown = (
        page(whole, gradable.assignment, course="A course", root=root, suffix=suffix) for suffix in (".html", ".md")
    )
    for part in ("doubles", "public::test_two", "adds_one", "0.25", "2 of 3 points", "It is starter"):
        assert part in html and part in markdown
    assert "Return *twice* the number | &lt;b&gt;." in html and "Return *twice* the number \\| <b>." in markdown
    assert "<script" not in html and "http" not in html.replace("http-equiv", "")
    assert html.count(SECRET) == 2, "the message of the public check, for the starter and the mutant"
    assert markdown.count("Hint: Think <twice>.") == 2 and "Hint: Whole?" in markdown
    assert [text.count("The question says: ") for text in (html, markdown)] == [3, 3]
    assert 'The question says: "Return twice the number' in markdown


def options(**given: object) -> ProvingOptions:
    nothing: dict[str, object] = {
        "checks": (), "mutants": (), "write_headers": False, "preview": False, "brief": False, "report": None,
        "watch": False,
    }  # fmt: skip
    return ProvingOptions(**(nothing | given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (("--report", "student/proof.html"), "write it to a folder outside student/"),
        (("--report", "assignments/tiny/proof.md"), "write it to a folder outside assignments/"),
        (("--report", "proof.pdf"), "name a file that ends in .html or .md"),
        (("--report", "gone/proof.md"), "cannot write gone/proof.md: the folder gone does not exist, make it"),
        (("--report", "proof.md", "--mutant", "zero"), "is about a whole assignment or question: leave out"),
        (("--report", "proof.md", "--brief"), "is about a whole assignment or question: leave out"),
        (("--watch", "--json"), "--watch shows one assignment: name it, and leave out --json"),
        (("--report", "notes.md"), "notes.md is another file, which --report would replace: name a new one"),
        (("--watch", "--check", "any"), "--watch with --check or --mutant looks at one question: name it"),
        (("--watch", "--repeat", "2"), "--watch runs each solution once: leave out --repeat"),
        (("--preview", "--json"), "--preview and --write-headers print text: leave out --json"),
        (("--write-headers", "--check", "any"), "needs the results of every check: leave out --check"),
        (("--write-headers", "--brief"), "leave out --check, --brief and --preview"),
    ],
)
def test_options_that_exclude_each_other_are_refused(root: Path, arguments: tuple[str, ...], advice: str) -> None:
    (root / "student").mkdir()
    (root / "notes.md").write_text("My own notes.")
    run = called(root, "verify", "tiny", *arguments)
    assert run.returncode == 2
    assert advice in run.stderr
    assert not list((root / "student").iterdir())
    assert (root / "notes.md").read_text() == "My own notes."


@pytest.mark.parametrize("brief", [False, True])
def test_make_verify_writes_the_page_of_a_whole_proof(brief: bool) -> None:
    program, verb, *arguments = recipe("verify", *(["BRIEF=1"] if brief else []))
    assert (program.rpartition("/")[2], verb) == ("gradetape", "verify")
    given = command.make_context("verify", arguments).params
    assert (given["brief"], given["report"]) == (brief, None if brief else Path("results/proof.html"))


def test_previews_run_no_right_solution_and_single_mutants_only_the_reference() -> None:
    assert options().scope.partial is False
    assert options(preview=True).scope.kinds == ("starter", "mutant")
    assert options(mutants=("x",)).scope.kinds == ("reference", "mutant")
    assert options(mutants=("x",), preview=True).scope.kinds == ("mutant",)


def test_a_preview_says_why_it_ends_with_another_status(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unready = Proof(assignment="tiny", unready={QUESTION: ("assignments/tiny/q01_double/prompt.md",)})
    gradable = GradableAssignment.open(courses.find(root), "tiny")
    assert shown(gradable, unready, options(preview=True), as_json=False) == 1
    assert "q01_double is not ready: fill in prompt.md" in capsys.readouterr().err


def test_headers_are_written_then_one_check_is_run_on_one_mutant_and_a_preview_shows_it(root: Path) -> None:
    (root / "assignments/tiny" / QUESTION / "prompt.md").write_text("# Twice\n\nReturn twice the number.\n")
    file = key(root).patches(QUESTION)
    file.write_text(PATCHES.replace("  breaks: [doubles]\n", ""))
    written = gradetape(root, "verify", "tiny", "--question", "q01", "--write-headers")
    assert written.returncode == 0
    assert "line 13 (squares): fails: hidden::test_any_number" in written.stdout
    assert "Changed 3 headers. Confirm each: should the misconception fail these checks" in written.stderr
    run = gradetape(root, "verify", "tiny", "--question", "q01", "--check", "any", "--mutant", "sq", "--json")
    report = json.loads(run.stdout)
    assert (run.returncode, run.stderr.strip(), report["partial"]) == (0, "", True)
    assert [(mutant["name"], mutant["failed"]) for mutant in report["mutants"]] == [
        ("squares", ["hidden::test_any_number"])
    ]
    assert [check["name"] for check in report["checks"]] == ["test_any_number"]
    assert report["checks"][0]["seconds"] > 0
    assert report["checks"][0]["basis"] == "testimony"
    zero = root / "solutions/tiny/mutants" / QUESTION / "zero.py"
    zero.write_text(re.sub("# fails: .*", "# fails: hidden::test_any_number", zero.read_text()))
    whole = called(root, "verify", "tiny", "--question", "q01", "--report", str(root / "proof.html"))
    assert "zero fails public::test_two unexpectedly" in whole.stdout
    assert "Says zero." in (root / "proof.html").read_text()
    brief = called(root, "verify", "tiny", "--question", "q01", "--brief")
    assert "unexpectedly" not in brief.stdout
    assert "note: each mutant ran only the checks that its header names" in brief.stdout
    preview = gradetape(root, "verify", "tiny", "--question", "q01", "--mutant", "zero", "--preview").stdout
    assert "q01_double, zero: Says zero. (0 of 3 points)" in preview
    assert re.search(r"✗ Twice two is four\.: not passed, 0 of 1\n", preview)
    assert "✗ Any number is doubled. (hidden): not passed, 0 of 2\n" in preview
    assert "Hint: Does it work for numbers that are not whole?" in preview
