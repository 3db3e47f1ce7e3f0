"""The gradebook: every attempt of every student, in SQLite or PostgreSQL.

An attempt is a row that is never changed or removed, but for one flag: `current` marks what counts for a student in
an assignment, and the database itself sees to it that only one attempt has it. A grade is *done* when its status is
`graded`; what is done under a key is not recorded again. A grade that needs attention is not done: the same key may be
tried again, each attempt is kept, and the last one counts.

Writers queue, so that two drivers that record the same result leave one: SQLite takes its write lock as a transaction
begins, and PostgreSQL locks the row that holds the schema's version. Everything else is the same code for both.
Graders that work at the same time *claim* a submission before they judge it (`claims.py`). An older layout is migrated
as the gradebook is opened (`schema.py`).
The whole record is kept as ASCII JSON, because neither database takes every character that a student can write.
"""

from gradetape.gradebook.book import Attempt, Gradebook
from gradetape.gradebook.claims import Grader

__all__ = ["Attempt", "Gradebook", "Grader"]
