"""Submissions that staff should look at though their grade is final."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from gradetape.exports.json import as_json
from gradetape.records import CellEvent, Check, FinalScore, Grade, Job, Outcome, Status, Verdict
from gradetape.report import staff_page, student_page
from gradetape.report.terminal import student_view
from gradetape.report.words import failures
from tests.course import DOUBLE, HALVE, notebook, write_files
from tests.factories import a_dashboard, a_grade, a_result
from tests.regrading import Answer, Graded, compared, edit, grade, passed

STARTERS = ("def double(x):\n    raise NotImplementedError", "def halve(x):\n    raise NotImplementedError")
OTTER = '# Initialize Otter\nimport otter\ngrader = otter.Notebook("tiny.ipynb")'
EXPORT = "# Save your notebook first, then run this cell.\ngrader.export(pdf=False, ignore_log=True)"
ENDED = "its process ended while its code ran: an exit, a crash, or too much memory"
UNTOUCHED = "the notebook is as it was released: no cell was changed"


def with_events(*events: CellEvent, of: str = "") -> Answer:
    """An engine's answer: everything is passed, and these things happened to cells with a text in them."""

    def answer(job: Job, checks: tuple[Check, ...]) -> Outcome:
        told = events if not job.trusted and any(of in cell.source for cell in job.cells) else ()
        return Outcome(results=passed(job, checks).results, events=told)

    return answer


def lacking(name: str, cell: int = 0) -> CellEvent:
    text = f"  File \"cell 1\", line 1, in <module>\n    import x\nModuleNotFoundError: No module named '{name}'"
    return CellEvent(cell=cell, kind="error", text=text)


def graded(root: Path, *events: CellEvent, of: str = "") -> Graded:
    return grade(root, answer=with_events(*events, of=of))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return compared(tmp_path / "course")


def test_a_batch_ends_with_the_packages_that_submissions_import_and_the_environment_lacks(root: Path) -> None:
    for number, student in enumerate(("grace", "linus", "barbara")):
        write_files(root, {f"in/{student}.ipynb": notebook(f"import seaborn  # {number}", DOUBLE, HALVE)})
    found = graded(root, lacking("seaborn"), lacking("seaborn", 1), of="seaborn")
    assert found.report.needs_attention
    assert (
        "needs attention: barbara, grace, linus: imports seaborn, which this environment lacks" in found.report.messages
    )
    assert found.report.messages[-2] == (
        "3 submissions import seaborn, which this environment lacks: add it to `packages` in "
        "assignments/tiny/assignment.yml and run pip install seaborn, then grade again"
    )
    by_student = {each.student: each for each in found.report.batch.grades}
    assert by_student["ada"].concerns == ()
    assert by_student["grace"].status is Status.GRADED and by_student["grace"].points == 5


def test_a_part_that_an_installed_package_no_longer_has_is_no_package_to_add(root: Path) -> None:
    found = graded(root, lacking("keras.wrappers.scikit_learn"))
    assert found.report.messages[-2] == (
        "1 submission imports keras.wrappers.scikit_learn, which the keras of this environment lacks"
    )


@pytest.mark.parametrize(("public", "concerns"), [(True, ("imports tqdm, which this environment lacks",)), (False, ())])
def test_an_import_in_a_function_counts_when_a_public_check_calls_it(
    root: Path, public: bool, concerns: tuple[str, ...]
) -> None:
    """What code says in a hidden check may hold its inputs."""

    def answer(job: Job, checks: tuple[Check, ...]) -> Outcome:
        text = "ModuleNotFoundError: No module named 'tqdm'"
        results = [
            a_result(
                check=each,
                verdict=Verdict.PASSED if job.trusted or each.public is not public else Verdict.ERROR,
                staff_message=text,
            )
            for each in checks
        ]
        return Outcome(results=tuple(results))

    assert grade(root, answer=answer).grade.concerns == concerns


@pytest.mark.parametrize(
    "cells", [STARTERS, (OTTER, *STARTERS, 'grader.check("q01_double")', EXPORT), (STARTERS[0] + "  \n",)]
)
def test_an_untouched_notebook_needs_attention(root: Path, cells: tuple[str, ...]) -> None:
    for question, text in zip(("q01_double", "q02_halve"), STARTERS, strict=True):
        (root / f"assignments/tiny/{question}/starter.py").write_text(f"{text}\n")
    write_files(root, {"in/ada.ipynb": notebook(*cells)})
    found = graded(root)
    assert (found.grade.concerns, found.report.needs_attention) == ((UNTOUCHED,), False)
    assert f"needs attention: ada: {UNTOUCHED}" in found.report.messages


@pytest.mark.parametrize("cell", ["x = 1", 'grader.check("q01_double")\nx = 1', f"{STARTERS[0]}\nx = 1"])
def test_a_notebook_with_a_line_of_its_own_is_not_untouched(root: Path, cell: str) -> None:
    write_files(root, {"in/ada.ipynb": notebook(*STARTERS, cell)})
    assert graded(root).grade.concerns == ()


def test_a_notebook_without_code_needs_attention(root: Path) -> None:
    write_files(root, {"in/ada.ipynb": notebook()})
    assert graded(root).grade.concerns == ("it has no code",)


@pytest.mark.parametrize(("cause", "concerns"), [("crashed", (ENDED,)), ("memory", (ENDED,)), ("timeout", ())])
def test_code_that_ended_its_process_needs_attention(root: Path, cause: str, concerns: tuple[str, ...]) -> None:
    assert graded(root, CellEvent(cell=0, kind="quarantined", text=f"{cause}; none of it")).grade.concerns == concerns


def test_a_process_that_ended_in_a_check_needs_attention(root: Path) -> None:
    def answer(job: Job, checks: tuple[Check, ...]) -> Outcome:
        verdict = Verdict.PASSED if job.trusted else Verdict.CRASHED
        return Outcome(results=tuple(a_result(check=each, verdict=verdict) for each in checks))

    assert grade(root, answer=answer).grade.concerns == (ENDED,)


def test_a_known_grade_still_needs_attention_and_runs_nothing(root: Path) -> None:
    graded(root, lacking("seaborn"))
    again = graded(root)
    assert again.jobs == [] and again.report.needs_attention


def test_after_the_package_was_added_to_the_course_everything_runs_again(root: Path) -> None:
    graded(root, lacking("seaborn"))
    edit(root, "assignments/tiny/assignment.yml", "files:", "packages: [seaborn]\nfiles:")
    found = grade(root, versions={"gradetape": "1", "seaborn": "0.13.2"})
    assert found.grade.concerns == () and not found.report.needs_attention


def concerned() -> Grade:
    return a_grade("ada", concerns=(ENDED,))


def test_the_dashboard_lists_it() -> None:
    page = a_dashboard([concerned(), a_grade("bob")], [], assignment="tiny")
    assert "2 students, 1 in need of attention" in page and ENDED in page


def test_json_says_why() -> None:
    found = as_json([concerned(), a_grade("bob")], [], "tiny", "none", max_points=5)["submissions"]
    assert [each.get("attention") for each in found] == [[ENDED], None]


def missing(question: str) -> Check:
    return Check(question=question, name="test_x", public=True, title="It trains.", hint="", points=1)


def test_a_question_begins_with_where_a_cell_failed() -> None:
    """The cause stands before the checks that follow from it."""
    results = [
        a_result(check=missing("q01"), verdict=Verdict.MISSING, message="train is not defined"),
        a_result(check=missing("q02"), verdict=Verdict.PASSED),
    ]
    cause = CellEvent(cell=5, kind="error", text="PermissionError: [Errno 13] 'logs'", question="q01")
    other = CellEvent(cell=1, kind="error", text="ZeroDivisionError", question="q02")
    page = student_page(a_grade("ada", *results, events=(other, cause)))
    assert 0 < page.find("First of all, a cell failed") < page.find("PermissionError") < page.find("train is not")
    assert page.count("First of all") == page.count("ZeroDivisionError") == 1, "the second question is passed"
    staff = staff_page(a_grade("ada", *results, events=(other, cause)))
    assert 0 < staff.find("PermissionError") < staff.find("train is not defined")


def test_where_its_own_cells_did_not_fail_the_first_cell_that_failed_is_named() -> None:
    result = a_result(check=missing("q01"), verdict=Verdict.MISSING, message="train is not defined")
    events = tuple(CellEvent(cell=number, kind="error", text=f"Error {number}") for number in (2, 3))
    found = failures(a_grade("ada", result, events=events), "q01")
    assert [event["text"] for event in found] == ["Error 2"]
    assert failures(a_grade("ada", a_result(check=missing("q01")), events=events), "q01") == []
    wrong = a_result(check=missing("q01"), verdict=Verdict.FAILED)
    assert failures(a_grade("ada", wrong, events=events), "q01") == []


def test_the_terminal_names_the_cell_before_the_checks() -> None:
    result = a_result(check=missing("q01"), verdict=Verdict.MISSING, message="train is not defined")
    event = CellEvent(cell=5, kind="error", text="  line 1\nPermissionError: logs", question="q01")
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(student_view(a_grade("ada", result, events=(event,)), FinalScore(measured=0, final=0), staff=False))
    shown = console.export_text()
    assert shown.find("Code cell 6 raised an error; later cells still ran: PermissionError: logs") > 0
    assert shown.find("PermissionError: logs") < shown.find("It trains.")
