"""Sessions for tests: a zygote, and students' code in its workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from gradetape.records import Cell, Limits, Slot
from gradetape.remote.budget import CheckBudget
from gradetape.remote.functions import default_worker
from gradetape.remote.roles import CLEAN, REFERENCE, STUDENT
from gradetape.remote.session import RemoteSession
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime.launch import LocalZygote, ZygoteProcess

LIMITS = Limits(load_s=60, cell_s=10, check_s=30, memory_mb=700, disk_mb=64, processes=64, output_kb=4)
ON_CPU = Slot()
ROLES = {role.name: role for role in (STUDENT, REFERENCE, CLEAN)}


@dataclass
class OpenSession:
    """A session with cells in it, and what a check would see of it."""

    session: RemoteSession
    budget: CheckBudget
    student: Any
    tf: Any
    keras: Any

    def begin(self, seconds: float = 30.0) -> None:
        """A new check."""
        self.budget.begin(seconds)


@contextmanager
def started(**how: Any) -> Iterator[LocalZygote]:
    """A zygote that is ready."""
    with LocalZygote(**{"limits": LIMITS, "secret": (), **how}) as zygote:
        zygote.wait_ready()
        yield zygote


@contextmanager
def open_session(
    zygote: ZygoteProcess, *cells: str | Cell, role: str = "student", limits: Limits = LIMITS, slot: Slot = ON_CPU,
    trusted: bool = False,
) -> Iterator[OpenSession]:  # fmt: skip
    """A session whose worker runs these cells when it is first asked for something."""
    budget = CheckBudget()
    budget.begin(30)
    made = tuple(cell if isinstance(cell, Cell) else Cell(source=cell) for cell in cells)
    with closing(ZygoteClient(zygote.path, slot)) as control:
        session = RemoteSession(control, ROLES[role], made, limits, budget, trusted=trusted)
        with closing(session), default_worker(session.ready):
            yield OpenSession(session, budget, session.names(), session.module("tf"), session.module("keras"))
