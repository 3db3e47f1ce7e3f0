"""What `grade` says before it starts (what will run and why) and afterwards (whose points changed)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gradetape.cli.grade import _document
from gradetape.course import assignments as courses
from gradetape.course.gradable import GradableAssignment
from gradetape.gradebook import Gradebook
from gradetape.grading import proven_checks
from gradetape.grading.events import WorkPlanned
from gradetape.grading.run import run, workload
from gradetape.records import Check, Job, Outcome, Status
from tests.books import engine_of
from tests.course import DOUBLE, HALVE, called, notebook
from tests.factories import a_tiny_grade
from tests.regrading import DOUBLED, HALVED, HIDDEN, NOTEBOOK, compared, edit, failed, grade, passed, planned

TODAY = datetime.now(UTC)
SINCE = f"since {TODAY.day} {TODAY:%b}"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return compared(tmp_path / "course")


def lines(root: Path, **how: object) -> tuple[str, ...]:
    """What a dry run says."""
    work, engine = planned(root, **how)  # type: ignore[arg-type]
    found = workload(work).lines
    assert engine.jobs == []
    return found


def submit(root: Path, student: str, *more: str) -> None:
    (root / f"in/{student}.ipynb").write_text(notebook(DOUBLE, HALVE, f"# {student}", *more))


def _other_seed(root: Path) -> None:
    (root / "autograder/seed").write_text("ab" * 32)


def _two_at_once(root: Path) -> None:
    edit(root, HIDDEN, "2 * number", "number + number")
    _other_seed(root)


REASONS: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "nothing": (lambda root: None, ("nothing to run: 1 submission graded before",)),
    "a check": (
        lambda root: edit(root, HIDDEN, "2 * number", "number + number"),
        (
            f"{DOUBLED}: its checks changed {SINCE}: 1 submission",
            f"{DOUBLED}: its checks changed, and gradetape verify has not proven them since. "
            f"Run gradetape verify --question {DOUBLED} first.",
        ),
    ),
    "the reference": (
        lambda root: edit(root, f"solutions/tiny/{HALVED}.py", "x / 2", "0.5 * x"),
        (f"{HALVED}: the reference solution changed {SINCE}: 1 submission",),
    ),
    "the seed": (_other_seed, (f"all questions: the course's seed changed {SINCE}: 1 submission",)),
    "a limit": (
        lambda root: edit(root, "grader_config.yml", "cell_s: 20", "cell_s: 21"),
        (f"all questions: the limits changed {SINCE}: 1 submission",),
    ),
    "a hint": (
        lambda root: edit(root, HIDDEN, "not whole?", "negative?"),
        ("nothing runs for 1 submission: their grades are composed of known results",),
    ),
    "a new student": (lambda root: submit(root, "grace"), ("1 new submission: all questions",)),
    "a new version": (lambda root: edit(root, NOTEBOOK, "x + x", "2 * x"), ("1 changed submission: all questions",)),
}  # fmt: skip


@pytest.mark.parametrize("name", REASONS)
def test_a_dry_run_says_what_would_run_and_why_and_stops(root: Path, name: str) -> None:
    change, expected = REASONS[name]
    grade(root)
    change(root)
    assert lines(root) == expected
    with Gradebook.open(root / "results/gradebook.sqlite") as book:
        assert len(book.latest("tiny")) == 1


def test_several_reasons_are_named_together_and_questions_apart(root: Path) -> None:
    grade(root)
    _two_at_once(root)
    found = lines(root)
    assert found[0] == f"{DOUBLED}: its checks changed and the course's seed changed {SINCE}: 1 submission"
    assert found[1] == f"{HALVED}: the course's seed changed {SINCE}: 1 submission"


def test_submissions_of_all_kinds_are_counted_apart(root: Path) -> None:
    for student in ("grace", "linus"):
        submit(root, student)
    grade(root)
    edit(root, HIDDEN, "2 * number", "number + number")
    submit(root, "linus", "x = 1")
    submit(root, "margaret")
    assert lines(root)[:3] == (
        f"{DOUBLED}: its checks changed {SINCE}: 2 submissions", "1 changed submission: all questions",
        "1 new submission: all questions",
    )  # fmt: skip


def test_a_date_of_another_year_names_it(root: Path) -> None:
    grade(root)
    with engine_of(str(root / "results/gradebook.sqlite")).begin() as connection:
        connection.exec_driver_sql("UPDATE runs SET created = '2019-10-12T10:00:00+00:00'")
    _other_seed(root)
    assert lines(root) == ("all questions: the course's seed changed since 12 Oct 2019: 1 submission",)


def test_regrading_one_question_and_what_was_not_final_are_reasons(root: Path) -> None:
    def faulty(job: Job, checks: tuple[Check, ...]) -> Outcome:
        return passed(job, checks) if job.trusted else Outcome(results=())

    grade(root, faulty)
    assert lines(root) == ("all questions: not final last time: 1 submission",)
    grade(root)
    assert lines(root, regrade=True) == ("all questions: --regrade: 1 submission",)
    assert lines(root, question="q02", regrade=True) == (f"{HALVED}: --regrade: 1 submission",)
    edit(root, NOTEBOOK, "x + x", "2 * x")
    grade(root, question="q01")
    assert lines(root) == (f"{HALVED}: not graded yet: 1 submission",)


def test_what_an_earlier_version_graded_is_named(root: Path) -> None:
    with Gradebook.open(root / "results/gradebook.sqlite") as book:
        book.record(a_tiny_grade("ada"), "tiny")
    assert lines(root) == ("all questions: graded by an earlier version: 1 submission",)


def test_a_dry_run_into_an_empty_folder_writes_nothing(root: Path) -> None:
    assert lines(root) == ("1 new submission: all questions",)
    assert not (root / "results").exists()


def test_a_dry_run_as_json(root: Path) -> None:
    grade(root)
    edit(root, HIDDEN, "2 * number", "number + number")
    work, _ = planned(root)
    assert workload(work).as_json() == {
        "runs": [{"question": DOUBLED, "reason": f"its checks changed {SINCE}", "students": ["ada"]}],
        "submissions": 1, "composed": 0, "known": 0, "unproven": [DOUBLED],
    }  # fmt: skip


def test_the_command_shows_it_and_stops(root: Path) -> None:
    run_ = called(root, "grade", "in", "--dry-run", "--isolation", "none")
    assert (run_.returncode, run_.stdout) == (0, "1 new submission: all questions\n")
    found = json.loads(called(root, "grade", "in", "--dry-run", "--json", "--isolation", "none").stdout)
    assert found["runs"] == [{"question": None, "reason": "new submission", "students": ["ada"]}]


def test_the_batch_says_the_same_before_it_starts(root: Path) -> None:
    grade(root)
    edit(root, HIDDEN, "2 * number", "number + number")
    expected = lines(root)
    graded = grade(root)
    [at] = [number for number, event in enumerate(graded.events) if isinstance(event, WorkPlanned)]
    event = graded.events[at]
    assert isinstance(event, WorkPlanned) and event.workload.lines == expected
    assert not any(hasattr(each, "student") for each in graded.events[:at]), "nobody was graded before"


def test_an_edited_check_that_was_proven_is_not_warned_of(root: Path) -> None:
    grade(root)
    edit(root, HIDDEN, "2 * number", "number + number")
    gradable = GradableAssignment.open(courses.find(root), "tiny")
    proven_checks.keep(gradable, [DOUBLED])
    assert lines(root) == (f"{DOUBLED}: its checks changed {SINCE}: 1 submission",)
    edit(root, HIDDEN, "not whole?", "negative?")
    assert len(lines(root)) == 1, "a hint needs no proof"
    edit(root, HIDDEN, "number + number", "2.0 * number")
    assert len(lines(root)) == 2


def test_a_cache_folder_that_cannot_be_written_is_no_obstacle(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    proven_checks.keep(GradableAssignment.open(courses.find(root), "tiny"), [DOUBLED])


# Afterwards


def test_whose_points_changed_is_said_per_question(root: Path) -> None:
    for student in ("grace", "linus"):
        submit(root, student)
    first = grade(root)
    assert first.report.changes == () and not any("points changed" in line for line in first.report.messages)
    edit(root, HIDDEN, "2 * number", "number + number")
    again = grade(root, failed)
    assert f"points changed: {DOUBLED}: 3 down (ada 3 → 0, grace 3 → 0, linus 3 → 0)" in again.report.messages
    edit(root, HIDDEN, "number + number", "2 * number")
    back = grade(root)
    assert back.jobs == []
    assert f"points changed: {DOUBLED}: 3 up (ada 0 → 3, grace 0 → 3, linus 0 → 3)" in back.report.messages


def test_a_new_version_of_a_file_is_no_change_of_points(root: Path) -> None:
    grade(root)
    edit(root, NOTEBOOK, "x + x", "3 * x")
    assert grade(root, failed).report.changes == ()


def test_the_changes_are_in_the_json_document_where_there_are_some(root: Path) -> None:
    grade(root)
    edit(root, HIDDEN, "2 * number", "number + number")
    work, _ = planned(root, failed)
    document = _document(work, run(work, lambda _: None))
    assert document["changes"] == [{"student": "ada", "question": DOUBLED, "before": 3.0, "after": 0.0}]
    work, _ = planned(root)
    assert "changes" not in _document(work, run(work, lambda _: None))


def test_the_dashboard_shows_the_changes_and_students_do_not_see_them(root: Path) -> None:
    def page(name: str) -> str:
        return (root / "results" / name).read_text(encoding="utf-8")

    grade(root)
    assert "Changed points" not in page("index.html")
    edit(root, HIDDEN, "2 * number", "number + number")
    grade(root, failed)
    assert "Changed points" in page("index.html") and "Changed points" in page("staff/tiny/index.html")
    assert "Changed" not in page("students/tiny/ada.html")


def test_a_grade_without_all_questions_has_empty_cells_for_the_others(root: Path) -> None:
    submit(root, "grace")
    grade(root)
    edit(root, NOTEBOOK, "x + x", "2 * x")
    grade(root, question="q01")
    with Gradebook.open(root / "results/gradebook.sqlite") as book:
        assert [grade.status for grade in book.latest("tiny")] == [Status.NEEDS_ATTENTION, Status.GRADED]
    assert '<td class="number" data-sort="-1"></td>' in (root / "results/index.html").read_text(encoding="utf-8")
