"""Far sides for tests: a zygote, and students' code behind its walls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from gradetape.records import Cell, Limits, Slot
from gradetape.sandbox.launch import Running, Zygote
from gradetape.wire.control import Control
from gradetape.wire.functions import default_far_side
from gradetape.wire.lane import Lane, Watch

LIMITS = Limits(load_s=60, cell_s=10, check_s=30, memory_mb=700, disk_mb=64, processes=64, output_kb=4)
ON_CPU = Slot()


@dataclass
class Side:
    """A lane with cells in it, and what a check would see of it."""

    lane: Lane
    watch: Watch
    student: Any
    tf: Any
    keras: Any

    def begin(self, seconds: float = 30.0) -> None:
        """A new check."""
        self.watch.begin(seconds)


@contextmanager
def started(**how: Any) -> Iterator[Zygote]:
    """A zygote that is ready."""
    with Zygote(**{"limits": LIMITS, **how}) as zygote:
        zygote.wait_ready()
        yield zygote


@contextmanager
def side(
    zygote: Running, *cells: str, role: str = "student", limits: Limits = LIMITS, slot: Slot = ON_CPU
) -> Iterator[Side]:
    """A far side that runs these cells when it is first asked for something."""
    watch = Watch()
    watch.begin(30)
    with closing(Control(zygote.path, slot)) as control:
        lane = Lane(control, role, tuple(Cell(source=source) for source in cells), limits, watch)
        with closing(lane), default_far_side(lane.ready):
            yield Side(lane, watch, lane.names(), lane.module("tf"), lane.module("keras"))
