"""Written questions: the course, the students' notebook, and what intake takes of an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from gradetape.bridges.bundle import course_files
from gradetape.bridges.judging import graded
from gradetape.course.assignments import find
from gradetape.course.gradable import GradableAssignment
from gradetape.course.question_ids import resolve, resolve_written
from gradetape.course.written import ANSWER_CELL, released_texts
from gradetape.errors import ConfigError, CourseError, RequestError
from gradetape.grading.results import Results
from gradetape.intake import notebooks
from gradetape.intake.written import MAX_PICTURES, MAX_TEXT
from gradetape.records import AnswerPart, Grade, MarkState, Question, RubricItem
from gradetape.release import release
from tests.course import called, write_files
from tests.regrading import grade, planned
from tests.written_course import (
    ESSAY,
    RUBRIC,
    base64_of,
    cell,
    chunk,
    plot,
    png,
    with_essay,
    written_notebook,
)

WRITTEN = f"written:{ESSAY}"
SVG = "<svg onload=alert(1)></svg>"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return with_essay(tmp_path / "course")


def opened(course: Path) -> GradableAssignment:
    return GradableAssignment.open(find(course), "tiny")


def refusal(course: Path) -> str:
    with pytest.raises((CourseError, ConfigError)) as caught:
        opened(course)
    return str(caught.value)


def parts(*answer: dict[str, Any], prompt: bool = True) -> tuple[AnswerPart, ...]:
    """What intake takes of the only answer."""
    [found] = notebooks.notebook(written_notebook(*answer, prompt=prompt).encode()).answers
    assert found.question == ESSAY
    return found.parts


def picture(data: bytes) -> tuple[AnswerPart, ...]:
    return parts(cell("code", "show()", WRITTEN, outputs=[plot({"image/png": base64_of(data)})]))


# The course


def test_a_written_question_has_points_and_a_rubric_and_no_checks(course: Path) -> None:
    gradable = opened(course)
    assignment = gradable.assignment
    assert assignment.written == (Question(id=ESSAY, title="Why halve?", points=4.0),)
    assert assignment.question_ids == ("q01_double", "q02_halve")
    assert [source.question.id for source in assignment.all_sources] == ["q01_double", "q02_halve", ESSAY]
    items = gradable.answer_key.rubric_items(assignment.written_sources[0])
    assert items[0] == RubricItem(id="inverse", text="Names the inverse", points=2)
    assert gradable.answer_key.note(ESSAY).is_file()


@pytest.mark.parametrize(
    ("worth", "words"),
    [
        ("{points: 4, kind: essay}", "its kind is code or written, not 'essay'"),
        ("{kind: written}", "its points are missing: write points, or a mapping like {points: 4, kind: written}"),
        ("{points: 4, kinds: written}", "it has no key 'kinds'. Did you mean 'kind'?"),
        ("{points: -4, kind: written}", "it should be more than 0"),
        ("four", "it should be a number"),
    ],
)
def test_an_entry_that_is_wrong_is_refused_with_its_line(course: Path, worth: str, words: str) -> None:
    listing = course / "assignments" / "tiny" / "assignment.yml"
    listing.write_text(listing.read_text().replace("{points: 4, kind: written}", worth))
    text = refusal(course)
    assert f"assignment.yml, line 5: 'questions.{ESSAY}'" in text and words in text


def test_kind_code_is_a_question_with_checks(course: Path) -> None:
    listing = course / "assignments" / "tiny" / "assignment.yml"
    listing.write_text(listing.read_text().replace("q02_halve: 2", "q02_halve: {points: 2, kind: code}"))
    assert opened(course).assignment.question_ids == ("q01_double", "q02_halve")


@pytest.mark.parametrize(
    ("rubric", "words"),
    [
        ("items: []\n", "'items' is"),
        ("items:\n  - {id: a, text: A, points: 3}\n", "its items give at most 3 points, and assignment.yml says 4"),
        (RUBRIC.replace("id: plot", "id: inverse"), "the id inverse is used twice. Give each item an id of its own."),
        (RUBRIC.replace("id: plot", "id: The Plot"), "line 3: 'items.1.id' is 'The Plot': write an id like right-axis"),
        (RUBRIC.replace("id: plot", "id: '1'"), "'items.1.id' is '1': digits alone are the number of an item: add a"),
        (RUBRIC.replace("text: Shows both lines, ", ""), "line 3: 'items.1.text' is missing. Add it."),
        (RUBRIC.replace("points: 2", "points: many", 1), "line 2: 'items.0.points' is 'many'; it should be a number"),
    ],
)
def test_a_rubric_that_is_wrong_is_refused(course: Path, rubric: str, words: str) -> None:
    (course / "solutions" / "tiny" / f"{ESSAY}.yml").write_text(rubric)
    text = refusal(course)
    assert text.startswith(f"solutions/tiny/{ESSAY}.yml") and words in text


def test_a_written_question_without_a_rubric_or_with_checks_is_refused(course: Path) -> None:
    (course / "solutions" / "tiny" / f"{ESSAY}.yml").unlink()
    assert f"{ESSAY} has no rubric: solutions/tiny/{ESSAY}.yml is missing. Write it: items" in refusal(course)
    write_files(course, {f"assignments/tiny/{ESSAY}/test_public.py": ""})
    text = refusal(course)
    assert f"assignments/tiny/{ESSAY} is a written question, which has no checks. Move its test_public" in text


def test_a_rubric_of_no_question_is_refused(course: Path) -> None:
    write_files(course, {"solutions/tiny/q04_other.yml": RUBRIC})
    assert "solutions/tiny/q04_other.yml does not belong to any question" in refusal(course)


def test_what_only_questions_with_checks_can_do_says_what_a_written_one_is(course: Path) -> None:
    assignment = opened(course).assignment
    said = f"{ESSAY} is a written question, which has no checks. A person marks it: .*--comment TEXT"
    with pytest.raises(RequestError, match=said):
        resolve("q03", assignment)
    assert resolve_written("q03", assignment) == ESSAY
    with pytest.raises(RequestError, match="there is no question q02"):
        resolve_written("q02", assignment)
    listing = course / "assignments" / "tiny" / "assignment.yml"
    listing.write_text("title: Tiny\nquestions:\n  q01_double: 3\n  q02_halve: 2\n  q03_why: 1\n")
    write_files(course, {f"assignments/tiny/{ESSAY}/{name}": "" for name in ("starter.py", "test_public.py")})
    with pytest.raises(RequestError, match="tiny has no written question: give one kind: written"):
        resolve_written("q03", find(course).assignment("tiny"))


def test_a_written_question_is_renamed_copied_and_removed_with_its_rubric(course: Path) -> None:
    solutions, listing = course / "solutions" / "tiny", course / "assignments" / "tiny" / "assignment.yml"
    assert called(course, "rename", "question", "q03", "q04_why_not").returncode == 0
    assert (solutions / "q04_why_not.yml").is_file() and (solutions / "notes" / "q04_why_not.md").is_file()
    assert listing.read_text().endswith("  q04_why_not: {points: 4, kind: written}\n")
    assert called(course, "copy", "question", "tiny/q04", "--as", "q05_again").returncode == 0
    assert "  q05_again: {points: 4, kind: written}\n" in listing.read_text()
    assert (solutions / "q05_again.yml").read_text() == RUBRIC
    assert called(course, "remove", "question", "q04_why_not").returncode == 0
    assert opened(course).assignment.order == ("q01_double", "q02_halve", "q05_again")


def test_a_written_question_over_several_lines_is_removed_as_a_whole(course: Path) -> None:
    listing = course / "assignments" / "tiny" / "assignment.yml"
    spread = "\n    points: 4\n    kind: written"
    listing.write_text(listing.read_text().replace(" {points: 4, kind: written}", spread))
    assert called(course, "new", "question", "tiny", "q04_more", "--after", "q03").returncode == 0
    assert called(course, "remove", "question", "q03").returncode == 0
    assert opened(course).assignment.order == ("q01_double", "q02_halve", "q04_more")


def test_an_autograder_has_the_rubric_that_its_course_needs(course: Path) -> None:
    assert f"solutions/tiny/{ESSAY}.yml" in dict(course_files(opened(course)))


def test_a_platform_is_told_what_its_autograder_leaves_out(course: Path, tmp_path: Path) -> None:
    write_files(course / "in", {"alice.ipynb": written_notebook(cell("markdown", "words", WRITTEN))})
    _, engine = planned(course)
    found = graded(course, [course / "in" / "alice.ipynb"], lambda *_: engine)
    words = f"{ESSAY}: written, so without checks. A person marks the answers, worth 4 points."
    assert isinstance(found, Grade) and found.notes[-1] == words
    run = called(course, "export", "autograder", "tiny", "--for", "gradescope", "--out", tmp_path / "zip")
    assert run.returncode == 0 and f"The autograder leaves this out: {words}" in run.stderr


# The students' notebook


def test_the_notebook_has_the_prompt_and_a_cell_for_the_answer(course: Path, tmp_path: Path) -> None:
    folder = release(find(course).assignment("tiny"), tmp_path / "student")
    notebook = nbformat.read(folder / "tiny.ipynb", as_version=4)
    tags = [tuple(each.metadata.get("tags", ())) for each in notebook.cells]
    place = tags.index((f"written-prompt:{ESSAY}",))
    assert notebook.cells[place].source.startswith("## Why halve? (4 points)\n")
    assert (tags[place + 1], notebook.cells[place + 1].source) == ((WRITTEN,), ANSWER_CELL)
    assert all(tags), "every other cell ends an answer"
    assert not (folder / "tests" / f"{ESSAY}.py").exists()
    secret = [path for path in folder.rglob("*") if path.is_file() and b"Names the inverse" in path.read_bytes()]
    assert secret == []


def test_what_is_released_is_read_again_as_the_answer(course: Path, tmp_path: Path) -> None:
    starter = "# %% [markdown]\n# Write here.\n#\n# Two sentences.\n\n# %%\nimport numpy as np\n"
    write_files(course, {f"assignments/tiny/{ESSAY}/starter.py": starter})
    assignment = find(course).assignment("tiny")
    folder = release(assignment, tmp_path / "student")
    [answer] = notebooks.notebook((folder / "tiny.ipynb").read_bytes()).answers
    assert [(part.kind, part.text) for part in answer.parts] == [
        ("text", "Write here.\n\nTwo sentences."), ("code", "import numpy as np"),
    ]  # fmt: skip
    assert {part.text.strip() for part in answer.parts} == released_texts(assignment.written_sources[0])


@pytest.mark.parametrize("merged", [False, True])
def test_an_answer_in_the_cell_of_the_prompt_is_taken(course: Path, tmp_path: Path, merged: bool) -> None:
    folder = release(find(course).assignment("tiny"), tmp_path / "student")
    released = nbformat.read(folder / "tiny.ipynb", as_version=4)
    place = [each.metadata.get("tags") for each in released.cells].index([f"written-prompt:{ESSAY}"])
    prompt = released.cells[place]
    released.cells[place].source = prompt.source.replace("\n", "  \r\n") + "\n"
    [answer] = notebooks.notebook(nbformat.writes(released).encode()).answers
    assert [part.text for part in answer.parts] == [ANSWER_CELL]
    prompt.source += "\n\nIt undoes it."
    if merged:
        del released.cells[place + 1]
    [answer] = notebooks.notebook(nbformat.writes(released).encode()).answers
    assert answer.parts[0].text.endswith("It undoes it.") and len(answer.parts) == (1 if merged else 2)
    write_files(course / "in", {"alice.ipynb": nbformat.writes(released)})
    grade(course)
    with Results.open(find(course)) as results:
        [score] = results.scored("tiny").by_student["alice"].written
    assert score.state is MarkState.WAITING


@pytest.mark.parametrize("noted", [None, 7, [], {}, {"prompt": 7}, {"prompt": None}])
def test_a_prompt_without_its_digest_is_no_part_of_an_answer(noted: object) -> None:
    read = json.loads(written_notebook(cell("markdown", "mine", WRITTEN)))
    next(each for each in read["cells"] if "prompt" in str(each["metadata"]))["metadata"]["gradetape"] = noted
    [answer] = notebooks.notebook(json.dumps(read).encode()).answers
    assert [part.text for part in answer.parts] == ["mine"]


# What is taken of an answer


def test_cells_below_the_prompt_belong_to_the_answer_up_to_the_next_marked_one() -> None:
    added = (cell("markdown", "one", WRITTEN), cell("markdown", "two"), cell("code", "three"))
    assert [(part.kind, part.text) for part in parts(*added)] == [("text", "one"), ("text", "two"), ("code", "three")]
    assert [part.text for part in parts(cell("markdown", "mine"))] == ["mine"], "the cell was replaced by another"
    assert [part.text for part in parts(cell("markdown", "mine", WRITTEN), prompt=False)] == ["mine"]
    assert parts() == ()


def test_a_notebook_without_the_cells_has_no_answer() -> None:
    text = written_notebook(cell("markdown", "lost"), prompt=False)
    assert notebooks.notebook(text.encode()).answers == ()


def test_pictures_are_taken_from_outputs_and_attachments_as_png_alone() -> None:
    data = {"image/png": base64_of(png())}
    found = parts(
        cell("markdown", "![](attachment:a)", WRITTEN, attachments={"a": data}),
        cell("code", "plot()", outputs=[plot(data | {"text/html": SVG}), {"output_type": "stream", "text": "x"}]),
    )
    assert [part.kind for part in found] == ["text", "picture", "code", "picture"]
    assert {part.picture for part in found if part.kind == "picture"} == {png()}


def test_a_picture_keeps_only_its_pixels() -> None:
    comment = chunk(b"tEXt", b"Comment\0<script>") + chunk(b"iCCP", b"bomb")
    [_, shown] = picture(png(more=comment))
    assert shown.picture == png()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GIF89a", "it is not a PNG file"),
        (png()[:-4], "it is damaged"),
        (png().replace(b"IDAT", b"IDAU"), "it is damaged"),
        (png(20_000, 1), "it has 20,000 by 1 pixels, and 25,000,000 are allowed"),
        (png(9_000, 9_000), "it has 9,000 by 9,000 pixels"),
        (png(more=png(9_000, 9_000)[8:33]), "it is damaged"),
        (png(more=chunk(b"tEXt", b"x" * (2 << 20))), "it is larger than 2 MiB"),
    ],
)
def test_a_picture_that_a_browser_should_not_meet_is_a_note(data: bytes, words: str) -> None:
    [_, note] = picture(data)
    assert note.kind == "note" and note.text.startswith(f"A picture is not shown: {words}")


@pytest.mark.parametrize("kind", ["image/svg+xml", "image/jpeg"])
def test_other_formats_are_named_and_never_taken(kind: str) -> None:
    [_, note] = parts(cell("code", "plot()", WRITTEN, outputs=[plot({kind: SVG})]))
    assert note.text == f"A picture is not shown: its format is {kind}, and only image/png is shown."


def test_html_and_text_of_outputs_are_not_taken() -> None:
    outputs = [plot({"text/html": SVG, "application/javascript": "alert(1)", "text/plain": "x"})]
    assert [part.kind for part in parts(cell("code", "plot()", WRITTEN, outputs=outputs))] == ["code"]


def test_an_answer_has_limits_and_says_what_was_left_out() -> None:
    many = [plot({"image/png": base64_of(png())})] * (MAX_PICTURES + 5)
    found = parts(cell("markdown", "x" * (MAX_TEXT + 5), WRITTEN), cell("code", "late()", outputs=many))
    assert (len(found[0].text), found[1].text[:32]) == (MAX_TEXT, "The answer is longer than 20,000")
    assert [part.kind for part in found[2:]] == ["picture"] * MAX_PICTURES + ["note"]
    assert found[-1].text == "The answer has more than 8 pictures; the others are left out."


@pytest.mark.parametrize(
    "odd",
    [
        {"attachments": []}, {"attachments": {"a": 1}}, {"attachments": {"a": {"image/png": 7}}},
        {"metadata": {"tags": [WRITTEN], "more": 1}, "source": ["a", "b"]}, {"outputs": {}},
    ],
)  # fmt: skip
def test_odd_cells_raise_nothing(odd: dict[str, Any]) -> None:
    for kind in ("markdown", "raw", "code"):
        parts(cell(kind, "text", WRITTEN) | odd)


def test_the_code_of_an_answer_runs_like_any_other_cell() -> None:
    parsed = notebooks.notebook(written_notebook(cell("code", "plot()", WRITTEN)).encode())
    assert "plot()" in [each.source for each in parsed.cells] and json.loads(written_notebook())["cells"]


# Verify


def test_verify_says_which_questions_it_leaves_out(course: Path) -> None:
    (course / "solutions" / "tiny" / "q01_double.py").write_text("gradetape: placeholder\n")
    run = called(course, "verify", "tiny", "--question", "q01")
    assert f"{ESSAY}: written, so without checks. A person marks the answers, worth 4 points." in run.stderr
    run = called(course, "verify", "tiny", "--question", "q03")
    assert run.returncode == 2 and "is a written question" in run.stderr


# From a sheet

SHEET = """\
# Week 3

1. What does a loss measure?

   Answer: How far the predictions are from the labels.

2. Build a loss.

3. Why does a gradient vanish?

   Answer: Because factors below one are multiplied.
"""


@pytest.mark.parametrize(
    ("which", "written"), [("1,3", {1, 3}), ("2-3", {2, 3}), ("all", {1, 2, 3}), (" 1 - 2 ,3", {1, 2, 3})]
)
def test_questions_of_a_sheet_become_written_ones_where_the_author_asks(
    course: Path, which: str, written: set[int]
) -> None:
    write_files(course, {"sheet.md": SHEET})
    run = called(course, "new", "assignment", "week-3", "--from", "sheet.md", "--written", which)
    assert run.returncode == 0, run.stderr
    gradable = GradableAssignment.open(find(course), "week-3")
    assert {int(question.id[1:3]) for question in gradable.assignment.written} == written
    assert len(gradable.assignment.order) == 3
    if 1 in written:
        folder = course / "assignments" / "week-3" / "q01_loss_measure"
        assert [path.name for path in folder.iterdir()] == ["prompt.md"]
        assert (folder / "prompt.md").read_text() == "# What does a loss measure?\n\nWhat does a loss measure?\n"
        note = (course / "solutions" / "week-3" / "notes" / "q01_loss_measure.md").read_text()
        assert "How far the predictions are from the labels." in note


def test_what_is_not_ready_of_a_written_question_is_its_rubric(course: Path) -> None:
    write_files(course, {"sheet.md": SHEET})
    called(course, "new", "assignment", "week-3", "--from", "sheet.md", "--written", "all")
    run = called(course, "verify", "week-3")
    assert run.returncode == 1
    words = "q01_loss_measure is not ready: fill in q01_loss_measure.yml, and remove the placeholder line"
    assert words in run.stdout + run.stderr


@pytest.mark.parametrize("which", ["4", "0", "1-9", "3-2", "q01", ""])
def test_a_place_that_the_sheet_does_not_have_is_refused(course: Path, which: str) -> None:
    write_files(course, {"sheet.md": SHEET})
    run = called(course, "new", "assignment", "week-3", "--from", "sheet.md", "--written", which)
    assert run.returncode == 2
    assert "is no place of a question in the sheet, which has 3: write places like 1,4-7, or all" in run.stderr
    assert not (course / "assignments" / "week-3").exists()


def test_written_is_about_a_sheet(course: Path) -> None:
    run = called(course, "new", "assignment", "week-3", "--written", "all")
    assert run.returncode == 2 and "--written names questions of a sheet: name it with --from SHEET" in run.stderr
