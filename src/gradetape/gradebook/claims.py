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
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from gradetape.gradebook.tables import CLAIMS

LEASE_S = 180.0
HEARTBEAT_S = 15.0
_NOW = sa.extract("epoch", sa.func.now())


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


def owner(connection: sa.Connection, work: dict[str, str], grader: Grader) -> Grader | None:
    """The other grader that holds a valid claim on this work, if any."""
    others = connection.execute(valid(*_is(work), CLAIMS.c.token != grader.token)).all()
    return next(holders(others), None)


def of_student(connection: sa.Connection, student: str) -> Grader | None:
    """A grader that holds a valid claim on a submission of this student, if any."""
    return next(holders(connection.execute(valid(CLAIMS.c.student == student)).all()), None)


def valid(*where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Who holds claims that had a heartbeat in time: those claims that also meet these conditions."""
    columns = (CLAIMS.c.token, CLAIMS.c.host, CLAIMS.c.pid, CLAIMS.c.process)
    return sa.select(*columns).where(*where, CLAIMS.c.beaten > _NOW - LEASE_S)


def holders(rows: Iterable[sa.Row[Any]]) -> Iterator[Grader]:
    """The graders of these claims, one for each, without those that are known to have ended; see `valid`."""
    graders = (Grader(**row._mapping) for row in rows)
    return (grader for grader in graders if not grader.gone)


def take(connection: sa.Connection, work: dict[str, str], grader: Grader) -> None:
    """Gives the claim to `grader`, even if another grader has it."""
    connection.execute(sa.delete(CLAIMS).where(*_is(work)))
    claim: dict[str, Any] = {
        "token": grader.token, "host": grader.host, "pid": grader.pid, "process": grader.process, "beaten": _NOW,
    }  # fmt: skip
    connection.execute(sa.insert(CLAIMS).values(work | claim))


def release(connection: sa.Connection, grader: Grader, work: dict[str, str] | None = None) -> None:
    """Releases one claim of a grader, or all of them."""
    connection.execute(sa.delete(CLAIMS).where(CLAIMS.c.token == grader.token, *_is(work or {})))


def heartbeat(connection: sa.Connection, grader: Grader) -> None:
    """Renews the claims of a grader."""
    connection.execute(sa.update(CLAIMS).where(CLAIMS.c.token == grader.token).values(beaten=_NOW))


def _is(work: dict[str, str]) -> list[sa.ColumnElement[bool]]:
    return [CLAIMS.c[name] == value for name, value in work.items()]


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
