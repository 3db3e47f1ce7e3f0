"""Courses on disk: the question sources, the answer key, and the mistakes that people make with question ids."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gradetape import records
from gradetape.course import assignments as course
from gradetape.course.answer_key import answer_key
from gradetape.course.question_ids import resolve
from gradetape.errors import ConfigError, CourseError, RequestError

ROOT = Path(__file__).parents[1]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small course: one assignment with two questions, and its answer key."""
    write(tmp_path, "grader_config.yml", "course: Small\n")
    write(tmp_path, "assignments/loops/assignment.yml", "title: Loops\nquestions:\n  q02_sums: 3\n  q01_lines: 1.5\n")
    write(tmp_path, "assignments/loops/introduction.md", "Welcome.\n")
    for question_id, title in (("q01_lines", "Lines of text"), ("q02_sums", "Running sums")):
        write(tmp_path, f"assignments/loops/{question_id}/prompt.md", f"\n## {title} ##\n\nDo it.\n")
        write(tmp_path, f"assignments/loops/{question_id}/starter.py", "pass\n")
        write(tmp_path, f"assignments/loops/{question_id}/test_public.py", "")
        write(tmp_path, f"solutions/loops/{question_id}.py", "pass\n")
        write(tmp_path, f"autograder/loops/test_{question_id}.py", "")
    write(tmp_path, "solutions/loops/variants/q01_lines/b.py", "")
    write(tmp_path, "solutions/loops/variants/q01_lines/a.py", "")
    write(tmp_path, "solutions/loops/mutants/q02_sums/off_by_one.py", "")
    write(tmp_path, "autograder/seed", "ab" * 32 + "\n")
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def loops(root: Path) -> course.Assignment:
    return course.find(root).assignment("loops")


def refusal(root: Path) -> str:
    with pytest.raises(CourseError) as caught:
        loops(root)
    return str(caught.value)


def answer_key_refusal(root: Path) -> str:
    with pytest.raises(CourseError) as caught:
        answer_key(course.find(root), loops(root))
    return str(caught.value)


def test_the_course_is_found_from_any_folder_in_it(root: Path) -> None:
    found = course.find(root / "assignments" / "loops" / "q01_lines")
    assert (found.root, found.config.course, found.names()) == (root.resolve(), "Small", ("loops",))


def test_outside_a_course_the_error_names_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"no grader_config\.yml in .*gradetape init"):
        course.find(tmp_path)


def test_an_assignment_has_its_questions_in_the_order_of_its_file(root: Path) -> None:
    assignment = loops(root)
    assert assignment.title == "Loops"
    assert assignment.introduction.read_text() == "Welcome.\n"
    assert assignment.questions == (
        records.Question(id="q02_sums", title="Running sums", points=3.0),
        records.Question(id="q01_lines", title="Lines of text", points=1.5),
    )
    question_source = assignment.question_sources[1]
    assert all(
        path.is_file() for path in (question_source.prompt, question_source.starter, question_source.public_checks)
    )


def test_the_public_half_needs_no_secret_folder(root: Path) -> None:
    shutil.rmtree(root / "solutions")
    shutil.rmtree(root / "autograder")
    assert loops(root).question_ids == ("q02_sums", "q01_lines")


def test_deadline_and_data_are_optional(root: Path) -> None:
    assert (loops(root).deadline, loops(root).data) == (None, ())
    with (root / "assignments/loops/assignment.yml").open("a") as file:
        file.write("deadline: 2026-10-01T23:59:00+02:00\ndata: [data/prices.csv]\n")
    write(root, "assignments/loops/data/prices.csv", "1\n")
    assert loops(root).deadline == "2026-10-01T23:59:00+02:00"
    assert loops(root).data == (root.resolve() / "assignments/loops/data/prices.csv",)


def test_a_question_is_named_by_its_id_or_by_a_unique_prefix_of_it(root: Path) -> None:
    assignment = loops(root)
    assert [resolve(text, assignment) for text in ("q01_lines", "q01", "q02_s")] == [*["q01_lines"] * 2, "q02_sums"]
    with pytest.raises(RequestError, match="q0 is a prefix of q02_sums, q01_lines: write more of the id"):
        resolve("q0", assignment)
    with pytest.raises(RequestError, match=r"there is no question q01_line_s\. Did you mean 'q01_lines'\?"):
        resolve("q01_line_s", assignment)
    with pytest.raises(RequestError, match="there is no question"):
        resolve("", assignment)


@pytest.mark.parametrize("deadline", ["2026-10-01", "2026-10-01T23:59:00", "soon"])
def test_a_deadline_without_a_zone_is_refused(root: Path, deadline: str) -> None:
    with (root / "assignments/loops/assignment.yml").open("a") as file:
        file.write(f"deadline: {deadline}\n")
    with pytest.raises(ConfigError, match=r"assignments/loops/assignment\.yml, line 5: .*ISO time with its zone"):
        loops(root)


@pytest.mark.parametrize("name", ["../../solutions/loops/q01_lines.py", "/etc/hosts", "data/link.csv"])
def test_data_from_outside_the_public_folder_is_refused(root: Path, name: str) -> None:
    write(root, "assignments/loops/data/other.csv", "")
    (root / "assignments/loops/data/link.csv").symlink_to(root / "solutions/loops/q01_lines.py")
    with (root / "assignments/loops/assignment.yml").open("a") as file:
        file.write(f"data: [{name}, data/other.csv]\n")
    assert "is outside assignments/loops" in refusal(root)


def test_a_prompt_that_links_to_a_secret_is_refused(root: Path) -> None:
    prompt = root / "assignments/loops/q01_lines/prompt.md"
    prompt.unlink()
    prompt.symlink_to(root / "solutions/loops/q01_lines.py")
    assert "q01_lines/prompt.md is outside" in refusal(root)


def test_an_assignment_that_is_not_there_is_reported_with_the_nearest(root: Path) -> None:
    with pytest.raises(CourseError, match=r"no assignment 'lops'.*Did you mean 'loops'\? Assignments: loops"):
        course.find(root).assignment("lops")
    with pytest.raises(CourseError, match="no assignment"):
        course.find(root).assignment("../solutions/loops")


def test_a_listed_question_without_a_folder_and_a_folder_that_is_not_listed_are_reported_together(root: Path) -> None:
    folder = root / "assignments/loops"
    (folder / "q01_lines").rename(folder / "q01_linse")
    lines = refusal(root).splitlines()
    assert len(lines) == 2
    assert "assignments/loops/q01_linse is not among the questions" in lines[0]
    assert lines[0].endswith("Did you mean 'q01_lines'?")
    assert "lists q01_lines, but assignments/loops/q01_lines is missing" in lines[1]
    assert lines[1].endswith("Did you mean 'q01_linse'?")


@pytest.mark.parametrize("part", ["prompt.md", "starter.py", "test_public.py"])
def test_a_missing_part_of_a_question_is_named_with_the_file_that_might_be_it(root: Path, part: str) -> None:
    folder = root / "assignments/loops/q02_sums"
    (folder / part).rename(folder / f"x{part}")
    assert refusal(root) == f"assignments/loops/q02_sums/{part} is missing. Did you mean 'x{part}'?"


def test_a_missing_introduction_is_named(root: Path) -> None:
    (root / "assignments/loops/introduction.md").unlink()
    assert refusal(root).startswith("assignments/loops/introduction.md is missing.")


def test_a_prompt_without_a_heading_is_refused(root: Path) -> None:
    write(root, "assignments/loops/q01_lines/prompt.md", "Do it.\n```python\n# Not a title\n```\n")
    assert "assignments/loops/q01_lines/prompt.md has no title" in refusal(root)


@pytest.mark.parametrize("question_id", ["q1_lines", "Q01_lines", "q01-lines", "../q01_lines", "q01_"])
def test_a_question_id_of_another_form_is_refused_with_its_line(root: Path, question_id: str) -> None:
    write(root, "assignments/loops/assignment.yml", f"title: Loops\nquestions:\n  {question_id}: 3\n")
    with pytest.raises(ConfigError, match=r"assignment\.yml, line 3: .* like q05_custom_loss"):
        loops(root)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("titel: Loops\nquestions: {q01_lines: 1}\n", "line 1: unknown key 'titel'. Did you mean 'title'?"),
        ("title: Loops\n", "line 1: 'questions' is missing."),
        ("title: L\nquestions:\n  q01_lines: 0\n", "line 3: 'questions.q01_lines' is 0; it should be more than 0"),
        ("title: L\nquestions:\n  q01_lines: ten\n", "line 3: 'questions.q01_lines' is 'ten'; it should be a number."),
        ("title: L\nquestions: {}\n", "line 2: 'questions' is {}; "),
        ("title: L\nquestions: [q01_lines]\n", "line 2: 'questions' is ['q01_lines']; it should be a mapping"),
        ("title: L\nquestions:\n  q01_lines: 1\n  q01_lines: 2\n", "line 4: found duplicate key"),
    ],
)
def test_the_assignment_is_read_as_strictly_as_the_config(root: Path, text: str, complaint: str) -> None:
    write(root, "assignments/loops/assignment.yml", text)
    with pytest.raises(ConfigError) as caught:
        loops(root)
    assert f"assignments/loops/assignment.yml, {complaint}" in str(caught.value)


def test_the_answer_key_of_each_question_is_found_by_its_id(root: Path) -> None:
    found = answer_key(course.find(root), loops(root))
    assert found.reference("q01_lines").read_text() == "pass\n"
    assert found.hidden_checks("q01_lines").name == "test_q01_lines.py"
    assert [path.name for path in found.variants("q01_lines")] == ["a.py", "b.py"]
    assert found.variants("q02_sums") == ()
    assert [path.name for path in found.mutants("q02_sums")] == ["off_by_one.py"]
    assert found.seed() == bytes.fromhex("ab" * 32)


def test_a_question_without_a_reference_or_hidden_checks_is_refused(root: Path) -> None:
    (root / "solutions/loops/q01_lines.py").unlink()
    (root / "autograder/loops/test_q02_sums.py").unlink()
    assert answer_key_refusal(root).splitlines() == [
        "q02_sums has no hidden checks: autograder/loops/test_q02_sums.py is missing.",
        "q01_lines has no reference: solutions/loops/q01_lines.py is missing.",
    ]


@pytest.mark.parametrize(
    ("stray", "near"),
    [
        ("solutions/loops/q01_line.py", "q01_lines.py"),
        ("solutions/loops/varaints/x.py", "variants"),
        ("solutions/loops/variants/q01_line/x.py", "q01_lines"),
        ("solutions/loops/mutants/q02_sum/x.py", "q02_sums"),
        ("solutions/loops/mutants/q02_sums.py", "q02_sums"),
        ("autograder/loops/test_q01_lins.py", "test_q01_lines.py"),
        ("autograder/loops/q01_lines.py", "test_q01_lines.py"),
    ],
)
def test_a_file_of_the_answer_key_that_belongs_to_no_question_is_refused_with_the_nearest_name(
    root: Path, stray: str, near: str
) -> None:
    write(root, stray, "")
    complaint = answer_key_refusal(root)
    assert "does not belong to any question of loops" in complaint
    assert f"Did you mean '{near}'?" in complaint


def test_what_python_and_editors_leave_behind_is_no_stray(root: Path) -> None:
    for folder in ("assignments/loops", "solutions/loops", "solutions/loops/mutants", "autograder/loops"):
        write(root, f"{folder}/__pycache__/x.pyc", "")
        write(root, f"{folder}/.ipynb_checkpoints/x", "")
    answer_key(course.find(root), loops(root))


@pytest.mark.parametrize("text", ["", "abcd", "not hexadecimal digits at all, but long enough"])
def test_a_weak_seed_is_refused_with_the_command_that_makes_one(root: Path, text: str) -> None:
    write(root, "autograder/seed", text)
    with pytest.raises(CourseError, match="token_hex"):
        answer_key(course.find(root), loops(root)).seed()


def test_the_courses_own_seed_is_good() -> None:
    assert len(bytes.fromhex((ROOT / "autograder/seed").read_text())) >= 16
