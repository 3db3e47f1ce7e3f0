"""Resource limits of one process, and control groups for a whole tree of them."""

from __future__ import annotations

import contextlib
import os
import resource
import secrets
import signal
import time
from pathlib import Path

from gradetape.errors import WallsError
from gradetape.records import Limits

_MB = 1 << 20


def restrict(limits: Limits, *, own_memory: bool) -> None:
    """Limits this process and its children; `own_memory` where no control group limits their sum."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, limits.disk_mb * _MB)
    _limit(resource.RLIMIT_NOFILE, 1024)
    _limit(resource.RLIMIT_STACK, 8 * _MB)
    _limit(resource.RLIMIT_MEMLOCK, 1 << 16)
    if own_memory:
        _limit(resource.RLIMIT_DATA, limits.memory_mb * _MB)
    Path("/proc/self/oom_score_adj").write_text("1000")


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


class Group:
    """A control group for one worker: its memory, its processes, and how often memory ran out."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self._folders = folders

    def join(self) -> None:
        """Puts this process into the group."""
        for folder in self._folders:
            (folder / "cgroup.procs").write_text("0")

    @property
    def oom_kills(self) -> int:
        """How many processes of the group the kernel killed for its memory limit."""
        for folder in self._folders:
            for name in ("memory.events", "memory.oom_control"):
                if (folder / name).exists():
                    lines = (folder / name).read_text().splitlines()
                    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
        return 0

    def kill(self) -> None:
        """Kills whatever is still in it, such as daemons that left every process group."""
        for folder in self._folders:
            for line in (folder / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(line), signal.SIGKILL)

    def remove(self, patience_s: float = 2.0) -> None:
        """Removes the group once it is empty; what is still in it after `patience_s` is left to the kernel."""
        deadline = time.monotonic() + patience_s
        for folder in self._folders:
            while folder.exists():
                try:
                    folder.rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        return
                    time.sleep(0.002)


class Groups:
    """Makes control groups below the zygote's own, under version 1 or 2; `available` tells whether it can."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parents = _parents()
        self._count = 0

    @property
    def available(self) -> bool:
        """Whether the sum of a worker's memory can be limited."""
        return bool(self._parents)

    def make(self) -> Group | None:
        """A group for the next worker, or None where there are none; raises WallsError if it cannot be made."""
        if not self._parents:
            return None
        self._count += 1
        try:
            return Group(tuple(self._one(parent) for parent in self._parents))
        except OSError as error:
            raise WallsError(f"a control group could not be made: {error}") from error

    def remove(self) -> None:
        """Removes the parents that this process made."""
        for parent in self._parents:
            Group((parent,)).remove(0.1)

    def _one(self, parent: Path) -> Path:
        folder = parent / f"worker-{self._count}"
        folder.mkdir()
        settings = {
            "memory.limit_in_bytes": self._limits.memory_mb * _MB,
            "memory.memsw.limit_in_bytes": self._limits.memory_mb * _MB, "memory.max": self._limits.memory_mb * _MB,
            "memory.swap.max": 0, "memory.oom.group": 1, "pids.max": self._limits.processes,
        }  # fmt: skip
        for name, value in settings.items():
            if (folder / name).exists():
                (folder / name).write_text(str(value))
        return folder


def sweep(mounts: Path = Path("/sys/fs/cgroup")) -> None:
    """Removes the control groups of zygotes that are gone without having done so."""
    for folder in (found for base in _bases(mounts) for found in base.glob("gradetape-*-*")):
        if not Path("/proc", folder.name.split("-")[1]).exists():
            for group in (*folder.glob("worker-*"), folder):
                Group((group,)).remove(0.1)


def _bases(mounts: Path) -> list[Path]:
    """Where this process's control groups may have children."""
    return _version_1(mounts) if (mounts / "memory").is_dir() else _version_2(mounts)


def _parents(mounts: Path = Path("/sys/fs/cgroup")) -> tuple[Path, ...]:
    """New folders below which this process may make groups that limit memory; none where it may not."""
    made: list[Path] = []
    try:
        for base in _bases(mounts):
            folder = base / f"gradetape-{os.getpid()}-{secrets.token_hex(4)}"
            folder.mkdir()
            made.append(folder)
            if (folder / "cgroup.subtree_control").exists():
                (folder / "cgroup.subtree_control").write_text("+memory +pids")
    except OSError:
        for folder in made:
            folder.rmdir()
        return ()
    return tuple(made)


def _version_1(mounts: Path) -> list[Path]:
    found = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, own = line.split(":", 2)
        for name in {"memory", "pids"} & set(controllers.split(",")):
            folder = mounts / name / own.lstrip("/")
            found[name] = folder if folder.is_dir() else mounts / name
    return list(found.values()) if "memory" in found else []


def _version_2(mounts: Path) -> list[Path]:
    controllers = mounts / "cgroup.controllers"
    usable = controllers.is_file() and {"memory", "pids"} <= set(controllers.read_text().split())
    return [mounts] if usable else []
