"""The roles of workers: the code that they run, and the consequences for their sessions."""

from __future__ import annotations

import msgspec


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """The code that a session's worker runs.

    `name` is the zygote's name for it. `charged`: its time and CPU seconds count as the submission's, its values count
    as received from the student, and its cells' changes to the libraries are reviewed. `trusted`: its end is always the
    grader's fault, its replies have a separate deadline, and its CPU seconds are not limited. `allowed_at_load`: the
    CPU seconds of a check are granted once, when the worker starts.
    """

    name: str
    charged: bool = False
    trusted: bool = False
    allowed_at_load: bool = False


STUDENT = Role(name="student", charged=True)
REFERENCE = Role(name="reference", trusted=True)
CLEAN = Role(name="clean", allowed_at_load=True)
