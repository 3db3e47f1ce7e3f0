"""Claims: graders that share a gradebook take work from each other, and never do the same twice.

A grader claims a submission before it judges it, shows signs of life while it does, and lets go of the claim in the
transaction that records the grade. The claim of a grader that is gone is free at once where that can be seen (a process
of this machine that has ended), and otherwise when it has shown no sign of life for `LEASE_S`. All times are the
database's: the clocks of two machines may differ.
"""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from gradetape.gradebook.tables import CLAIMS

LEASE_S = 180.0
HEARTBEAT_S = 15.0
_NOW = sa.extract("epoch", sa.func.now())


class Grader(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a grader: the process `pid` on `host`; `since` is the newest attempt when it began.

    `token` tells it from every other, `process` from a later process with the same number.
    """

    token: str
    host: str
    pid: int
    process: str
    since: int = 0

    @classmethod
    def here(cls, since: int) -> Grader:
        """This process, for one run."""
        pid = os.getpid()
        return cls(
            token=secrets.token_hex(16), host=socket.gethostname(), pid=pid, process=_process(pid) or "", since=since
        )

    @property
    def gone(self) -> bool:
        """Whether it is known to have ended: its process was one of this machine, and is no more."""
        machine, _, _ = self.process.rpartition(" ")
        return bool(machine) and machine == _machine() and _process(self.pid) != self.process


def owner(connection: sa.Connection, work: dict[str, str], me: Grader) -> Grader | None:
    """Who else has claimed this, and still stands by it."""
    alive = CLAIMS.c.beaten > _NOW - LEASE_S
    columns = (CLAIMS.c.token, CLAIMS.c.host, CLAIMS.c.pid, CLAIMS.c.process)
    row = connection.execute(sa.select(*columns).where(*_is(work), CLAIMS.c.token != me.token, alive)).first()
    other = Grader(**row._mapping) if row is not None else None
    return None if other is None or other.gone else other


def take(connection: sa.Connection, work: dict[str, str], me: Grader) -> None:
    """Makes this mine, whoever had it."""
    connection.execute(sa.delete(CLAIMS).where(*_is(work)))
    mine: dict[str, Any] = {"token": me.token, "host": me.host, "pid": me.pid, "process": me.process, "beaten": _NOW}
    connection.execute(sa.insert(CLAIMS).values(work | mine))


def release(connection: sa.Connection, me: Grader, work: dict[str, str] | None = None) -> None:
    """Gives up one claim of mine, or all of them."""
    connection.execute(sa.delete(CLAIMS).where(CLAIMS.c.token == me.token, *_is(work or {})))


def heartbeat(connection: sa.Connection, me: Grader) -> None:
    """A sign of life."""
    connection.execute(sa.update(CLAIMS).where(CLAIMS.c.token == me.token).values(beaten=_NOW))


def _is(work: dict[str, str]) -> list[sa.ColumnElement[bool]]:
    return [CLAIMS.c[name] == value for name, value in work.items()]


def _machine() -> str:
    """This boot of this machine, and this view of its processes: elsewhere a number means another process."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _process(pid: int) -> str | None:
    """A process of this machine by the moment that it began; None where it has ended or cannot be seen."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    state, began = fields[0], fields[19]
    return None if state in "ZX" or not _machine() else f"{_machine()} {began}"
