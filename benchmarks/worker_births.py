"""A zygote of the checkout whose Python runs this file, which makes a worker for each line that it reads.

For each it prints a JSON list: the seconds until the new worker has replied, the seconds until its first cell has run
and a name of it has answered, and the worker's own memory then, in MiB. `benchmarks.births` compares two of these.
The file imports nothing of the benchmarks, since the checkout that it measures may be an older one without them.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from gradetape.records import Cell, Limits
from gradetape.remote.budget import CheckBudget
from gradetape.remote.roles import STUDENT
from gradetape.remote.session import RemoteSession
from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime.launch import LocalZygote

_WAIT_S = 600.0


def main() -> None:
    """Starts the zygote, says that it is ready, and answers until there are no more lines."""
    with LocalZygote(Limits(), secret=()) as zygote:
        zygote.wait_ready()
        control = ZygoteClient(zygote.path)
        print(json.dumps("ready"), flush=True)
        for _ in sys.stdin:
            print(json.dumps(_birth(control)), flush=True)
        control.close()


def _birth(control: ZygoteClient) -> tuple[float, float, float]:
    budget = CheckBudget()
    budget.begin(_WAIT_S)
    born = _session(control, (), budget)
    begun = time.perf_counter()
    born.ready()
    first = time.perf_counter() - begun
    born.close()
    used = _session(control, (Cell(source="answer = 42"),), budget)
    before = _workers()
    begun = time.perf_counter()
    assert used.names().answer == 42
    answered = time.perf_counter() - begun
    memory = sum(map(_unique_mb, _workers() - before))
    used.close()
    return first, answered, memory


def _session(control: ZygoteClient, cells: tuple[Cell, ...], budget: CheckBudget) -> RemoteSession:
    return RemoteSession(control, STUDENT, cells, Limits(), budget)


def _workers() -> set[int]:
    """All processes below this one."""
    found, left = set[int](), [int(Path("/proc/self").resolve().name)]
    while left:
        pid = left.pop()
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                below = [int(each) for each in children.read_text().split()]
            except OSError:
                continue
            found.update(below)
            left += below
    return found


def _unique_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty"))) / 1024


if __name__ == "__main__":
    main()
