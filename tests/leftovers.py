"""The remains of a worker on this machine, and student code that explores its sandbox."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from gradetape.remote.zygote_client import ZygoteClient
from gradetape.runtime.launch import LocalZygote

INSIDE = (Path(__file__).parent / "verdicts" / "inside.py").read_text()
SECRET = "the secret of the course"


def until(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether a condition becomes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.01)
    return False


def running(marker: str) -> list[int]:
    """The processes whose command line contains the marker."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if marker in (folder / "cmdline").read_text():
                found.append(int(folder.name))
    return found


def groups_left() -> list[str]:
    """The control groups whose zygote has ended."""
    made = [group for pattern in ("", "*/") for group in Path("/sys/fs/cgroup").glob(f"{pattern}gradetape-*-*")]
    return [str(group) for group in made if not psutil.pid_exists(int(group.name.split("-")[1]))]


def leftovers(pid: int) -> dict[str, int]:
    """The resources of a zygote and of this process: descriptors, children, mounts, control groups, folders."""
    groups = [group for base in Path("/sys/fs/cgroup").glob("*") for group in base.glob(f"gradetape-{pid}-*/worker-*")]
    return {
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        "children": len(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()),
        "mounts": len(Path(f"/proc/{pid}/mountinfo").read_text().splitlines()),
        "groups": len(groups) + len(list(Path("/sys/fs/cgroup").glob(f"gradetape-{pid}-*/worker-*"))),
        "threads": len(os.listdir(f"/proc/{pid}/task")),
        "memory maps": len(Path(f"/proc/{pid}/maps").read_text().splitlines()),
        "folders": len(list(Path(tempfile.gettempdir()).glob("gradetape-worker-*"))),
        "the judge's descriptors": len(os.listdir("/proc/self/fd")),
        "the judge's mounts": len(Path("/proc/self/mountinfo").read_text().splitlines()),
    }


def no_more_than(before: dict[str, int], after: dict[str, int]) -> bool:
    """Whether nothing was added; connections of earlier tests may still be closing."""
    return all(after[kind] <= before[kind] for kind in before)


def many_workers(zygote: LocalZygote, count: int) -> None:
    """Starts workers one after the other; each is killed while it waits for its first request."""
    with contextlib.closing(ZygoteClient(zygote.path)) as control:
        for number in range(count):
            worker, data, _ = control.spawn(("student", "reference", "clean")[number % 3], 60)
            data.close()
            control.end(worker)
