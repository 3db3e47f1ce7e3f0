"""`gradetape show`."""

from __future__ import annotations

from pathlib import Path

import click

from gradetape.cli import options
from gradetape.cli.course import here
from gradetape.cli.lines import warn
from gradetape.cli.terminal import console
from gradetape.grading.material import material_of
from gradetape.grading.results import Results, question_of
from gradetape.grading.staff_notes import staff_notes
from gradetape.report.material import NO_MATERIAL
from gradetape.report.terminal import student_view
from gradetape.text import composed


@click.command("show")
@click.argument("student", type=composed)
@click.option("--assignment", metavar="NAME", help="Only this assignment. [default: all assignments of the student]")
@options.question
@click.option("--staff", is_flag=True, help="Include what only staff may see: hidden checks and their messages.")
@options.results_folder
def command(
    student: str, assignment: str | None, question: str | None, staff: bool, results_folder: Path | None
) -> None:
    """Show a student's result in the terminal, as the student may see it; with --staff, all details.

    A student is found by the name or id, or by any part of them that only one student has.

    \b
    Examples:
      gradetape show alice
      gradetape show "jane d" --question q06
      gradetape show alice --assignment custom-training --staff
    """
    terminal = console(stderr=False)
    with Results.open(here(), results_folder) as results:
        warn([results.book.migrated])
        found = results.of_student(student, results.assignments(assignment))
        warn(found.warnings)
        one = question_of(found.results, question) if question else None
        for result in found.results:
            material = NO_MATERIAL
            if staff and one is None:
                material = material_of(results.course, results.course.assignment(result.assignment))
            notes = staff_notes(results.book, result.assignment).of(result.record.student)
            terminal.print(student_view(
                result.record, result.final_score, staff=staff, question=one, material=material, notes=notes
            ))  # fmt: skip
