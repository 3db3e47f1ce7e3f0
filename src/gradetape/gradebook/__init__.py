"""The gradebook: every attempt of every student, in SQLite or PostgreSQL.

An attempt is a row that is never changed or removed, except for one flag: `current` marks the attempt that counts for a
student in an assignment, and the database itself ensures that only one attempt has it. A grade is *done* when its
status is `graded`; a done grade is not recorded again under the same key. A grade that needs attention is not done: the
same key may be graded again, every attempt is kept, and the last one counts.

Writers queue, so that two drivers that record the same result leave one attempt: SQLite takes its write lock when a
transaction begins, and PostgreSQL locks the row with the schema version. Everything else is the same code for both.
A grade is composed of *question results* (`question_results.py`), each stored once under the digest of everything that
decides it. The attempt, the results that were judged for it and the links to all its results are recorded together.

What people write about results, which no regrade changes, is beside them (`notes.py`).
Gradebooks that were graded apart are merged into one (`merging.py`).
Graders that run at the same time *claim* a submission before they judge it (`claims.py`). An older layout is migrated
when the gradebook is opened (`schema.py`).
The whole record is stored as ASCII JSON, because neither database accepts every character that a student can write.
"""

from gradetape.gradebook.attempts import NewAttempt
from gradetape.gradebook.book import Gradebook
from gradetape.gradebook.claims import Grader
from gradetape.gradebook.measured import Measured, between
from gradetape.gradebook.merge_differences import BookGrade, Disagreement, OverrideDifference, PartDifference
from gradetape.gradebook.merging import MergeReport
from gradetape.gradebook.notes import Notes
from gradetape.gradebook.order import Order, order_of
from gradetape.gradebook.other_books import KnownPerson
from gradetape.gradebook.question_results import QuestionResult, Run
from gradetape.gradebook.written import KeptAnswer

__all__ = [
    "BookGrade",
    "Disagreement",
    "Gradebook",
    "Grader",
    "KeptAnswer",
    "KnownPerson",
    "Measured",
    "MergeReport",
    "NewAttempt",
    "Notes",
    "Order",
    "OverrideDifference",
    "PartDifference",
    "QuestionResult",
    "Run",
    "between",
    "order_of",
]
