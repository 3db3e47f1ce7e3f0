"""The comment on a grade that a platform shows to the student: a short part of the student's page, as HTML in one line.

It is built from the views of the page, and so holds nothing for staff only.
"""

from __future__ import annotations

from gradetape.records import FinalScore, Grade
from gradetape.report import words
from gradetape.report.html import render
from gradetape.report.notes import NO_STUDENT_NOTES, StudentNotes
from gradetape.report.student import question_view


def comment(grade: Grade, final_score: FinalScore, notes: StudentNotes = NO_STUDENT_NOTES) -> str:
    """The points of each question, the checks that are not passed with their hints, and how the score came about.

    `notes` is what was written about the answers.
    """
    page = render(
        "comment.html.j2",
        final_score=final_score,
        max_points=words.most_points(grade, final_score),
        written=words.written(final_score),
        questions=[
            question_view(grade, question, final_score, notes) for question in words.with_checks(grade, final_score)
        ],
    )
    return " ".join(page.split())
