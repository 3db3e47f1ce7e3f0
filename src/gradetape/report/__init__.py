"""Pages about grades: pure functions of their input, and `write`, which writes what they return into a folder.

Untrusted text passes two filters: `text.printable` turns invisible characters into escapes, and Jinja's autoescape
quotes the rest. No page loads anything, but for the pictures of a written answer at the desk. Only pages with tables of
all students and the page on which answers are marked run scripts, those in `assets/`; the content security policy in
each page's head makes the browser enforce both. `terminal` has the view of one student for
the terminal.
"""

from gradetape.report.actions import Actions
from gradetape.report.comment import comment
from gradetape.report.dashboard import dashboard_view, index_page, notice_page, overview_page
from gradetape.report.done import ToDo, basis_of, to_do
from gradetape.report.folder import (
    has_dashboard,
    has_pages,
    read_similar,
    remove_pages,
    similar_written_at,
    write,
    write_pages,
    write_similar,
    written_at,
)
from gradetape.report.html import anchor, page_name, script_digests, slug
from gradetape.report.likeness import FailureGroup, groups_of
from gradetape.report.marking import MarkingView, marking_page
from gradetape.report.material import CheckSource, Material
from gradetape.report.notes import StaffNotes, StudentNotes
from gradetape.report.pages import AssignmentPages
from gradetape.report.question import answering, question_page
from gradetape.report.similar import similar_pages
from gradetape.report.staff import staff_page
from gradetape.report.student import check_view, student_page, unreadable_page
from gradetape.report.trial import trial_page

__all__ = [
    "Actions",
    "AssignmentPages",
    "CheckSource",
    "FailureGroup",
    "MarkingView",
    "Material",
    "StaffNotes",
    "StudentNotes",
    "ToDo",
    "anchor",
    "answering",
    "basis_of",
    "check_view",
    "comment",
    "dashboard_view",
    "groups_of",
    "has_dashboard",
    "has_pages",
    "index_page",
    "marking_page",
    "notice_page",
    "overview_page",
    "page_name",
    "question_page",
    "read_similar",
    "remove_pages",
    "script_digests",
    "similar_pages",
    "similar_written_at",
    "slug",
    "staff_page",
    "student_page",
    "to_do",
    "trial_page",
    "unreadable_page",
    "write",
    "write_pages",
    "write_similar",
    "written_at",
]  # fmt: skip
