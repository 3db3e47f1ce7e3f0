"""Scaffolding: the files of a new course, assignment or question, ready to be filled in.

Each file to fill in contains the line `PLACEHOLDER`; while it does, `gradetape verify` reports its question as not
ready. Files are written completely or not at all: they are created in a temporary folder of the course first.
"""

from gradetape.scaffold.assignments import LEFT_OUT, new_assignment, new_question
from gradetape.scaffold.questions import Change, copy, make, mentions, question_ids, remove, rename
from gradetape.scaffold.readiness import PLACEHOLDER, placeholders, unready
from gradetape.scaffold.sheet import Doubt, Entry, Sheet, read
from gradetape.scaffold.start import EXAMPLE, new_course

__all__ = [
    "EXAMPLE",
    "LEFT_OUT",
    "PLACEHOLDER",
    "Change",
    "Doubt",
    "Entry",
    "Sheet",
    "copy",
    "make",
    "mentions",
    "new_assignment",
    "new_course",
    "new_question",
    "placeholders",
    "question_ids",
    "read",
    "remove",
    "rename",
    "unready",
]
