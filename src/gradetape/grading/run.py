"""Carries out a plan: grades into the gradebook, writes the pages, and returns what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from gradetape.gradebook import Gradebook
from gradetape.grading import changes, concerns, which_counts
from gradetape.grading.batch import Batch, BatchGrader
from gradetape.grading.enrolment import refuse_contradictions
from gradetape.grading.events import Listener, Warned
from gradetape.grading.mixed import lines as mixed_lines
from gradetape.grading.mixed import mixed_questions
from gradetape.grading.one_question import left_out, listener_for, only
from gradetape.grading.people import under_known_names
from gradetape.grading.request import GradePlan
from gradetape.grading.results import Results, Written
from gradetape.grading.selection import Selection
from gradetape.grading.which_counts import FileComparison
from gradetape.grading.workload import Workload
from gradetape.grading.written import keep_answers
from gradetape.records import Grade, MixedQuestion, NoSubmission, PointsChange, Status, Unreadable
from gradetape.text import counted, few, one_line, printable

NOT_FINAL = (
    "These grades are not final; grade again to retry them. Test the checks with gradetape verify, and see all details "
    "with gradetape show STUDENT --staff."
)
_NAME = 60


@dataclass(frozen=True)
class GradeReport:
    """The result of a plan; `index` is the start page, `no_submission` who of the class list has handed in nothing.

    Of one question that was asked for, `batch` has that question alone. `incomplete` are then the students whose grades
    do not have all others, by reason. `changes` are the points that went up or down, `comparisons` the students of
    whom another file counts, or of whom no time decides it, `mixed` the questions that were judged under two versions.
    """

    batch: Batch
    index: Path
    incomplete: Mapping[str, Sequence[str]] = field(default_factory=dict)
    changes: tuple[PointsChange, ...] = ()
    comparisons: tuple[FileComparison, ...] = ()
    mixed: tuple[MixedQuestion, ...] = ()
    no_submission: tuple[NoSubmission, ...] = ()

    @property
    def assignment(self) -> str:
        """The name of the assignment; empty if there is no grade."""
        return next((grade.assignment for grade in self.batch.grades), "")

    @property
    def older(self) -> tuple[str, ...]:
        """The students of whom another file counts than the one that was graded."""
        return tuple(each.student for each in self.comparisons if not each.counts)

    @property
    def needs_attention(self) -> bool:
        """Whether staff must look at something."""
        return self.batch.needs_attention

    @property
    def messages(self) -> tuple[str, ...]:
        """A summary in lines: what needs attention, then the counts."""
        incomplete = (f"not complete: {_names(names)}: {reason}" for reason, names in self.incomplete.items())
        changed = changes.lines(self.changes)
        lacking = concerns.lines(self.batch.grades, self.assignment)
        absent = [f"no submission: {_names(each.student for each in self.no_submission)}"] if self.no_submission else []
        return (
            *_messages(self.batch),
            *which_counts.lines(self.comparisons),
            *incomplete,
            *changed,
            *mixed_lines(self.mixed),
            *lacking,
            *absent,
            f"{_counts(self.batch)}; open {self.index}",
        )


class Interrupted(KeyboardInterrupt):
    """A batch was interrupted; recorded grades are kept, and the pages are written."""


def run(plan: GradePlan, listener: Listener, *, sparing: bool = False) -> GradeReport:
    """Grades a plan's submissions; however it ends, the pages show everything in the gradebook.

    `sparing` is for a run after another one with the same course: it writes the pages of students with a new entry, and
    reports on them alone.

    Raises GradetapeError, and Interrupted at Ctrl-C; recorded grades are kept.
    """
    with Gradebook.open(plan.gradebook) as book:
        if book.migrated:
            listener(Warned(book.migrated))
        before = book.measured(plan.gradable.assignment.name)
        students: set[str] | None = None
        try:
            batch = _graded(plan, book, listener_for(listener, plan.question))
            if sparing:
                batch, students = _of_recorded(batch), batch.recorded
        except KeyboardInterrupt:
            raise Interrupted("The grades so far are kept. Run the same command to continue.") from None
        finally:
            written = _write_pages(plan, book, listener, students)
        counting = book.measured(plan.gradable.assignment.name)
        changed = changes.since(before, counting)
        graded: list[Grade | Unreadable] = [*batch.grades, *batch.unreadable]
        comparisons = which_counts.comparisons(book, plan.gradable.assignment.name, graded, before, counting)
    incomplete = _by_reason(batch.grades, lambda grade: filter(None, [left_out(grade)])) if plan.question else {}
    shown = _of_question(batch, plan.question)
    return GradeReport(shown, written.index, incomplete, changed, comparisons, written.mixed, written.no_submission)


def workload(plan: GradePlan) -> Workload:
    """What `run` would do with a plan, and why; nothing is started, graded or written. Raises GradetapeError."""
    place = plan.gradebook
    known = "://" in str(place) or Path(place).is_file()
    with plan.engine as engine, Gradebook.open(place if known else ":memory:") as book:
        grader = BatchGrader(plan.gradable, engine, book, lambda _: None, question=plan.question)
        return grader.workload(_selected(plan, book).submissions, regrade=plan.regrade)


def _graded(plan: GradePlan, book: Gradebook, listener: Listener) -> Batch:
    """Grades, and ends every process of the engine before the pages are written."""
    with plan.engine as engine:
        grader = BatchGrader(plan.gradable, engine, book, listener, question=plan.question)
        selection = _selected(plan, book)
        keep_answers(book, plan.gradable.assignment, selection.submissions)
        left = len(plan.selection.submissions) - len(selection.submissions)
        if plan.only_failed and left:
            listener(Warned(f"--only-failed leaves out {counted(left, 'submission')}, graded or never seen before"))
        return grader.run(selection.submissions, selection.unreadable, regrade=plan.regrade)


def _selected(plan: GradePlan, book: Gradebook) -> Selection:
    """The submissions to grade, under the names that their people have in the gradebook; raises RequestError.

    With `only_failed`, those whose last grade is not final.
    """
    selection = under_known_names(book, plan.selection)
    refuse_contradictions(plan.enrolment, plan.selection, selection)
    if not plan.only_failed:
        return selection
    last = book.measured(plan.gradable.assignment.name)
    failed = {student for student, each in last.items() if each.status is not Status.GRADED}
    kept = tuple(each for each in selection.submissions if printable(each.student) in failed)
    return msgspec.structs.replace(selection, submissions=kept)


def _of_question(batch: Batch, question: str | None) -> Batch:
    return replace(batch, grades=[only(grade, question) for grade in batch.grades])


def _of_recorded(batch: Batch) -> Batch:
    grades = [grade for grade in batch.grades if grade.student in batch.recorded]
    unreadable = [entry for entry in batch.unreadable if entry.student in batch.recorded]
    return replace(batch, grades=grades, unreadable=unreadable)


def _write_pages(plan: GradePlan, book: Gradebook, listener: Listener, students: set[str] | None) -> Written:
    name = plan.gradable.assignment.name
    if students == set():
        return Written(index=plan.folder / "index.html", mixed=mixed_questions(book, name))
    written = Results(plan.gradable.course, book).write_pages(
        name, plan.folder, options=plan.options_again, students=students
    )
    for warning in written.warnings:
        listener(Warned(warning))
    return written


def _messages(batch: Batch) -> Iterator[str]:
    for entry in batch.unreadable:
        yield f"unreadable: {one_line(entry.file)}: {one_line(entry.reason)}"
    for reason, students in _by_reason(batch.grades, lambda grade: grade.reasons).items():
        yield f"needs attention: {_names(students)}: {one_line(reason)}"
    if any(grade.attention for grade in batch.grades):
        yield NOT_FINAL
    for grade in batch.grades:
        if grade.review:
            more = f" and {len(grade.review) - 1} more" if len(grade.review) > 1 else ""
            yield f"for review: {one_line(grade.student, _NAME)}: {one_line(grade.review[0])}{more}"


def _names(students: Iterable[str]) -> str:
    return few(one_line(student, _NAME) for student in students)


def _by_reason(grades: Sequence[Grade], reasons: Callable[[Grade], Iterable[str]]) -> dict[str, list[str]]:
    """The students by reason: a broken check is broken for everyone."""
    students: dict[str, list[str]] = {}
    for grade in grades:
        for reason in reasons(grade):
            students.setdefault(reason, []).append(grade.student)
    return students


def _counts(batch: Batch) -> str:
    before = len(batch.grades) - batch.fresh - batch.shared
    shared = f"{batch.shared} by another grader meanwhile, " if batch.shared else ""
    now = batch.fresh - batch.composed
    composed = f"{batch.composed} from results that were known, " if batch.composed else ""
    return f"{now} graded now, {composed}{shared}{before} graded before, {len(batch.unreadable)} unreadable"
