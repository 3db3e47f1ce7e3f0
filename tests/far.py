"""Far sides for tests: a zygote, and students' code behind its walls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from gradetape.records import Cell, Limits, Slot
from gradetape.remote.functions import default_worker
from gradetape.remote.session import CheckBudget, RemoteSession
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime.launch import LocalZygote, ZygoteProcess

LIMITS = Limits(load_s=60, cell_s=10, check_s=30, memory_mb=700, disk_mb=64, processes=64, output_kb=4)
ON_CPU = Slot()


@dataclass
class Side:
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
def side(
    zygote: ZygoteProcess, *cells: str, role: str = "student", limits: Limits = LIMITS, slot: Slot = ON_CPU
) -> Iterator[Side]:
    """A far side that runs these cells when it is first asked for something."""
    budget = CheckBudget()
    budget.begin(30)
    with closing(ZygoteClient(zygote.path, slot)) as control:
        session = RemoteSession(control, role, tuple(Cell(source=source) for source in cells), limits, budget)
        with closing(session), default_worker(session.ready):
            yield Side(session, budget, session.names(), session.module("tf"), session.module("keras"))
