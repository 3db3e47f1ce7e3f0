"""What has to be judged again after a change: the questions whose results it can change, and no others."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import nbformat
import pytest

from gradetape import records
from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.engine import MockEngine
from gradetape.engine.own_code import deciding_files
from gradetape.errors import CourseError
from gradetape.gradebook import Gradebook
from gradetape.grading import run as running
from gradetape.grading.batch import BatchGrader
from gradetape.grading.request import GradePlan, GradeRequest, plan
from gradetape.records import CellEvent, Check, CheckResult, Job, Lost, Origin, Outcome, Status, Verdict
from tests.books import attempts, engine_of
from tests.course import DOUBLE, HALVE, by_student, called, notebook, write_files
from tests.regrading import (
    BOTH,
    DOUBLED,
    HALVED,
    HIDDEN,
    NOTEBOOK,
    PUBLIC,
    STUDENT_FILE,
    USES_REFERENCE,
    Answer,
    checks_of,
    compared,
    edit,
    failed,
    grade,
    passed,
    planned,
)
from tests.submissions import script


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return compared(tmp_path / "course")


# One change of each kind


def _another_output(root: Path) -> None:
    path = root / NOTEBOOK
    read = nbformat.read(path, as_version=4)
    read.cells[0].outputs = [nbformat.v4.new_output("stream", text="42\n")]
    nbformat.write(read, path)


def _another_student(root: Path) -> None:
    (root / NOTEBOOK).rename(root / "in/grace.ipynb")


def _another_folder(root: Path) -> None:
    (root / "in/week 3").mkdir()
    (root / NOTEBOOK).rename(root / "in/week 3/ada.ipynb")


def _another_file_name(root: Path) -> None:
    (root / "in/ada").mkdir()
    (root / NOTEBOOK).rename(root / "in/ada/homework (2).ipynb")


def _another_seed(root: Path) -> None:
    (root / "autograder/seed").write_text("ab" * 32)


def _another_name(root: Path) -> None:
    (root / f"assignments/tiny/{STUDENT_FILE}").rename(root / "assignments/tiny/numbers.csv")
    edit(root, "assignments/tiny/assignment.yml", STUDENT_FILE, "numbers.csv")


def _at_the_end(file: str, text: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        with (root / file).open("a", encoding="utf-8") as opened:
            opened.write(text)

    return change


def _edited(file: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda root: edit(root, file, old, new)


def _with_helper(root: Path) -> None:
    edit(root, HIDDEN, "number = float(rng.normal())", "number = drawn(rng)")
    _at_the_end(HIDDEN, "\n\ndef drawn(rng):\n    return float(rng.normal())\n")(root)


def _with_decorator(root: Path) -> None:
    own = "from gradetape.checks import points\n\n\ndef hint(text):\n    return lambda check: check"
    edit(root, HIDDEN, "from gradetape.checks import hint, points", own)


def _other_shares(root: Path) -> None:
    edit(root, HIDDEN, "@points(2)", "@points(1)")
    edit(root, PUBLIC, "@points(1)", "@points(2)")


def _more_points(root: Path) -> None:
    edit(root, HIDDEN, "@points(2)", "@points(4)")
    edit(root, "assignments/tiny/assignment.yml", "q01_double: 3", "q01_double: 5")


NEW_CHECK = "\n\ndef test_zero(student):\n    '''Zero.'''\n    assert student.double(0) == 0\n"
NOTHING: set[str] = set()
CHANGES: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "nothing": (lambda root: None, NOTHING),
    "a comment in a check": (_edited(HIDDEN, "    number =", "    # A number.\n    number ="), NOTHING),
    "a comment in a public check": (_at_the_end(PUBLIC, "\n# The end.\n"), NOTHING),
    "the formatting of a check": (_edited(HIDDEN, "2 * number", "(2\n        * number)"), NOTHING),
    "a hint": (_edited(HIDDEN, "not whole?", "negative?"), NOTHING),
    "a title": (_edited(HIDDEN, "Any number is doubled.", "Every number is doubled."), NOTHING),
    "points": (_other_shares, NOTHING),
    "a question's points": (_more_points, NOTHING),
    "a prompt": (_at_the_end(f"assignments/tiny/{DOUBLED}/prompt.md", "\nIt is quick.\n"), NOTHING),
    "a comment in a starter": (_at_the_end(f"assignments/tiny/{DOUBLED}/starter.py", "\n# The end.\n"), NOTHING),
    "a comment in the reference": (_at_the_end(f"solutions/tiny/{DOUBLED}.py", "\n# The end.\n"), NOTHING),
    "the course's title": (_edited("grader_config.yml", "A course", "Another course"), NOTHING),
    "the late policy": (_at_the_end("grader_config.yml", "late:\n  percent_per_day: 10\n"), NOTHING),
    "an output of a cell": (_another_output, NOTHING),
    "the folder of a file": (_another_folder, NOTHING),
    "the file's name": (_another_file_name, NOTHING),
    "the student's name": (_another_student, NOTHING),
    "the code of a check": (_edited(HIDDEN, "2 * number", "number + number"), {DOUBLED}),
    "the code of a public check": (_edited(PUBLIC, "double(2) == 4", "double(3) == 6"), {DOUBLED}),
    "the name of a check": (_edited(HIDDEN, "test_any_number", "test_each_number"), {DOUBLED}),
    "the limit of a check": (_edited(HIDDEN, "@points(2)", "@points(2)\n@limit(5)"), {DOUBLED}),
    "a helper of a check": (_with_helper, {DOUBLED}),
    "an import of a check file": (_edited(PUBLIC, "from gradetape", "import math\n\nfrom gradetape"), {DOUBLED}),
    "a new check": (_at_the_end(PUBLIC, NEW_CHECK), {DOUBLED}),
    "a decorator that only looks like a hint": (_with_decorator, {DOUBLED}),
    "the reference": (_edited(f"solutions/tiny/{HALVED}.py", "x / 2", "0.5 * x"), {HALVED}),
    "the reference of another question": (_edited(f"solutions/tiny/{DOUBLED}.py", "2 * x", "x + x"), {HALVED}),
    "the names of a starter": (
        _edited(f"assignments/tiny/{HALVED}/starter.py", "def halve", "def double(x): ...\n\n\ndef halve"), {DOUBLED}
    ),
    "a file for students": (_at_the_end(f"assignments/tiny/{STUDENT_FILE}", "2\n"), BOTH),
    "the name of a file for students": (_another_name, BOTH),
    "a file that students do not receive": (
        lambda root: write_files(root, {"assignments/tiny/notes.md": "?"}), NOTHING
    ),
    "the seed": (_another_seed, BOTH),
    "a limit": (_edited("grader_config.yml", "cell_s: 20", "cell_s: 21"), BOTH),
    "the Keras generation": (_at_the_end("grader_config.yml", "keras: legacy\n"), BOTH),
    "a cell": (_edited(NOTEBOOK, "x + x", "2 * x"), BOTH),
    "a comment in a cell": (_edited(NOTEBOOK, "return x + x", "return x + x  # twice"), BOTH),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_runs_the_questions_whose_results_it_can_change(root: Path, name: str) -> None:
    change, expected = CHANGES[name]
    assert grade(root).judged == BOTH
    change(root)
    assert grade(root).judged == expected
    assert grade(root).judged == NOTHING


@pytest.mark.parametrize("environment", [{"versions": {"gradetape": "2"}}, {"identity": "a GPU"}])
def test_another_version_or_environment_runs_everything(root: Path, environment: dict[str, object]) -> None:
    grade(root)
    assert grade(root, **environment).judged == BOTH  # type: ignore[arg-type]


def test_the_code_that_judges_belongs_to_the_environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A development version keeps its number while the way in which inputs are drawn changes."""
    grade(root)
    monkeypatch.setattr("gradetape.grading.question_keys.own_code", lambda: "another")
    assert grade(root).judged == BOTH


def test_that_code_has_every_record_that_it_uses_and_none_of_what_people_give() -> None:
    files = deciding_files()
    used = {
        name.name
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "gradetape.records"
        for name in node.names
    }
    assert len(used) > 10
    homes = {Path(inspect.getfile(getattr(records, name))) for name in used}
    assert homes <= set(files)
    assert Path(inspect.getfile(records.Comment)) not in files


@pytest.mark.parametrize(
    ("change", "proven"),
    [
        (lambda root: edit(root, HIDDEN, "2 * number", "number + number"), {DOUBLED}),
        (lambda root: edit(root, f"solutions/tiny/{DOUBLED}.py", "2 * x", "x + x"), BOTH),
        (lambda root: edit(root, HIDDEN, "not whole?", "negative?"), NOTHING),
        (lambda root: edit(root, NOTEBOOK, "x + x", "2 * x"), NOTHING),
    ],
    ids=["a check", "the reference", "a hint", "a cell"],
)
def test_the_reference_is_judged_where_something_changed_too(
    root: Path, change: Callable[[Path], None], proven: set[str]
) -> None:
    assert grade(root).proven == BOTH
    change(root)
    assert grade(root).proven == proven


# What a grade is composed of


def test_the_results_of_the_other_questions_are_those_from_before(root: Path) -> None:
    grade(root)
    edit(root, HIDDEN, "2 * number", "number + number")
    again = grade(root, answer=failed)
    assert (again.grade.earned(DOUBLED), again.grade.earned(HALVED)) == (0, 2)
    assert again.grade.status is Status.GRADED
    assert [result.check.question for result in again.grade.results] == [DOUBLED, DOUBLED, HALVED, HALVED]


def test_a_reworded_hint_and_other_points_are_on_the_pages_at_once(root: Path) -> None:
    grade(root, answer=failed)
    edit(root, HIDDEN, "not whole?", "negative?")
    edit(root, HIDDEN, "Any number", "Every number")
    again = grade(root)
    assert again.jobs == []
    page = (root / "results/students/tiny/ada.html").read_text(encoding="utf-8")
    assert "negative?" in page and "Every number" in page and "not whole?" not in page
    assert again.report.messages[-1].startswith("0 graded now, 1 from results that were known, 0 graded before")


def test_other_points_count_without_a_run(root: Path) -> None:
    assert grade(root).grade.points == 5
    _more_points(root)
    again = grade(root)
    assert again.jobs == [] and (again.grade.points, again.grade.max_points) == (7, 7)


def test_the_prompt_is_quoted_as_it_is_now(root: Path) -> None:
    edit(root, HIDDEN, "@points(2)", '@points(2)\n@proves("twice")')
    prompt = root / f"assignments/tiny/{DOUBLED}/prompt.md"
    before = prompt.read_text(encoding="utf-8")
    for number, words in enumerate(("It doubles.", "It gives twice as much.")):
        prompt.write_text(f"{before}\n<!-- requirement: twice --> {words}\n", encoding="utf-8")
        graded = grade(root, answer=failed)
        assert words in [sentence for result in graded.grade.results for sentence in result.sentences]
        assert bool(graded.jobs) is (number == 0)


def test_two_students_with_the_same_cells_are_judged_once(root: Path) -> None:
    (root / "in/grace.ipynb").write_text(notebook(DOUBLE, HALVE))
    first = grade(root)
    assert len([job for job in first.jobs if not job.trusted]) == 1
    assert {each.student: each.points for each in first.report.batch.grades} == {"ada": 5, "grace": 5}
    (root / "in/linus.ipynb").write_text(notebook(DOUBLE, HALVE))
    assert grade(root).judged == NOTHING


def test_who_waits_for_the_results_of_another_is_judged_when_they_are_lost(root: Path) -> None:
    (root / "in/grace.ipynb").write_text(notebook(DOUBLE, HALVE))
    tries: list[Job] = []

    def lost_once(job: Job, checks: tuple[Check, ...]) -> Outcome | Lost:
        if not job.trusted:
            tries.append(job)
        return Lost(reason="the node is gone") if len(tries) == 1 and not job.trusted else passed(job, checks)

    graded = grade(root, answer=lost_once)
    assert {each.student: each.points for each in graded.report.batch.grades} == {"ada": 5, "grace": 5}
    assert len(tries) == 2


def test_a_fault_is_no_result_and_its_question_runs_again(root: Path) -> None:
    def faulty(job: Job, checks: tuple[Check, ...]) -> Outcome:
        outcome = passed(job, checks)
        kept = tuple(each for each in outcome.results if job.trusted or each.check.question == HALVED)
        return Outcome(results=kept)

    first = grade(root, answer=faulty)
    assert first.grade.status is Status.NEEDS_ATTENTION
    again = grade(root)
    assert again.judged == {DOUBLED} and again.grade.points == 5 and again.grade.status is Status.GRADED


def test_a_check_that_the_reference_no_longer_passes_is_a_fault_of_known_results_too(root: Path) -> None:
    grade(root)
    edit(root, f"solutions/tiny/{DOUBLED}.py", "2 * x", "3 * x")

    def broken(job: Job, checks: tuple[Check, ...]) -> Outcome:
        wrong = [check for check in checks if check.question == DOUBLED]
        return (
            failed(job, checks)
            if not job.trusted
            else Outcome(
                results=tuple(
                    CheckResult(
                        check=each, verdict=Verdict.FAULT if each in wrong else Verdict.PASSED, points=0, seconds=0
                    )
                    for each in checks
                )
            )
        )

    again = grade(root, answer=broken)
    assert again.judged == {HALVED}, "results that nobody may trust are not measured again"
    assert again.grade.status is Status.NEEDS_ATTENTION
    assert {result.verdict for result in again.grade.of(DOUBLED)} == {Verdict.FAULT}


def test_a_check_that_is_gone_counts_for_nothing_and_its_result_is_kept(root: Path) -> None:
    first = grade(root)
    text = (root / HIDDEN).read_text().replace("test_any_number", "test_each_number")
    (root / HIDDEN).write_text(text)
    second = grade(root)
    assert [result.check.name for result in second.grade.of(DOUBLED)] == ["test_two", "test_each_number"]
    with Gradebook.open(root / "results/gradebook.sqlite") as book:
        assert [each.record for each in attempts(book, "tiny", "ada")] == [first.grade, second.grade]


def test_a_change_that_is_taken_back_costs_nothing(root: Path) -> None:
    first = grade(root)
    edit(root, HIDDEN, "2 * number", "number + number")
    grade(root, answer=failed)
    edit(root, HIDDEN, "number + number", "2 * number")
    back = grade(root)
    assert back.jobs == [] and back.grade == first.grade


def test_a_question_that_is_added_is_the_only_one_that_runs(root: Path) -> None:
    grade(root)
    write_files(
        root,
        {
            "assignments/tiny/q03_square/prompt.md": "# Square\n",
            "assignments/tiny/q03_square/starter.py": "def square(x): ...\n",
            "assignments/tiny/q03_square/test_public.py": (
                "from gradetape.checks import points\n\n\n@points(1)\ndef test_three(student):\n"
                '    """Three."""\n    assert student.square(3) == 9\n'
            ),
            "autograder/tiny/test_q03_square.py": "",
            "solutions/tiny/q03_square.py": "def square(x):\n    return x * x\n",
        },
    )
    edit(root, "assignments/tiny/assignment.yml", "q02_halve: 2", "q02_halve: 2\n  q03_square: 1")
    again = grade(root)
    # The second question's checks may use the whole reference, which has one more solution now.
    assert again.judged == {HALVED, "q03_square"} and again.grade.max_points == 6


def test_what_was_printed_is_told_once_and_what_broke_is_kept(root: Path) -> None:
    """The events of a grade are those of its newest run, and what happened to a cell in the runs before it."""

    def printing(text: str, *more: CellEvent) -> Answer:
        def answer(job: Job, checks: tuple[Check, ...]) -> Outcome:
            outcome = passed(job, checks)
            events = (CellEvent(cell=1, kind="output", text=text), *more)
            return Outcome(results=outcome.results, events=() if job.trusted else events, review=(text,), seconds=2.0)

        return answer

    broken = CellEvent(cell=0, kind="quarantined", text="it hangs")
    grade(root, answer=printing("first", broken))
    edit(root, HIDDEN, "2 * number", "number + number")
    again = grade(root, answer=printing("second")).grade
    assert [(each.cell, each.kind, each.text, each.question) for each in again.events] == [
        (0, "quarantined", "it hangs", DOUBLED), (1, "output", "second", HALVED)
    ]  # fmt: skip
    assert (again.review, again.seconds) == (("second", "first"), 4.0)


# --regrade and --question


def test_to_regrade_is_to_judge_everything_once_more(root: Path) -> None:
    (root / "in/grace.ipynb").write_text(notebook(DOUBLE, HALVE))
    grade(root)
    again = grade(root, answer=failed, regrade=True)
    assert again.judged == BOTH and len([job for job in again.jobs if not job.trusted]) == 1
    assert {each.points for each in again.report.batch.grades} == {0}
    assert grade(root).jobs == [], "the newest result counts"


def test_one_question_is_judged_into_the_same_gradebook(root: Path) -> None:
    grade(root)
    edit(root, HIDDEN, "2 * number", "number + number")
    edit(root, USES_REFERENCE, "halve(5)", "halve(7)")
    one = grade(root, question="q01", answer=failed)
    assert one.judged == {DOUBLED}
    assert [question.id for question in one.grade.questions] == [DOUBLED] and one.grade.status is Status.GRADED
    assert not one.report.needs_attention
    assert any(
        "not complete: ada: not graded with the current checks: q02_halve" in line for line in one.report.messages
    )
    with Gradebook.open(root / "results/gradebook.sqlite") as book:
        [stored] = book.latest("tiny")
    assert stored.status is Status.NEEDS_ATTENTION and [each.id for each in stored.questions] == [DOUBLED]
    whole = grade(root)
    assert whole.judged == {HALVED} and whole.grade.status is Status.GRADED
    assert (whole.grade.earned(DOUBLED), whole.grade.earned(HALVED)) == (0, 2)


def test_one_question_alone_keeps_the_others_whose_results_are_current(root: Path) -> None:
    grade(root)
    edit(root, HIDDEN, "2 * number", "number + number")
    assert grade(root, question="q01", answer=failed).judged == {DOUBLED}
    with Gradebook.open(root / "results/gradebook.sqlite") as book:
        [stored] = book.latest("tiny")
    assert stored.status is Status.GRADED and stored.points == 2 and len(stored.questions) == 2
    assert grade(root).jobs == []


def test_one_question_is_regraded_and_the_grade_keeps_the_others(root: Path) -> None:
    grade(root)
    again = grade(root, question="q01", regrade=True, answer=failed)
    assert again.judged == {DOUBLED} and not again.report.needs_attention
    assert all({DOUBLED} == {check.partition("::")[0] for check in job.only or ()} for job in again.jobs)
    with Gradebook.open(root / "results/gradebook.sqlite") as book:
        [stored] = book.latest("tiny")
    assert stored.status is Status.GRADED and [each.id for each in stored.questions] == [DOUBLED, HALVED]
    assert (stored.earned(DOUBLED), stored.earned(HALVED)) == (0, 2)
    assert grade(root).jobs == [], "and it is final"


def test_a_question_whose_points_do_not_add_up_is_no_hindrance_to_another_one(root: Path) -> None:
    edit(root, USES_REFERENCE, "@points(1)", "@points(9)")
    assert grade(root, question="q01").judged == {DOUBLED}


def test_a_result_that_is_damaged_is_judged_again(root: Path) -> None:
    grade(root)
    edit(root, HIDDEN, "not whole?", "negative?")
    with engine_of(str(root / "results/gradebook.sqlite")).begin() as connection:
        connection.exec_driver_sql("UPDATE question_results SET record = 'x' WHERE question = 'q01_double'")
    work, _ = planned(root)
    assert [each.question for each in running.workload(work).work] == [DOUBLED], "and that is told before"
    assert grade(root).judged == {DOUBLED}
    edit(root, HIDDEN, "negative?", "complex?")
    assert grade(root).jobs == []


def _plan_and_then(root: Path, change: Callable[[], None]) -> tuple[GradePlan, MockEngine]:
    """A plan of which the checks change after they were read, before the engine collects them."""
    course = courses.find(root)
    checks = checks_of(GradableAssignment.open(course, "tiny"))
    engine = MockEngine(lambda job: passed(job, checks), checks=checks)

    def opened(*_: object) -> MockEngine:
        change()
        return engine

    return plan(course, GradeRequest(paths=(root / "in",), assignment="tiny"), opened), engine


@pytest.mark.parametrize("file", [HIDDEN, PUBLIC])
def test_checks_that_change_while_a_run_begins_leave_no_result_under_another_key(root: Path, file: str) -> None:
    work, engine = _plan_and_then(root, lambda: _at_the_end(file, "\n\nLIMIT = 2\n")(root))
    with pytest.raises(
        CourseError, match=r"Changed after the command had read it: \S+\.py\. What was .* is kept\. Run"
    ):
        running.run(work, lambda _: None)
    assert engine.jobs == []
    again = grade(root)
    assert again.judged == again.proven == BOTH and again.grade.points == 5


def test_checks_that_are_gone_when_a_run_begins_are_no_result(root: Path) -> None:
    work, engine = _plan_and_then(root, (root / HIDDEN).unlink)
    with pytest.raises(CourseError, match="Changed after the command had read it: autograder/tiny/test_q01_double"):
        running.run(work, lambda _: None)
    assert engine.jobs == []


def test_the_gradebook_holds_nothing_from_which_the_seed_could_be_guessed(root: Path) -> None:
    grade(root)
    seed = (root / "autograder/seed").read_text().strip()
    with engine_of(str(root / "results/gradebook.sqlite")).begin() as connection:
        records = connection.exec_driver_sql("SELECT record FROM question_results").scalars().all()
    assert records and not any(seed in record for record in records)
    assert len(json.loads(records[0])["parts"]["seed"]) == 64


def test_what_the_platform_says_anew_leaves_a_grade_composed_of_its_results(root: Path) -> None:
    """A mark of lateness that comes later is an attempt of its own, and the reasons of the next run are still known."""
    gradable = GradableAssignment.open(courses.find(root), "tiny")
    engine = MockEngine(lambda job: passed(job, checks_of(gradable)), checks=checks_of(gradable))
    submission = script("ada", f"{DOUBLE}\n{HALVE}\n", assignment="tiny")
    with Gradebook.open(root / "gradebook.sqlite") as book:
        grader = BatchGrader(gradable, engine, book, lambda _: None)
        for late in (None, True):
            origin = Origin(layout="canvas", id="7", late=late)
            grader.run([msgspec.structs.replace(submission, origin=origin)])
            assert book.latest("tiny")[0].origin == origin
            assert set(book.composition("tiny")["ada"]) == BOTH
    assert len([job for job in engine.jobs if not job.trusted]) == 1


def test_the_command_judges_what_a_change_affects_and_gets_what_a_full_run_gets(root: Path) -> None:
    """With workers: the whole submission, the same again, one question after a change, and one question alone."""
    (root / "in/grace.ipynb").write_text(notebook(DOUBLE, "def halve(x):\n    return x // 2"))
    line = ("grade", "in", "--workers", "1", "--json")
    first = called(root, *line)
    again = called(root, *line)
    assert (again.returncode, again.stdout) == (first.returncode, first.stdout) and first.returncode == 0
    assert "2 of 2 already have a grade and are skipped" in again.stderr
    edit(root, HIDDEN, "2 * number", "number + number")
    changed = called(root, *line)
    assert f"{DOUBLED}: its checks changed" in changed.stderr and HALVED not in changed.stderr
    alone = called(root, *line, "--question", "q02", "--regrade")
    whole = by_student(first)
    for run in (changed, alone):
        for student, found in by_student(run).items():
            for question, result in found["questions"].items():
                before = whole[student]["questions"][question]
                assert [_untimed(check) for check in result["checks"]] == [
                    _untimed(check) for check in before["checks"]
                ]
    assert {student: list(found["questions"]) for student, found in by_student(alone).items()} == {
        "ada": [HALVED], "grace": [HALVED]
    }  # fmt: skip
    assert called(root, *line).stderr.count("already have a grade") == 1


def _untimed(check: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in check.items() if name != "seconds"}
