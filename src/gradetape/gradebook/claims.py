"""Claims: graders that share a gradebook divide the work and never judge a submission twice.

A grader claims a submission before it judges it, sends heartbeats meanwhile, and releases the claim in the transaction
that records the grade. The claim of a grader that has ended is free at once if that is visible (a process of this
machine), otherwise after `LEASE_S` seconds without a heartbeat. All times are the database's: the clocks of two
machines may differ.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from gradetape.gradebook.tables import CLAIMS, in_parts

LEASE_S = 180.0
HEARTBEAT_S = 15.0
_NOW = sa.extract("epoch", sa.func.now())
Work = tuple[str, str]  # a submission of an assignment: the student, and the key

# Statements that run for every submission are made once: making them takes longer than running them.
_IN_FORCE = CLAIMS.c.beaten > _NOW - LEASE_S
_ONE = sa.and_(
    CLAIMS.c.assignment == sa.bindparam("of_assignment"), CLAIMS.c.student == sa.bindparam("of_student"),
    CLAIMS.c.key == sa.bindparam("of_key"),
)  # fmt: skip
_OF_OTHERS = sa.select(CLAIMS).where(
    CLAIMS.c.assignment == sa.bindparam("of_assignment"), CLAIMS.c.key.in_(sa.bindparam("keys", expanding=True)),
    CLAIMS.c.token != sa.bindparam("own"), _IN_FORCE,
)  # fmt: skip
_DROP = sa.delete(CLAIMS).where(_ONE)
_RELEASE = sa.delete(CLAIMS).where(_ONE, CLAIMS.c.token == sa.bindparam("own"))
_TAKE = sa.insert(CLAIMS).values(beaten=_NOW)


class Grader(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a grader: the process `pid` on `host`.

    `token` identifies the run, `process` distinguishes it from a later process with the same pid. `since` and
    `since_result` are the ids of the newest attempt and of the newest question result at its start.
    """

    token: str
    host: str
    pid: int
    process: str
    since: int = 0
    since_result: int = 0

    @classmethod
    def here(cls, since: int, since_result: int = 0) -> Grader:
        """This process, as one run."""
        pid = os.getpid()
        return cls(
            token=secrets.token_hex(16), host=socket.gethostname(), pid=pid, process=_process(pid) or "", since=since,
            since_result=since_result,
        )  # fmt: skip

    @property
    def gone(self) -> bool:
        """Whether it is known to have ended: its process was on this machine and no longer exists."""
        machine, _, _ = self.process.rpartition(" ")
        return bool(machine) and machine == _machine() and _process(self.pid) != self.process


def owners(connection: sa.Connection, assignment: str, keys: Sequence[str], grader: Grader) -> dict[Work, Grader]:
    """The other graders that hold valid claims on submissions of an assignment under these keys, by submission."""
    found: dict[Work, Grader] = {}
    for some in in_parts(keys):
        values = {"of_assignment": assignment, "keys": some, "own": grader.token}
        for row in connection.execute(_OF_OTHERS, values):
            if not (other := _grader(row)).gone:
                found.setdefault((row.student, row.key), other)
    return found


def of_student(connection: sa.Connection, student: str) -> Grader | None:
    """A grader that holds a valid claim on a submission of this student, if any."""
    return next(holders(connection.execute(valid(CLAIMS.c.student == student)).all()), None)


def valid(*where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Who holds claims that had a heartbeat in time: those claims that also meet these conditions."""
    columns = (CLAIMS.c.token, CLAIMS.c.host, CLAIMS.c.pid, CLAIMS.c.process)
    return sa.select(*columns).where(*where, _IN_FORCE)


def holders(rows: Iterable[sa.Row[Any]]) -> Iterator[Grader]:
    """The graders of these claims, one for each, without those that are known to have ended; see `valid`."""
    return (grader for grader in map(_grader, rows) if not grader.gone)


def _grader(row: sa.Row[Any]) -> Grader:
    return Grader(token=row.token, host=row.host, pid=row.pid, process=row.process)


def take(connection: sa.Connection, assignment: str, works: Sequence[Work], grader: Grader) -> None:
    """Gives claims to `grader`, even if another grader has them."""
    if not works:
        return
    claim = {"token": grader.token, "host": grader.host, "pid": grader.pid, "process": grader.process}
    connection.execute(_DROP, [_named(assignment, work) for work in works])
    connection.execute(
        _TAKE, [claim | {"assignment": assignment, "student": student, "key": key} for student, key in works]
    )


def release_some(connection: sa.Connection, attempts: Iterable[Mapping[str, Any]], grader: Grader) -> None:
    """Releases a grader's claims on the submissions of which these are the attempts, by their columns."""
    named = (_named(each["assignment"], (each["student"], each["key"])) for each in attempts)
    connection.execute(_RELEASE, [each | {"own": grader.token} for each in named])


def release(connection: sa.Connection, grader: Grader) -> None:
    """Releases all claims of a grader."""
    connection.execute(sa.delete(CLAIMS).where(CLAIMS.c.token == grader.token))


def heartbeat(connection: sa.Connection, grader: Grader) -> None:
    """Renews the claims of a grader."""
    connection.execute(sa.update(CLAIMS).where(CLAIMS.c.token == grader.token).values(beaten=_NOW))


def _named(assignment: str, work: Work) -> dict[str, str]:
    return {"of_assignment": assignment, "of_student": work[0], "of_key": work[1]}


def _machine() -> str:
    """This boot of this machine and this pid namespace: elsewhere a pid means another process."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _process(pid: int) -> str | None:
    """A process of this machine with its start time; None if it has ended or cannot be seen."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    state, started = fields[0], fields[19]
    return None if state in "ZX" or not _machine() else f"{_machine()} {started}"
