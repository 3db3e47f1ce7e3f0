"""Turns a request to grade into a plan; everything that can be refused is refused before anything starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from gradetape import intake
from gradetape.course import packages
from gradetape.course.assignments import Course
from gradetape.course.gradable import GradableAssignment
from gradetape.course.question_ids import resolve
from gradetape.engine import Engine, EngineOptions, OpenEngine, open_engine
from gradetape.grading.enrolment import Enrolment, enrolled
from gradetape.grading.final_scores import times_of
from gradetape.grading.results import GRADEBOOK, options_again
from gradetape.grading.selection import Selection, select
from gradetape.grading.shards import Shard

NO_ISOLATION = "WARNING: no isolation: code in a submission can read and change whatever you can."


class GradeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Files or folders to grade, and how.

    `assignment` and `student` override what the files declare, `layout` names the layout of the folder. `out` is the
    results folder, by default the configuration's. With `question`, an id or a unique prefix, only that question is
    judged; the grades have the others as far as their results are known. With `regrade`, what has a result is judged
    again. With `shard`, only that share of the submissions is graded. With `only_failed`, all this is about those
    submissions alone whose last grade is not final. `roster` and `roster_map` are the class list and the table beside
    it, by default the configuration's.
    """

    paths: tuple[Path, ...]
    assignment: str | None = None
    student: str | None = None
    layout: str | None = None
    out: Path | None = None
    question: str | None = None
    regrade: bool = False
    shard: Shard | None = None
    only_failed: bool = False
    engine: EngineOptions = EngineOptions()
    roster: Path | None = None
    roster_map: Path | None = None


@dataclass(frozen=True)
class GradePlan:
    """The submissions to grade, the engine, and the results folder; `warnings` are to be shown before grading starts.

    `enrolment` is the class list by which the submissions got their names, if there is one.
    """

    gradable: GradableAssignment
    selection: Selection
    engine: Engine
    folder: Path
    question: str | None
    regrade: bool
    options_again: tuple[str, ...]
    only_failed: bool = False
    enrolment: Enrolment | None = None

    @property
    def gradebook(self) -> Path | str:
        """The file or the database of the grades."""
        return self.gradable.course.config.gradebook or self.folder / GRADEBOOK

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings to show before grading starts, in sentences."""
        environment = self.engine.environment
        isolation = (NO_ISOLATION,) if environment.isolation == "none" else ()
        return (
            self.selection.recognised, *self.selection.warnings, *isolation, *self._lacking, environment.message
        )  # fmt: skip

    @property
    def _lacking(self) -> tuple[str, ...]:
        """That this environment lacks packages of the assignment; an image has its own."""
        assignment, isolation = self.gradable.assignment, self.engine.environment.isolation
        wrong = () if isolation == "container" else packages.lacking(assignment.packages)
        if not wrong:
            return ()
        return (
            f"WARNING: assignments/{assignment.name}/assignment.yml lists packages that this environment lacks: "
            f"{packages.description(wrong)}. Install them, and grade again: {packages.install(wrong)}",
        )


def plan(course: Course, request: GradeRequest, open_engine: OpenEngine = open_engine) -> GradePlan:
    """Reads the submissions, the assignment and its answer key, and chooses the engine; starts nothing.

    Raises GradetapeError if one of them is invalid, including the late policy.
    """
    course = course.with_class_list(request.roster, request.roster_map)
    results = request.out or course.root / course.config.results
    secret = (*course.secret_places, results)
    selection = select(
        request.paths, assignment=request.assignment, student=request.student, layout=request.layout, secret=secret
    )
    enrolment = Enrolment.of(course)
    if enrolment:
        selection = enrolled(enrolment, selection, request.student)
    if request.shard:
        selection = request.shard.of(selection)
    gradable = GradableAssignment.open(course, selection.assignment)
    question = None if request.question is None else resolve(request.question, gradable.assignment)
    times_of(course, selection.assignment)
    handed_in = [intake.zip_of(each) or each for each in request.paths]
    hidden = (*request.engine.hidden, results, *gradable.private_files, *handed_in)
    engine = open_engine(gradable, msgspec.structs.replace(request.engine, hidden=hidden))
    return GradePlan(
        gradable=gradable, selection=selection, engine=engine, folder=results, question=question,
        regrade=request.regrade, options_again=options_again(request.out), only_failed=request.only_failed,
        enrolment=enrolment,
    )  # fmt: skip
