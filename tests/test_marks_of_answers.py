"""Marks for written answers: what waits, what counts, and what a change of the answer or the rubric does to it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import msgspec
import pytest

from gradetape.course.assignments import find
from gradetape.errors import RequestError
from gradetape.gradebook import Gradebook, KeptAnswer
from gradetape.grading import marks
from gradetape.grading.results import Results
from gradetape.grading.scores import exported_scores
from gradetape.records import Check, FinalScore, Job, MarkState, Outcome
from tests.books import place_of
from tests.course import called, write_files
from tests.desk_client import DeskClient
from tests.regrading import grade, passed
from tests.written_course import ESSAY, RUBRIC, answered, base64_of, cell, plot, png, with_essay, written_notebook

TWO = ("--item", "inverse", "--item", "2")
HTML = "<b>bold</b> <script>alert(1)</script>"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Alice has answered in words and with a plot, Bob has left the cell as it was, and Carol has no cell."""
    course = with_essay(tmp_path / "course")
    picture = plot({"image/png": base64_of(png())})
    alice = written_notebook(
        cell("markdown", f"It undoes it. {HTML}", f"written:{ESSAY}"), cell("code", "show()", outputs=[picture])
    )
    bob = answered("*Write your answer here. You may add cells below this one.*")
    carol = written_notebook(prompt=False)
    write_files(course / "in", {"alice.ipynb": alice, "bob.ipynb": bob, "carol.ipynb": carol})
    grade(course)
    return course


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def interrupted(job: Job, checks: tuple[Check, ...]) -> Outcome:
    """Ctrl-C while the student's code runs."""
    if job.trusted:
        return passed(job, checks)
    raise KeyboardInterrupt


def score(course: Path, student: str = "alice") -> FinalScore:
    with Results.open(find(course)) as results:
        return results.scored("tiny").by_student[student]


def state(course: Path, student: str = "alice") -> MarkState:
    [own] = score(course, student).written
    return own.state


def mark(course: Path, *options: str, student: str = "alice") -> str:
    run = called(course, "mark", student, "q03", *options, "--by", "Ana")
    assert run.returncode == 0, run.stderr
    return run.stdout


def rows(course: Path) -> dict[str, dict[str, str]]:
    text = called(course, "export", "csv").stdout
    return {row["student"]: row for row in csv.DictReader(io.StringIO(text))}


# What waits


def test_an_answer_waits_for_a_person_and_the_cell_as_it_was_does_not(course: Path) -> None:
    states = {student: state(course, student) for student in ("alice", "bob", "carol")}
    assert states == {"alice": MarkState.WAITING, "bob": MarkState.UNANSWERED, "carol": MarkState.NOT_FOUND}
    assert (score(course).final, score(course).waiting, score(course, "bob").waiting) == (5, 4, 0)


def test_grading_says_how_many_answers_wait(course: Path) -> None:
    graded = grade(course)
    words = "2 written answers of 2 students wait for a person in tiny (q03_why): 8 points are not in the final scores"
    assert any(words in str(event) for event in graded.events)
    run = called(course, "mark", "--waiting")
    assert run.stdout == "tiny q03_why: alice\ntiny q03_why: carol (no cell found)\n"
    mark(course, *TWO)
    mark(course, "--none", student="carol")
    assert "No written answer waits to be marked." in called(course, "mark", "--waiting").stderr
    assert not any("wait" in str(event) for event in grade(course).events)


def test_a_rubric_changes_points_and_runs_nothing(course: Path) -> None:
    mark(course, *TWO)
    assert score(course).final == 9
    write_files(course, {f"solutions/tiny/{ESSAY}.yml": RUBRIC.replace("lines, points: 2", "lines, points: 3")})
    write_files(
        course, {f"solutions/tiny/{ESSAY}.yml": RUBRIC.replace("points: 2", "points: 3").replace("3}", "1}", 1)}
    )
    graded = grade(course)
    assert (graded.judged, graded.jobs) == (set(), [])
    assert score(course).final == 5 + 1 + 3


def test_an_item_that_the_rubric_has_lost_asks_for_a_new_mark(course: Path) -> None:
    mark(course, *TWO)
    write_files(course, {f"solutions/tiny/{ESSAY}.yml": RUBRIC.replace("id: plot", "id: figure")})
    assert (state(course), score(course).final) == (MarkState.AGAIN, 5)


def test_another_answer_voids_the_mark_and_the_old_one_brings_it_back(course: Path) -> None:
    mark(course, *TWO)
    file = course / "in" / "alice.ipynb"
    first = file.read_text()
    file.write_text(answered("Something else."))
    grade(course)
    assert (state(course), score(course).final, score(course).waiting) == (MarkState.AGAIN, 5, 4)
    assert "alice (to be marked again)" in called(course, "mark", "--waiting").stdout
    shown = called(course, "mark", "alice", "q03").stdout
    assert "Something else." in shown and "for an earlier answer, or by an earlier rubric" in shown
    file.write_text(first)
    grade(course)
    assert (state(course), score(course).final) == (MarkState.MARKED, 9)


def test_a_mark_without_a_cell_counts_for_the_file_that_was_marked(course: Path) -> None:
    mark(course, "--item", "plot", student="carol")
    grade(course)
    assert state(course, "carol") is MarkState.MARKED
    file = course / "in" / "carol.ipynb"
    file.write_text(file.read_text().replace("a last word", "my whole answer, in a cell without a mark"))
    grade(course)
    assert (state(course, "carol"), score(course, "carol").final) == (MarkState.AGAIN, 5)


def test_spaces_and_code_elsewhere_do_not_void_a_mark(course: Path) -> None:
    write_files(course / "in", {"alice.ipynb": answered("It undoes it.\nTwice.")})
    grade(course)
    mark(course, *TWO)
    text = answered("It undoes it.  \nTwice.\n\n").replace("a last word", "another last word")
    write_files(course / "in", {"alice.ipynb": text})
    grade(course)
    assert state(course) is MarkState.MARKED


# What a person gives


def test_the_points_are_those_of_the_items_more_or_less(course: Path) -> None:
    assert mark(course, *TWO, "--comment", "Well said.").startswith(
        "alice: 4 of 4 points for q03_why.\nWrote the pages"
    )
    assert "alice: 3 of 4 points" in mark(course, *TWO, "--item", "vague")
    assert "alice: 2.5 of 4 points" in mark(course, "--item", "1", "--adjust", "0.5")
    assert "alice: 0 of 4 points" in mark(course, "--item", "vague")
    assert "alice: 0 of 4 points" in mark(course, "--none")
    assert "Undone: the mark of alice for q03_why." in mark(course, "--undo")
    with Results.open(find(course)) as results:
        found = results.book.marks("tiny")
    assert [(each.items, each.by, bool(each.undone_at)) for each in found[-2:]] == [
        (("vague",), "Ana", False), ((), "Ana", True),
    ]  # fmt: skip


def test_an_answer_is_shown_as_text_with_its_rubric(course: Path) -> None:
    shown = mark(course)
    for words in (
        f"  It undoes it. {HTML}",
        "show()",
        "[a picture of ",
        "1   +2 inverse: Names the inverse",
        "Rubric, 4",
    ):
        assert words in shown
    assert "2 * +2 plot" not in shown
    mark(course, *TWO, "--comment", "Well said.")
    shown = mark(course)
    assert "2 * +2 plot: Shows both lines" in shown and "Ana gave 4 points at " in shown and "Well said." in shown
    assert "The notebook has no cell for the answer" in called(course, "mark", "carol", "q03").stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--item", "plott"], "the rubric of q03_why has no item 'plott'. Did you mean 'plot'?"),
        (["--item", "7"], "Its items are inverse, plot, vague"),
        (["--none", "--adjust", "5"], "q03_why is worth 4 points: adjust by no more than that"),
        (["--none", "--comment", "x" * 4001], "the comment has more than 4,000 characters: write a shorter one"),
        (["--undo"], "the student has no mark for q03_why in force"),
        (["--none", "--item", "plot"], "--none means that no item applies: leave it out"),
        (["--comment", "Hm."], "a comment alone says nothing of the points: add --item, --adjust or --none"),
    ],
)
def test_what_cannot_be_given_is_refused(course: Path, options: list[str], words: str) -> None:
    run = called(course, "mark", "alice", "q03", *options)
    assert run.returncode == 2 and words in run.stderr
    assert state(course) is MarkState.WAITING


def test_what_cannot_be_marked_is_refused(course: Path) -> None:
    run = called(course, "mark", "alice")
    assert run.returncode == 2 and "name the student and the question, or use --waiting" in run.stderr
    assert "there is no question q02" in called(course, "mark", "alice", "q02").stderr
    write_files(course / "in", {"dave.ipynb": "{"})
    grade(course)
    run = called(course, "mark", "dave", "q03")
    assert run.returncode == 2 and "the file of dave cannot be read, so there is no answer to mark" in run.stderr
    for path in (course / "assignments", course / "solutions", course / "autograder"):
        (path / "more").mkdir(exist_ok=True)
        for file in (path / "tiny").rglob("*"):
            if file.is_file():
                write_files(path / "more", {file.relative_to(path / "tiny").as_posix(): file.read_text()})
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        [alice] = [each for each in book.latest("tiny") if each.student == "alice"]
        book.record(msgspec.structs.replace(alice, assignment="more"), "more")
    with (
        Results.open(find(course)) as results,
        pytest.raises(RequestError, match="q03_why is a question of more, tiny"),
    ):
        marks.written_question(results, "q03")


# Where it is shown


def test_the_student_reads_the_items_and_the_comment_and_nothing_of_the_rubric_else(course: Path) -> None:
    mark(course, *TWO, "--comment", "Well <said>.")
    page = (course / "results" / "students" / "tiny" / "alice.html").read_text()
    for words in ("<strong>9</strong> of 9 points", "Names the inverse", "Shows both lines", "Well &lt;said&gt;."):
        assert words in page
    assert "The words are vague" not in page and "Ana" not in page and "Doubling adds" not in page
    staff = (course / "results" / "staff" / "tiny" / "alice.html").read_text()
    assert "Ana marked it on " in staff and "gradetape mark alice q03_why" in staff
    shown = called(course, "show", "alice").stdout
    assert "q03 Why halve?: 4 of 4, marked by the course staff" in shown and "+2  Names the inverse" in shown
    assert "Ana" not in shown and "marked by Ana" in called(course, "show", "alice", "--staff").stdout


def test_a_page_says_how_many_points_wait(course: Path) -> None:
    called(course, "report")
    page = (course / "results" / "students" / "tiny" / "alice.html").read_text()
    assert "<strong>5</strong> of 9 points" in page
    assert "4 points of written answers wait for a person and are not counted yet." in page
    assert "waits to be marked by the course staff" in page
    bob = (course / "results" / "students" / "tiny" / "bob.html").read_text()
    assert "no answer was given" in bob and "wait for a person" not in bob


def test_written_questions_stand_among_the_others_with_what_waits(course: Path) -> None:
    mark(course, *TWO)
    called(course, "report")
    pages = course / "results"
    index = (pages / "staff" / "tiny" / "index.html").read_text()
    assert "3 students are graded, and the points of 1 are not final: " in index
    assert '<a href="#written">1 written answer waits</a> to be marked. So far: mean 6.3' in index
    assert 'aria-label="q03 of 4: Why halve?"' in index
    table = index.partition('id="student-table"')[2].partition("</table>")[0]
    rows = [row.partition("<td><a ")[0] for row in table.split("<tr")[2:]]
    assert [re.findall(r'<td class="number[^>]*>(\w*)</td>$', row.strip()) for row in rows] == [["4"], ["0"], ["waits"]]
    for student, points in (("alice", "4"), ("carol", "waits")):
        strip = text_of((pages / "staff" / "tiny" / f"{student}.html").read_text().partition('class="strip"')[2])
        assert f"q03 {points} of 4" in strip.partition("Every check")[0]
        table = text_of((pages / "students" / "tiny" / f"{student}.html").read_text().partition("Your questions")[2])
        assert f"Why halve? {points} of 4 written" in table
    mark(course, *TWO, student="carol")
    assert "3 students have final grades: mean 7.7" in (pages / "staff" / "tiny" / "index.html").read_text()


def test_a_void_mark_tells_the_student_nothing_of_the_other_answer(course: Path) -> None:
    mark(course, *TWO, "--comment", "Well said.")
    write_files(course / "in", {"alice.ipynb": answered("Something else.")})
    grade(course)
    page = (course / "results" / "students" / "tiny" / "alice.html").read_text()
    assert "waits to be marked again" in page and "Well said." not in page and "Names the inverse" not in page


def test_a_table_has_the_points_and_what_waits(course: Path) -> None:
    mark(course, *TWO)
    found = rows(course)
    assert [found["alice"][name] for name in ("points", "max_points", ESSAY, "final", "waiting")] == [
        "5.0", "9.0", "4.0", "9.0", "0",
    ] or found["alice"][ESSAY] == "4.0"  # fmt: skip
    assert (float(found["carol"]["waiting"]), found["carol"][ESSAY], float(found["carol"]["final"])) == (4, "", 5)
    assert (float(found["bob"]["waiting"]), float(found["bob"][ESSAY])) == (0, 0)


def test_the_late_penalty_is_of_the_written_points_too(course: Path) -> None:
    listing = course / "assignments" / "tiny" / "assignment.yml"
    listing.write_text(listing.read_text() + "deadline: 2026-01-01T00:00:00+00:00\n")
    config = course / "grader_config.yml"
    times = "late: {percent_per_day: 10, most_percent: 50, times: times.csv}\n"
    config.write_text(config.read_text() + times)
    (course / "times.csv").write_text("student,time\nalice,2026-01-01T12:00:00+00:00\n")
    mark(course, *TWO)
    assert score(course).final == pytest.approx(9 * 0.9)


def test_a_question_that_has_become_a_written_one_counts_once(course: Path) -> None:
    for _ in range(2):
        assert called(course, "override", "alice", "q02", "1.5", "--reason", "r").returncode == 0
    listing = course / "assignments" / "tiny" / "assignment.yml"
    listing.write_text(listing.read_text().replace("q02_halve: 2", "q02_halve: {points: 2, kind: written}"))
    for file in [*course.glob("a*/tiny/q02_halve/test_*.py"), course / "autograder" / "tiny" / "test_q02_halve.py"]:
        file.unlink()
    write_files(course, {"solutions/tiny/q02_halve.yml": "items: [{id: all, text: All, points: 2}]\n"})
    undone = called(course, "override", "alice", "q02", "--undo", "--by", "Ana")
    assert undone.stdout.startswith("Undone: alice: 1.5 points for q02_halve (r)"), undone.stderr
    assert called(course, "override", "alice", "q02", "1", "--reason", "r").returncode == 2
    assert called(course, "mark", "alice", "q02", "--item", "all").returncode == 0
    found = score(course)
    assert (found.measured, found.final, found.overrides) == (3, 5, ())
    row = rows(course)["alice"]
    assert (float(row["max_points"]), float(row["q02_halve"]), float(row["final"])) == (9, 2, 5)
    assert called(course, "export", "csv").stdout.splitlines()[0].count('"q02_halve"') == 1
    for reader in ("students", "staff"):
        assert (course / "results" / reader / "tiny" / "alice.html").read_text().count('id="q02halve"') == 1
    assert (course / "results" / "staff" / "tiny" / "index.html").read_text().count('aria-label="q02 of 2') == 1


def test_a_platform_gets_no_points_while_an_answer_waits(course: Path) -> None:
    def exported() -> dict[str, tuple[float | None, str]]:
        with Results.open(find(course)) as results:
            return {each.student: (each.points, each.reason) for each in exported_scores(results, "tiny").scores}

    waits = "waits to be marked: q03_why"
    assert exported() == {"alice": (None, waits), "bob": (5, ""), "carol": (None, waits)}
    mark(course, *TWO)
    assert exported() == {"alice": (9, ""), "bob": (5, ""), "carol": (None, waits)}
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        [carol] = [each for each in book.latest("tiny") if each.student == "carol"]
        book.record(msgspec.structs.replace(carol, questions=carol.questions[:1], key="part"), "tiny")
    assert exported()["carol"] == (None, f"the submission is graded in part: q02_halve; {waits}")


def test_a_submission_is_not_done_while_an_answer_waits(course: Path) -> None:
    for student in ("alice", "bob"):
        assert called(course, "done", student, "--by", "Ana").returncode == 0
    listed = called(course, "done", "--list").stdout.splitlines()
    assert listed[:2] == ["alice, tiny: 1 answer to mark", "bob, tiny: done"]
    assert "1 answer to mark" in DeskClient(course).get("/staff/tiny/index.html").text
    mark(course, *TWO)
    assert called(course, "done", "--list").stdout.splitlines()[0] == "alice, tiny: done"
    assert "1 answer to mark" not in DeskClient(course).get("/staff/tiny/index.html").text


# The gradebook


def test_a_student_who_is_renamed_keeps_marks_and_one_who_is_forgotten_has_none(course: Path) -> None:
    mark(course, *TWO)
    assert called(course, "rename", "student", "alice", "Alice Doe", "--by", "Ana").returncode == 0
    assert (state(course, "Alice Doe"), score(course, "Alice Doe").final) == (MarkState.MARKED, 9)
    assert called(course, "forget", "Alice Doe", "--yes", "--by", "Ana").returncode == 0
    with Results.open(find(course)) as results:
        assert results.book.marks("tiny") == []
        assert {each.student for each in results.book.answers("tiny")} == {"bob"}


@pytest.mark.parametrize("graded", [False, True])
def test_a_student_whose_file_was_never_graded_to_the_end_is_forgotten_too(tmp_path: Path, graded: bool) -> None:
    course = with_essay(tmp_path / "course")
    write_files(course / "in", {"alice.ipynb": answered("It undoes it.")})
    if graded:
        grade(course)
    (course / "in" / "alice.ipynb").rename(course / "in" / "dora.ipynb")
    with pytest.raises(KeyboardInterrupt):
        grade(course, interrupted, regrade=graded)
    assert called(course, "forget", "dor", "--yes").returncode == 2
    run = called(course, "forget", "dora", "--yes")
    assert run.returncode == 0 and "Removed: 0 attempts in tiny, 0 overrides." in run.stdout, run.stderr
    with Gradebook.open(course / "results" / "gradebook.sqlite") as book:
        assert {each.student for each in book.answers("tiny")} == ({"alice"} if graded else set())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_renaming_drops_only_answers_that_are_there_under_the_new_name(kind: str, tmp_path: Path) -> None:
    def kept(student: str, question: str) -> KeptAnswer:
        return KeptAnswer(student=student, sha256="ab" * 32, question=question, digest=student, given=True)

    (tmp_path / "results").mkdir()
    with place_of(kind, tmp_path) as place, Gradebook.open(place) as book:
        book.keep_answers("tiny", [kept("alice", "q03"), kept("alice", "q04"), kept("bob", "q04")])
        book.keep_answers("more", [kept("alice", "q04")])
        book.rename_student("alice", "alice", "Ana")
        assert len(book.answers("tiny")) == 3
        book.rename_student("alice", "bob", "Ana")
        found = {name: [(each.question, each.digest) for each in book.answers(name)] for name in ("tiny", "more")}
    assert {name: sorted(each) for name, each in found.items()} == {
        "tiny": [("q03", "alice"), ("q04", "bob")], "more": [("q04", "alice")],
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_merging_keeps_answers_and_marks_once(kind: str, course: Path, tmp_path: Path) -> None:
    mark(course, "--none")
    mark(course, *TWO, "--comment", "Well said.")
    with place_of(kind, tmp_path / "merged") as place:
        Path(tmp_path / "merged" / "results").mkdir(parents=True, exist_ok=True)
        with Gradebook.open(place) as book, Gradebook.open(course / "results" / "gradebook.sqlite") as other:
            assert book.merge([other], [{}]).marks == 2
            assert book.merge([other], [{}]).marks == 0
            other.undo_mark("tiny", "alice", ESSAY, "Ben")
            assert book.merge([other], [{}]).marks == 0
            assert book.marks("tiny") == other.marks("tiny") and book.marks("tiny")[-1].undone_by == "Ben"
            assert sorted(each.digest for each in book.answers("tiny")) == sorted(
                each.digest for each in other.answers("tiny")
            )
            [alice] = [each for each in book.latest("tiny") if each.student == "alice"]
            answer = book.answer("tiny", "alice", alice.sha256, ESSAY)
            assert answer is not None and [part.kind for part in answer.parts] == ["text", "code", "picture"]
            assert answer.parts[-1].picture == png()


def test_a_merge_says_how_many_marks_were_added(course: Path, tmp_path: Path) -> None:
    mark(course, *TWO)
    run = called(course, "merge", course / "results", "--out", tmp_path / "merged")
    assert "0 overrides and 1 mark added" in run.stdout + run.stderr
