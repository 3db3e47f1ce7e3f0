"""New assignments and questions: what is written, what verify reports of it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradetape import scaffold
from gradetape.course import assignments as course
from gradetape.course.answer_key import answer_key
from gradetape.errors import CourseError
from gradetape.scaffold import sheet
from tests.course import called, gradetape, tiny

SHEET = """\
# Week three

Some words before the list.

1. **What does a loss measure? Why is it differentiable?**

   How far the predictions are from the labels.

   - so that gradients exist

2. **What does a loss measure?**

   The same again, with `code`.
3. Name an optimizer

   Adam.
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The tiny course with an assignment made of the sheet."""
    root = tiny(tmp_path / "course")
    (tmp_path / "sheet.md").write_text(SHEET)
    run = called(root, "new", "assignment", "week-3", "--from", tmp_path / "sheet.md")
    assert run.returncode == 0, run.stderr
    assert "gradetape verify week-3" in run.stdout
    return root


def test_a_sheets_questions_become_folders_with_the_question_in_the_prompt(written: Path) -> None:
    assignment = course.find(written).assignment("week-3")
    assert assignment.title == "Week three"
    assert assignment.question_ids == ("q01_loss_measure", "q02_loss_measure", "q03_name_optimizer")
    prompt = assignment.question_sources[0].prompt.read_text()
    assert "What does a loss measure? Why is it differentiable?" in prompt
    assert "Name an optimizer" in assignment.question_sources[2].prompt.read_text()


def test_a_sheets_answers_are_notes_under_solutions_alone(written: Path) -> None:
    note = (written / "solutions/week-3/notes/q01_loss_measure.md").read_text()
    assert "How far the predictions are from the labels." in note and "- so that gradients exist" in note
    public = "".join(path.read_text() for path in (written / "assignments").rglob("*") if path.is_file())
    assert "How far the predictions" not in public and "Adam" not in public


def test_verify_says_plainly_that_the_questions_are_not_ready(written: Path) -> None:
    run = gradetape(written, "verify", "week-3")
    assert run.returncode == 1
    assert "week-3 is not ready: fill in introduction.md" in run.stdout
    for question_id in ("q01_loss_measure", "q03_name_optimizer"):
        assert f"{question_id} is not ready: fill in prompt.md, starter.py, test_public.py" in run.stdout.replace(
            "\n", " "
        )


def test_a_filled_in_question_is_ready_whatever_the_others_are(written: Path) -> None:
    gradable = course.find(written)
    assignment = gradable.assignment("week-3")
    key = answer_key(gradable, assignment)
    question_source = assignment.question_sources[0]
    question_id = question_source.question.id
    for path in (
        question_source.prompt,
        question_source.starter,
        question_source.public_checks,
        key.reference(question_id),
        key.hidden_checks(question_id),
        key.patches(question_id),
    ):
        kept = [line for line in path.read_text().splitlines() if scaffold.PLACEHOLDER not in line]
        path.write_text("\n".join(kept))
    assert set(scaffold.unready(assignment, key)) == {"week-3", "q02_loss_measure", "q03_name_optimizer"}


def test_an_assignment_that_was_not_filled_in_is_not_released(written: Path) -> None:
    run = called(written, "release", "week-3")
    assert run.returncode == 2
    assert "week-3 is not ready: fill in introduction.md, q01_loss_measure/prompt.md" in run.stderr
    assert not (written / "student" / "week-3").exists()


def test_the_placeholder_checks_fail_until_they_are_filled_in(written: Path) -> None:
    hidden = (written / "autograder/week-3/test_q03_name_optimizer.py").read_text()
    solution = (written / "solutions/week-3/q03_name_optimizer.py").read_text()
    assert "assert student.name_optimizer(x) == x" in hidden
    assert 'raise NotImplementedError("name_optimizer")' in solution


def test_a_question_is_added_at_the_end_and_comments_stay(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    listed = root / "assignments/tiny/assignment.yml"
    listed.write_text(f"# kept\n{listed.read_text()}")
    run = called(root, "new", "question", "tiny", "q03_thirds")
    assert run.returncode == 0, run.stderr
    assert course.find(root).assignment("tiny").question_ids == ("q01_double", "q02_halve", "q03_thirds")
    assert listed.read_text().startswith("# kept\n")


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (
            ("question", "tiny", "thirds"),
            "is not a question id: use two digits and a name, as in q05_custom_loss",
        ),
        (("question", "tiny", "q01_double"), "tiny already has a question q01_double. Choose another id"),
        (("question", "tinny", "q03_thirds"), "Did you mean 'tiny'?"),
        (("assignment", "tiny"), "assignments/tiny already exists, and nothing was written"),
        (("assignment", "../up"), "cannot be a folder's name"),
    ],
)
def test_names_that_are_taken_or_unfit_are_refused(tmp_path: Path, arguments: tuple[str, ...], advice: str) -> None:
    root = tiny(tmp_path / "course")
    before = sorted(path.relative_to(root) for path in root.rglob("*"))
    run = called(root, "new", *arguments)
    assert run.returncode == 2
    assert advice in run.stderr
    assert sorted(path.relative_to(root) for path in root.rglob("*")) == before


@pytest.mark.parametrize("text", ["", "# A title\n\nNo list.\n", "- a bullet\n"])
def test_a_sheet_without_numbered_questions_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sheet.md"
    path.write_text(text)
    with pytest.raises(CourseError, match="no numbered questions"):
        sheet.read(path)
