"""Whose code a worker runs, and what follows from that for its session."""

from __future__ import annotations

import msgspec


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """The code that a session's worker runs.

    `name` is what the zygote calls it. `charged`: its time and CPU seconds are the submission's, what it returns counts
    as received from the student, and what its cells replaced of the libraries is reviewed. `trusted`: whatever ends it
    is the grader's fault, its replies have a time of their own, and its CPU seconds are not limited. `allowed_at_load`:
    the CPU seconds of a check are granted once, when it starts.
    """

    name: str
    charged: bool = False
    trusted: bool = False
    allowed_at_load: bool = False


STUDENT = Role(name="student", charged=True)
REFERENCE = Role(name="reference", trusted=True)
CLEAN = Role(name="clean", allowed_at_load=True)
