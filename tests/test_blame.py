"""What something else did to a worker is never its submission's verdict."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradetape.records import Limits
from gradetape.sandbox.groups import MOUNTS, Groups, OwnGroup, SharedGroup, own_paths
from gradetape.sandbox.reports import Ended, Reader
from gradetape.worker.process import WorkerProcess

_MB = 1 << 20
_STORY = """
import sys
from gradetape.errors import GradetapeError, WorkerEvent
from gradetape.records import Limits
from tests.remote_sessions import open_session, started

CODE = "import numpy as np\\ndef grow(mb):\\n    return float(np.ones(mb << 17).sum())\\ndef small():\\n    return 1\\n"
limits = Limits(memory_mb=int(sys.argv[1]), load_s=120, cell_s=60, check_s=120)
with started(limits=limits) as zygote:
    try:
        with open_session(zygote, CODE, limits=limits) as opened:
            opened.begin(120)
            assert opened.student.small() == 1
            opened.student.grow(1800)
    except GradetapeError as error:
        print("lost:", error)
    except WorkerEvent as event:
        print("event:", event)
"""


def _old(*, limit: int, most: int) -> dict[str, str]:
    return {"memory.limit_in_bytes": f"{limit}\n", "memory.max_usage_in_bytes": f"{most}\n"}


@pytest.fixture
def crowded_machine() -> Iterator[list[Path]]:
    """Control groups around a whole grader that together may use 1,600 MiB."""
    own = own_paths(Path("/proc/self/cgroup").read_text())
    old = (MOUNTS / "memory").is_dir()
    place = MOUNTS / "memory" / own.get("memory", "/")[1:] if old else MOUNTS / own.get("", "/")[1:]
    folder = (place if place.is_dir() else MOUNTS / "memory") / f"crowded-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / ("memory.limit_in_bytes" if old else "memory.max")).write_text(str(1600 * _MB))
    except OSError:
        pytest.skip("no control group can be made here around the grader")
    yield [folder]
    OwnGroup([folder]).remove(20)


def _story(groups: list[Path], memory_mb: int) -> str:
    def join() -> None:
        OwnGroup(groups).join()

    return subprocess.run(
        [sys.executable, "-c", _STORY, str(memory_mb)], cwd=Path(__file__).parents[1], capture_output=True, text=True,
        preexec_fn=join, check=True, timeout=300,
    ).stdout  # fmt: skip


def test_a_worker_killed_below_its_own_limit_is_lost_by_the_machine(crowded_machine: list[Path]) -> None:
    told = _story(crowded_machine, memory_mb=4096)
    assert told.startswith("lost: a worker was killed for memory before it had used its own 4096 MiB: the machine, or")
    assert "Use fewer workers, or a smaller limits.memory_mb" in told


def test_a_worker_killed_at_its_own_limit_is_out_of_memory(crowded_machine: list[Path]) -> None:
    assert _story(crowded_machine, memory_mb=700).startswith("event: memory: ")


@pytest.mark.parametrize(
    ("files", "own"),
    [
        ({"memory.events": "max 9\noom 0\noom_kill 2\n"}, False),
        ({"memory.events": "max 9\noom 1\noom_kill 2\n"}, True),
        ({"memory.oom_control": "oom_kill 1\n", **_old(limit=800 * _MB, most=799 * _MB)}, True),
        ({"memory.oom_control": "oom_kill 1\n", **_old(limit=800 * _MB, most=700 * _MB)}, False),
    ],
)
def test_the_kernel_says_whose_limit_it_was(tmp_path: Path, files: dict[str, str], own: bool) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    group = OwnGroup([tmp_path])
    assert group.oom_kills and group.exceeded(alone=False) is own


@pytest.mark.parametrize(
    ("crowded", "killed", "doomed", "expected"),
    [
        (False, True, False, (1, False)),  # alone with the container's memory: it used that up itself
        (True, True, False, (1, True)),  # one of several: nobody can tell, so it is judged again, alone
        (True, False, False, (0, False)),  # it ended by itself, and somebody else was killed
        (True, True, True, (0, False)),  # the judge ended it
    ],
)
def test_where_workers_share_a_limit_the_blame_needs_solitude(
    tmp_path: Path, crowded: bool, killed: bool, doomed: bool, expected: tuple[int, bool]
) -> None:
    (tmp_path / "memory.max").write_text("1073741824\n")
    (tmp_path / "memory.events").write_text("oom_kill 0\n")
    group = Groups(Limits(), tmp_path).make()
    assert isinstance(group, SharedGroup)
    (tmp_path / "memory.events").write_text("oom_kill 1\n")
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    worker = WorkerProcess(1, pid, 64001, Reader(os.open(os.devnull, os.O_RDONLY)), group, None)
    worker.crowded = crowded
    worker.note(Ended(9 if killed else 0, 1.0, 100))
    if doomed:
        worker.kill()
    end = worker.reap()
    assert (end.oom_kills, end.outside) == expected
