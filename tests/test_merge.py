"""Gradebooks that were graded apart are merged into what one batch would have recorded, and merging twice is once."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from gradetape.course import assignments as courses
from gradetape.errors import GradebookError, RequestError
from gradetape.gradebook import Gradebook, MergeReport, QuestionResult, Run
from gradetape.grading import merge_words
from gradetape.grading.batch import BatchGrader
from gradetape.grading.merging import Merge, merge
from gradetape.grading.shards import Shard
from gradetape.records import (
    Grade,
    Origin,
    Override,
    Status,
    Unreadable,
    Verdict,
)
from gradetape.text import printable
from tests.books import attempts, engine_of, recorded
from tests.course import DOUBLE, HALVE, called, notebook, tiny, write_files
from tests.factories import a_broken_file, a_result, a_tiny_grade
from tests.regrading import by_its_cells, edit, planned

TABLES = ("attempts", "check_results", "runs", "question_results", "attempt_questions", "overrides")
QUESTIONS = ("q01_double", "q02_halve")


# A batch in shares


def grade(root: Path, out: Path, **how: Any) -> Path:
    """Grades the course's submissions into a folder; `how` gives the other arguments of `planned`."""
    work, engine = planned(root, by_its_cells, out=out, **how)
    with Gradebook.open(out / "gradebook.sqlite") as book:
        batch = BatchGrader(work.gradable, engine, book, lambda _: None)
        batch.run(work.selection.submissions, work.selection.unreadable, regrade=work.regrade)
    return out


def course_with(folder: Path, count: int) -> Path:
    root = tiny(folder / "course")
    texts = {f"in/s{number}.ipynb": notebook(DOUBLE, HALVE, f"x = {number // 2}") for number in range(count)}
    return write_files(root, texts | {"in/broken.ipynb": "{", "in/empty.ipynb": ""})


def shards(root: Path, folder: Path, count: int = 16, **how: Any) -> list[Path]:
    return [grade(root, folder / str(n), shard=Shard(n, count), **how) for n in range(1, count + 1)]


def merged(root: Path, places: Sequence[Path | str], out: Path | None = None) -> Merge:
    return merge(courses.find(root), [str(place) for place in places], out)


def what_counts(place: Path | str) -> dict[str, Any]:
    """The grades and the points by student, without what a clock decides."""
    with Gradebook.open(place) as book:
        grades = [msgspec.structs.replace(grade, seconds=0.0) for grade in book.latest("tiny")]
        composed = {
            student: {question: (each.digest, each.results) for question, each in found.items()}
            for student, found in book.composition("tiny").items()
        }
        points = {student: found.points for student, found in book.measured("tiny").items()}
        return {"grades": grades, "unreadable": book.unreadable("tiny"), "composed": composed, "points": points}


def dump(place: Path | str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    engine = engine_of(str(place))
    with engine.begin() as connection:
        found = {
            table: [tuple(row) for row in connection.execute(sa.text(f"SELECT * FROM {table} ORDER BY 1, 2"))]
            for table in (*TABLES, "claims")
        }
    engine.dispose()
    return found


def with_gradebook(root: Path, place: str) -> str:
    """The course with its gradebook at this place."""
    if "://" in place:
        config = root / "grader_config.yml"
        config.write_text(f"{config.read_text()}\ngradebook: {json.dumps(place)}\n")
        return place
    return str(root / "results" / "gradebook.sqlite")


def test_sixteen_shares_of_a_batch_merged_are_the_batch(tmp_path: Path, place: str) -> None:
    root = course_with(tmp_path, 30)
    one = grade(root, tmp_path / "one") / "gradebook.sqlite"
    parts = shards(root, tmp_path / "shards")
    into = with_gradebook(root, place)
    found = merged(root, parts)
    assert found.report.disagreements == () and found.report.differences == ()
    assert found.report.attempts == 32 and found.attention == 2 and found.into == into
    assert what_counts(into) == what_counts(one)
    assert (root / "results" / "index.html").is_file() and found.index == root / "results" / "index.html"
    whole, joined = dump(one), dump(into)
    assert {row[1] for row in joined["question_results"]} == {row[1] for row in whole["question_results"]}
    assert {table: len(rows) for table, rows in joined.items()} == {table: len(rows) for table, rows in whole.items()}


def test_merging_twice_changes_nothing(tmp_path: Path, place: str) -> None:
    root = course_with(tmp_path, 8)
    parts = shards(root, tmp_path / "shards", 4)
    into = with_gradebook(root, place)
    first = merged(root, parts)
    before = dump(into)
    again = merged(root, [*reversed(parts), *parts])
    assert dump(into) == before
    assert (again.report.attempts, again.report.results, again.report.overrides) == (0, 0, 0)
    assert again.report.known == first.report.attempts == 10


# What counts


EARLY, NOON, LATE = (f"2026-03-01T{hour:02}:00:00+00:00" for hour in (8, 12, 18))
ONE = "q01"


def dated(place: Path, created: str) -> Path:
    """The gradebook, with everything recorded at this time."""
    engine = engine_of(str(place))
    with engine.begin() as connection:
        for table in ("attempts", "runs"):
            connection.execute(sa.text(f"UPDATE {table} SET created = '{created}'"))
    engine.dispose()
    return place


def book_with(place: Path, created: str, *records: Grade | Unreadable, results: Sequence[QuestionResult] = ()) -> Path:
    """A gradebook with these records, all of one time."""
    with Gradebook.open(place) as book:
        for record in records:
            composed = {each.question: each.digest for each in results}
            book.record(record, "tiny", force=True, results=results, composed_of=composed)
    return dated(place, created)


def joined(into: Path | str, *places: Path | str) -> MergeReport:
    """Merges gradebooks without a course."""
    others = [Gradebook.open(place) for place in places]
    with Gradebook.open(into) as book:
        report = book.merge(others, [{}] * len(others))
    for other in others:
        other.close()
    return report


def of_alice(points: float = 3, *, status: Status = Status.GRADED, **changes: Any) -> Grade:
    """Alice's grade, with these points of 3 for the first question."""
    check = a_tiny_grade().results[0].check
    verdict = Verdict.PASSED if points == 3 else Verdict.FAILED
    results = (a_result(check=check, points=points, verdict=verdict), a_tiny_grade().results[1])
    return msgspec.structs.replace(a_tiny_grade(), results=results, status=status, **changes)


def test_the_same_file_with_different_results_is_told_and_the_later_grade_counts(tmp_path: Path, place: str) -> None:
    a = book_with(tmp_path / "a.sqlite", EARLY, of_alice(3))
    b = book_with(tmp_path / "b.sqlite", NOON, of_alice(1))
    [found] = joined(place, b, a).disagreements
    assert (found.student, found.same_file, found.questions) == ("alice", True, ("q01_double",))
    assert (found.counts.gradebook, found.counts.created) == (str(b), NOON)
    assert found.counts.points == {"q01_double": 1, "q02_halve": 0}
    assert [(each.gradebook, each.points["q01_double"]) for each in found.others] == [(str(a), 3)]
    with Gradebook.open(place) as book:
        assert book.latest("tiny") == [of_alice(1)]
        assert [(each.number, each.created, each.current) for each in attempts(book, "tiny", "alice")] == [
            (1, EARLY, False), (2, NOON, True),
        ]  # fmt: skip
        assert book.recall("tiny", "alice", "alice") == of_alice(1), "and so it does for the next batch"


def test_an_earlier_grade_that_is_merged_later_does_not_count(tmp_path: Path, place: str) -> None:
    a, b, c = (
        book_with(tmp_path / f"{name}.sqlite", created, of_alice(points))
        for name, created, points in (("a", EARLY, 3), ("b", NOON, 1), ("c", LATE, 2))
    )  # fmt: skip
    for each in (c, a, b):
        joined(place, each)
    with Gradebook.open(place) as book:
        assert [(each.number, each.created) for each in attempts(book, "tiny", "alice")] == [
            (1, EARLY), (2, NOON), (3, LATE),
        ]  # fmt: skip
        assert book.latest("tiny") == [of_alice(2)]
        assert book.recall("tiny", "alice", "alice") == of_alice(2)


def test_the_same_results_for_the_same_file_are_no_disagreement(tmp_path: Path, place: str) -> None:
    a = book_with(tmp_path / "a.sqlite", EARLY, of_alice(3, seconds=1.0))
    b = book_with(tmp_path / "b.sqlite", NOON, of_alice(3, seconds=9.0))
    report = joined(place, a, b)
    assert (report.disagreements, report.attempts) == ((), 2)


def test_a_done_grade_counts_before_a_later_fault(tmp_path: Path, place: str) -> None:
    a = book_with(tmp_path / "a.sqlite", EARLY, of_alice(3))
    b = book_with(tmp_path / "b.sqlite", NOON, of_alice(0, status=Status.NEEDS_ATTENTION, attention=("lost",)))
    [found] = joined(place, a, b).disagreements
    assert (found.counts.gradebook, found.others[0].status) == (str(a), Status.NEEDS_ATTENTION)
    with Gradebook.open(place) as book:
        assert book.latest("tiny") == [of_alice(3)] and book.unsettled("tiny") == 0


def test_of_different_files_the_one_that_was_handed_in_last_counts(tmp_path: Path, place: str) -> None:
    a = book_with(tmp_path / "a.sqlite", EARLY, of_alice(3, modified=NOON))
    b = book_with(tmp_path / "b.sqlite", NOON, of_alice(1, modified=EARLY, sha256="cd" * 32))
    c = book_with(tmp_path / "c.sqlite", LATE, of_alice(2, sha256="ef" * 32))
    assert {each.gradebook for found in joined(place, c, b, a).disagreements for each in (found.counts,)} == {str(a)}
    with Gradebook.open(place) as book:
        assert [grade.modified for grade in book.latest("tiny")] == [NOON]


def test_of_different_files_without_times_the_one_that_was_graded_last_counts(tmp_path: Path, place: str) -> None:
    a = book_with(tmp_path / "a.sqlite", NOON, of_alice(3))
    b = book_with(tmp_path / "b.sqlite", EARLY, a_broken_file("alice"))
    [found] = joined(place, a, b).disagreements
    assert (found.same_file, found.counts.gradebook) == (False, str(a))
    assert found.others[0].status is Status.UNREADABLE


def test_what_was_graded_since_the_first_merge_stands(tmp_path: Path, place: str) -> None:
    old, new = of_alice(3), of_alice(1, sha256="cd" * 32, key="new")
    a = book_with(tmp_path / "a.sqlite", EARLY, old)
    with Gradebook.open(a) as book:
        book.record(new, "tiny")
    joined(place, a)
    with Gradebook.open(place) as book:
        assert book.latest("tiny") == [new]
        assert book.recall("tiny", "alice", "alice") == old, "the student hands in the older file again"
    before = dump(place)
    assert joined(place, a).disagreements == ()
    assert dump(place) == before


def test_attempts_with_the_same_times_keep_their_order(tmp_path: Path, place: str) -> None:
    a = book_with(tmp_path / "a.sqlite", NOON, of_alice(3), of_alice(1), of_alice(2))
    joined(place, a)
    with Gradebook.open(place) as book:
        assert [each.record for each in attempts(book, "tiny", "alice")] == [of_alice(3), of_alice(1), of_alice(2)]
        assert book.latest("tiny") == [of_alice(2)]


def a_question_result(verdict: Verdict, digest: str = "d1", **changes: Any) -> QuestionResult:
    given: dict[str, Any] = {"parts": {"cells": "c"}, "results": (a_result(verdict=verdict),), "run": Run(seconds=1)}
    return QuestionResult(question=ONE, digest=digest, **(given | changes))


def kept(place: Path, created: str, *results: QuestionResult) -> Path:
    for each in results:
        with Gradebook.open(place) as book:
            grader = msgspec.structs.replace(book.grader(), since_result=10**6)
            book.record(of_alice(), "tiny", force=True, grader=grader, results=[each])
    return dated(place, created)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_results_under_one_digest_the_one_that_was_judged_last_counts(
    tmp_path: Path, place: str, order: tuple[int, int]
) -> None:
    both = [
        kept(tmp_path / "a.sqlite", EARLY, a_question_result(Verdict.PASSED)),
        kept(tmp_path / "b.sqlite", NOON, a_question_result(Verdict.FAILED)),
    ]
    for number in order:
        joined(place, both[number])
    before = dump(place)
    joined(place, *both)
    assert dump(place) == before
    with Gradebook.open(place) as book:
        assert book.question_results(["d1"])["d1"].results[0].verdict is Verdict.FAILED


def test_results_that_were_judged_again_are_merged_in_their_order(tmp_path: Path, place: str) -> None:
    verdicts = (Verdict.PASSED, Verdict.FAILED, Verdict.PASSED)
    runs = [a_question_result(verdict, run=Run(seconds=number)) for number, verdict in enumerate(verdicts)]
    a = kept(tmp_path / "a.sqlite", NOON, *runs)
    assert len(dump(a)["question_results"]) == 3
    joined(place, a)
    before = dump(place)
    joined(place, a)
    assert dump(place) == before
    with Gradebook.open(place) as book:
        assert book.question_results(["d1"])["d1"].results[0].verdict is Verdict.PASSED


def test_a_damaged_result_is_left_out(tmp_path: Path, place: str) -> None:
    a = kept(tmp_path / "a.sqlite", NOON, a_question_result(Verdict.PASSED), a_question_result(Verdict.PASSED, "d2"))
    with sqlite3.connect(a) as connection:
        connection.execute("UPDATE question_results SET record = '{' WHERE digest = 'd1'")
    assert joined(place, a).results == 1


# Overrides


def an_override(points: float, at: str, **changes: Any) -> Override:
    given: dict[str, Any] = {"student": "alice", "question": "q01_double", "reason": "seen", "by": "staff"}
    return Override(points=points, at=at, **(given | changes))


def overridden(place: Path, *overrides: Override) -> Path:
    with Gradebook.open(place) as book:
        book.record(of_alice(), "tiny")
        for each in overrides:
            book.override("tiny", each)
    return dated(place, EARLY)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_newest_override_counts_whatever_the_order_of_the_gradebooks(
    tmp_path: Path, place: str, order: tuple[int, int]
) -> None:
    both = [
        overridden(tmp_path / "a.sqlite", an_override(1, EARLY)),
        overridden(tmp_path / "b.sqlite", an_override(2, LATE), an_override(0, EARLY, student="bob")),
    ]
    for number in order:
        report = joined(place, both[number])
    [difference] = report.override_differences
    assert (difference.student, difference.question, difference.counts) == ("alice", "q01_double", 2)
    assert sorted(difference.points.values()) == [1, 2]
    before = dump(place)
    assert joined(place, *both).overrides == 0
    assert dump(place) == before
    with Gradebook.open(place) as book:
        assert [(each.points, each.at) for each in book.overrides("tiny", "alice")] == [(1, EARLY), (2, LATE)]
        undone = book.undo_override("tiny", "alice", "q01_double", "staff")
        assert undone is not None and undone.points == 2, "the newest is undone first"


def test_an_override_that_was_undone_in_one_gradebook_is_undone(tmp_path: Path, place: str) -> None:
    a = overridden(tmp_path / "a.sqlite", an_override(1, EARLY))
    joined(place, a)
    with Gradebook.open(a) as book:
        book.undo_override("tiny", "alice", "q01_double", "her")
    joined(place, a)
    with Gradebook.open(place) as book:
        [found] = book.overrides("tiny")
        assert (found.undone_by, bool(found.undone_at)) == ("her", True)


def test_an_override_that_was_undone_and_given_again_in_one_second_is_in_force(tmp_path: Path, place: str) -> None:
    a = overridden(tmp_path / "a.sqlite", an_override(1, EARLY))
    joined(place, a)
    with Gradebook.open(a) as book:
        book.undo_override("tiny", "alice", "q01_double", "her")
        book.override("tiny", an_override(1, EARLY))
    for added in (1, 0):
        assert joined(place, a).overrides == added
        with Gradebook.open(place) as book:
            assert [bool(each.undone_at) for each in book.overrides("tiny")] == [True, False]


# Gradebooks that do not fit


def test_gradebooks_of_different_seeds_are_refused_as_a_whole(tmp_path: Path) -> None:
    root = course_with(tmp_path, 4)
    a = grade(root, tmp_path / "a")
    (root / "autograder" / "seed").write_text("ab" * 32)
    b = grade(root, tmp_path / "b")
    into = tmp_path / "into"
    with pytest.raises(GradebookError, match=r"rest on different seeds in .*a/gradebook\.sqlite, .*Nothing was merged"):
        merged(root, [a, b], into)
    assert dump(into / "gradebook.sqlite")["attempts"] == []


def test_other_checks_and_software_are_told_with_the_questions(tmp_path: Path) -> None:
    root = course_with(tmp_path, 4)
    a = grade(root, tmp_path / "a")
    edit(root, "autograder/tiny/test_q02_halve.py", "2.5", "2.50 + 0")
    b = grade(root, tmp_path / "b", versions={"gradetape": "2"})
    found = merged(root, [a, b], tmp_path / "into")
    assert {each.part: each.questions for each in found.report.differences} == {
        "checks": ("q02_halve",), "versions": QUESTIONS,
    }  # fmt: skip
    text = "\n".join(merge_words.lines(found))
    assert f"tiny: the checks differ between {a}/gradebook.sqlite, {b}/gradebook.sqlite: q02_halve" in text
    assert "the installed software differs" in text and merge_words.AGAIN in text


def test_what_is_no_gradebook_and_the_gradebook_itself_are_refused(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    with pytest.raises(RequestError, match=r"There is no gradebook .*nowhere: nothing was graded into it"):
        merged(root, [tmp_path / "nowhere"])
    own = root / "results"
    with Gradebook.open(own / "gradebook.sqlite") as book:
        book.record(a_tiny_grade(), "tiny")
    with pytest.raises(RequestError, match="is the gradebook that the others are merged into: leave it out"):
        merged(root, [own])


def test_grades_of_another_course_are_refused(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    other = tmp_path / "other.sqlite"
    with Gradebook.open(other) as book:
        book.record(a_tiny_grade(assignment="large"), "large")
    with pytest.raises(RequestError, match="has grades of 'large', which is no assignment of this course"):
        merged(root, [other])
    assert not (root / "results" / "gradebook.sqlite").exists()


def test_a_merge_that_fails_leaves_nothing(tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    a = kept(tmp_path / "a.sqlite", NOON, a_question_result(Verdict.PASSED))
    joined(place)
    before = dump(place)

    def fails(*_: object) -> None:
        raise OSError("the power is gone")

    monkeypatch.setattr("gradetape.gradebook.merging.add_entries", fails)
    with pytest.raises(OSError, match="power"):
        joined(place, a)
    assert dump(place) == before


def test_a_gradebook_that_is_being_graded_into_is_named(tmp_path: Path) -> None:
    a = book_with(tmp_path / "a.sqlite", NOON, of_alice())
    with Gradebook.open(a) as book:
        book.claim(book.grader(), "tiny", "bob", "k")
    root = tiny(tmp_path / "course")
    found = merged(root, [a])
    assert found.report.in_progress == {str(a): 1}
    assert f"{a} is being graded into (1 submission in progress): merge it again later" in merge_words.lines(found)


def test_an_older_gradebook_is_migrated_and_merged(tmp_path: Path, place: str) -> None:
    old = tmp_path / "old.sqlite"
    script = (Path(__file__).parent / "gradebooks" / "layout-2.sql").read_text(encoding="utf-8")
    with sqlite3.connect(old) as connection:
        connection.executescript(script)
    assert joined(place, old).attempts > 0
    with Gradebook.open(place) as book, Gradebook.open(old) as source:
        for name in source.assignments():
            assert book.counting(name) == source.counting(name)


def test_a_database_is_merged_too(tmp_path: Path, place: str) -> None:
    with Gradebook.open(place) as book:
        book.record(a_tiny_grade(), "tiny")
    into = tmp_path / "into.sqlite"
    joined(into, place)
    with Gradebook.open(into) as book:
        assert book.latest("tiny") == [a_tiny_grade()]


# People


def person(number: str, student: str = "Kim", layout: str = "canvas") -> Grade:
    return msgspec.structs.replace(
        a_tiny_grade(student), origin=Origin(layout=layout, id=number), sha256=number.zfill(64), key=number
    )


def test_two_people_of_one_name_stay_two(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    places = [book_with(tmp_path / f"{n}.sqlite", EARLY, person(n)) for n in ("5", "7")]
    with Gradebook.open(places[1]) as book:
        book.override("tiny", an_override(1, NOON, student="Kim"))
    for _ in range(2):
        merged(root, places)
    with Gradebook.open(root / "results" / "gradebook.sqlite") as book:
        assert [(each.student, each.key) for each in book.latest("tiny")] == [("Kim", "5"), ("Kim (7)", "7")]
        assert [each.student for each in book.overrides("tiny")] == ["Kim (7)"]


def test_one_person_under_two_names_is_one(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    a = book_with(tmp_path / "a.sqlite", EARLY, person("5", "Kim"))
    b = book_with(tmp_path / "b.sqlite", NOON, person("5", "Kim Lee"))
    merged(root, [a, b])
    with Gradebook.open(root / "results" / "gradebook.sqlite") as book:
        assert [each.student for each in book.latest("tiny")] == ["Kim"]
        assert len(attempts(book, "tiny", "Kim")) == 2


def test_a_copy_in_which_a_student_was_renamed_adds_nothing(tmp_path: Path) -> None:
    grade = msgspec.structs.replace(person("5", "Kim"), seconds=1e-7, file="é\u2028.ipynb")
    root = recorded(tmp_path, grade)
    book = root / "results" / "gradebook.sqlite"
    copy = shutil.copy(book, tmp_path / "copy.sqlite")
    with Gradebook.open(copy) as renamed:
        renamed.rename_student("Kim", "Kim Lee", "staff")
    assert merged(root, [copy]).report.attempts == 0
    with Gradebook.open(book) as unchanged:
        assert [each.record for each in attempts(unchanged, "tiny", "Kim")] == [grade]


@pytest.mark.parametrize("into", ["old", "new"])
def test_a_copy_whose_records_an_earlier_version_wrote_adds_nothing(tmp_path: Path, into: str) -> None:
    new = book_with(tmp_path / "new.sqlite", EARLY, msgspec.structs.replace(a_tiny_grade("Kim"), seconds=1e-7))
    old = Path(shutil.copy(new, tmp_path / "old.sqlite"))
    with sqlite3.connect(old) as connection:
        [(text,)] = connection.execute("SELECT record FROM attempts")
        connection.execute("UPDATE attempts SET record = ?", (json.dumps(json.loads(text)),))
    assert joined(*((old, new) if into == "old" else (new, old))).attempts == 0


def test_two_students_of_a_gradebook_never_become_one(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    a = book_with(tmp_path / "a.sqlite", EARLY, person("5", "Kim"))
    b = book_with(tmp_path / "b.sqlite", NOON, person("5", "Kim Lee"), a_tiny_grade("Kim"))
    with pytest.raises(RequestError, match="2 submissions are of 'Kim': one by its id"):
        merged(root, [a, b])


# The command


def test_the_command_says_what_differs_and_what_counts(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    a = book_with(tmp_path / "a.sqlite", EARLY, of_alice(3), a_broken_file("bob"))
    b = book_with(tmp_path / "b.sqlite", NOON, of_alice(1), a_tiny_grade("bob"))
    for each, points in ((a, 1), (b, 2)):
        with Gradebook.open(each) as book:
            book.override("tiny", an_override(points, EARLY if points == 1 else LATE))
    done = called(root, "merge", a, b, "--json")
    assert done.returncode == 1
    for words in (
        "1 student got different results for the same file:",
        f"alice, tiny (q01_double): 1 point of {b}, {NOON} counts, not 3 points of {a}, {EARLY}",
        "1 student handed in different files; the one that was handed in last counts, and without times the one that",
        f"bob, tiny: 3 points of {b}, {NOON} counts, not the unreadable file of {a}, {EARLY}",
        f"alice, q01_double: different overrides: 1 in {a}, 2 in {b}. The newest counts: 2 points",
        "merged 2 gradebooks into",
        "4 attempts, 0 question results and 2 overrides added, 0 attempts there before; open",
    ):
        assert words in done.stderr
    found = json.loads(done.stdout)
    assert [each["student"] for each in found["disagreements"]] == ["alice", "bob"]
    again = called(root, "merge", a, b)
    assert "0 attempts, 0 question results and 0 overrides added, 4 attempts there before" in again.stderr


def test_names_that_are_no_text_for_a_terminal_are_shown_safely(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    nasty = "al\x1b[2Jice\n\u202e"
    a = book_with(tmp_path / "a.sqlite", EARLY, of_alice(3, student=nasty))
    b = book_with(tmp_path / "b.sqlite", NOON, of_alice(1, student=nasty))
    done = called(root, "merge", a, b)
    assert "\x1b" not in done.stderr and r"al\x1b[2Jice\n" in done.stderr
    with Gradebook.open(root / "results" / "gradebook.sqlite") as book:
        assert [each.student for each in book.latest("tiny")] == [nasty]
        assert [each.student for each in book.measured("tiny").values()] == [printable(nasty)]


def test_different_assignments_are_told(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    a = book_with(tmp_path / "a.sqlite", EARLY, of_alice(3))
    empty = tmp_path / "b.sqlite"
    Gradebook.open(empty).close()
    assert called(root, "merge", a, empty).returncode == 0
    for folder in ("assignments", "autograder", "solutions"):
        (root / folder / "second").symlink_to(root / folder / "tiny")
    other = tmp_path / "c.sqlite"
    with Gradebook.open(other) as book:
        book.record(a_tiny_grade(assignment="second"), "second")
    done = called(root, "merge", a, other)
    assert f"{a} has grades of tiny" in done.stderr and f"{other} has grades of second" in done.stderr
