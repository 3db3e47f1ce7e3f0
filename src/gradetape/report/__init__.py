"""Grades to pages: pure functions of their input, and `write`, which puts what they return into a folder.

Nothing that a stranger wrote gets past two walls: `text.printable` shows what is invisible, and Jinja's autoescape, the
CSV writer or the JSON encoder quotes what is left. The pages load nothing and run nothing, and a policy in their head
tells the browser to see to that too.
"""

from gradetape.report.folder import write
from gradetape.report.pages import index_page, page_name, student_page, unreadable_page
from gradetape.report.tables import as_json, grades_csv

__all__ = ["as_json", "grades_csv", "index_page", "page_name", "student_page", "unreadable_page", "write"]
