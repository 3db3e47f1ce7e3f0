"""The pages of one assignment, each made when it is asked for: a folder holds them all, `gradetape desk` shows one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gradetape.exports import GradeTable, questions_of
from gradetape.records import FinalScore, Grade, MixedQuestion, NoSubmission, PointsChange, Question, Unreadable
from gradetape.report.actions import Actions
from gradetape.report.dashboard import dashboard_view, index_page
from gradetape.report.html import page_name
from gradetape.report.material import NO_MATERIAL, Material
from gradetape.report.notes import NO_NOTES, StaffNotes
from gradetape.report.question import question_page, question_page_name
from gradetape.report.staff import Neighbours, staff_page, unreadable_for_staff
from gradetape.report.student import student_page, unreadable_page
from gradetape.text import collation_key

_UP = "../../"


@dataclass(frozen=True)
class AssignmentPages:
    """One assignment's results and its pages, as pure functions of them; see `report.write` for the fields.

    `actions` are the forms of the pages for staff, if they have any, and `notes` is what people wrote about results.
    `similar` says when the pages about similar submissions, to which the dashboard leads, were written.
    Large because it has a method for each kind of page, and these share what all pages need.
    """

    course: str
    assignment: str
    title: str
    max_points: float
    grades: Sequence[Grade]
    unreadable: Sequence[Unreadable]
    final_scores: Mapping[str, FinalScore] | None
    options: Sequence[str] = ()
    changes: Sequence[PointsChange] = ()
    mixed: Sequence[MixedQuestion] = ()
    no_submission: Sequence[NoSubmission] = ()
    material: Material = NO_MATERIAL
    actions: Actions | None = None
    notes: StaffNotes = NO_NOTES
    similar: str = ""

    @cached_property
    def order(self) -> tuple[str, ...]:
        """All students with a page in the order of the dashboard."""
        students = [*(grade.student for grade in self.grades), *(entry.student for entry in self.unreadable)]
        return tuple(sorted(students, key=collation_key))

    @cached_property
    def neighbours(self) -> Mapping[str, Neighbours]:
        """The students before and after each one."""
        around = (None, *self.order, None)
        return {student: Neighbours(around[place], around[place + 2]) for place, student in enumerate(self.order)}

    @cached_property
    def records(self) -> Mapping[str, Grade | Unreadable]:
        """The grade or the unreadable file of each student, by the file name of the student's page."""
        found: list[Grade | Unreadable] = [*self.grades, *self.unreadable]
        return {page_name(each.student): each for each in found}

    @cached_property
    def questions(self) -> Mapping[str, Question]:
        """The questions of all grades, by the file name of the question's page."""
        return {question_page_name(question): question for question in questions_of(self.grades)}

    def of(self, students: Collection[str] | None) -> Sequence[Grade | Unreadable]:
        """What counts for some students; for all if `students` is None."""
        return [each for each in self.records.values() if students is None or each.student in students]

    def dashboard(self, up: str = _UP) -> str:
        """The dashboard; `up` is the path from its folder to the results folder."""
        return index_page(self._dashboard, up)

    @cached_property
    def _dashboard(self) -> Mapping[str, Any]:
        """What the dashboard shows: a results folder has it twice."""
        return dashboard_view(
            self.grades, self.unreadable, assignment=self.assignment, final_scores=self.final_scores,
            options=self.options, changes=self.changes, mixed=self.mixed, no_submission=self.no_submission,
            notes=self.notes, actions=self.actions, similar=self.similar, **self._titles,
        )  # fmt: skip

    def for_student(self, record: Grade | Unreadable) -> str:
        """A student's page, without anything for staff."""
        final_score, notes = self.final_score(record.student), self.notes.of(record.student)
        if isinstance(record, Unreadable):
            return unreadable_page(record, self.assignment, final_score=final_score, notes=notes, **self._titles)
        untouched = self.material.starters_of(record)
        return student_page(record, final_score=final_score, untouched=untouched, notes=notes, **self._titles)

    def for_staff(self, record: Grade | Unreadable) -> str:
        """A submission's page for staff."""
        common: dict[str, Any] = {
            "up": _UP, "options": self.options, "final_score": self.final_score(record.student),
            "neighbours": self.neighbours[record.student], "notes": self.notes.of(record.student),
            "actions": self.actions, **self._titles,
        }  # fmt: skip
        if isinstance(record, Unreadable):
            return unreadable_for_staff(record, self.assignment, **common)
        return staff_page(record, material=self.material, **common)

    def of_question(self, question: Question) -> str:
        """A question's page over all students."""
        return question_page(
            question, self.grades, assignment=self.assignment, final_scores=self.final_scores,
            material=self.material, mixed=self.mixed, actions=self.actions, **self._titles,
        )  # fmt: skip

    @property
    def table(self) -> GradeTable:
        """The table of grades."""
        return GradeTable.of(
            self.grades, self.unreadable, max_points=self.max_points, final_scores=self.final_scores,
            no_submission=self.no_submission,
        )  # fmt: skip

    def final_score(self, student: str) -> FinalScore | None:
        """A student's final score, if it is known."""
        return (self.final_scores or {}).get(student)

    @property
    def _titles(self) -> dict[str, str]:
        """The titles at the top of every page."""
        return {"course": self.course, "title": self.title}
