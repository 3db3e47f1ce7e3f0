"""Grades to pages: pure functions of their input, and `write`, which puts what they return into a folder.

Nothing that a stranger wrote gets past two walls: `text.printable` shows what is invisible, and Jinja's autoescape, the
CSV writer or the JSON encoder quotes what is left. No page loads anything; only a dashboard runs anything, and that is
the two scripts in `assets/`. A policy in each page's head tells the browser to see to that too.
"""

from gradetape.report.dashboard import index_page, overview_page
from gradetape.report.folder import write
from gradetape.report.html import page_name
from gradetape.report.staff import staff_page
from gradetape.report.student import student_page, unreadable_page
from gradetape.report.tables import as_json, grades_csv

__all__ = [
    "as_json", "grades_csv", "index_page", "overview_page", "page_name", "staff_page", "student_page",
    "unreadable_page", "write",
]  # fmt: skip
