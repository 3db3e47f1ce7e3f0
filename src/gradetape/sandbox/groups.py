"""Control groups: one for each worker, for the sum of its memory, its processes and its CPU time.

Where the controller of CPU time can be had too, each worker has the same share of the processors, however many
processes it starts: else one that burns would cost the worker beside it its time.

Under version 1 a worker's group is a folder per controller below the grader's own; under version 2 it is one folder.
Version 2 has a rule that a group with processes of its own can hand no controller down. Where the grader may not use
the tree's root, as an ordinary user with a delegated group may not, it therefore moves what runs in its own group into
a leaf of that group, and makes its workers' groups beside the leaf. A grader that starts within such a leaf, since it
was started by what was moved, uses the leaf's parent.

Within a container the tree is often read-only. There the container's own limit, which the engine set, takes the place
of a group for each worker: the root of what is mounted has a limit only there.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from gradetape import tempdirs as tempdirs
from gradetape.errors import SandboxError
from gradetape.records import Limits

MOUNTS = Path("/sys/fs/cgroup")
LEAF = "gradetape-grader"
_MB = 1 << 20
_NEEDED = ("memory", "pids")
_SHARES = {"cpu.shares": (1024, 262_144), "cpu.weight": (100, 10_000)}  # of one process, and the most that there is
_UNLIMITED = 1 << 62  # version 1 writes a number near the largest where there is no limit
_ADVICE = (
    "Grade as root; or, as an ordinary user, in control groups of your own: "
    "systemd-run --user --scope -p Delegate=yes gradetape …; or use --isolation container."
)


class Group(Protocol):
    """What limits one worker from outside."""

    def join(self) -> None:
        """Puts this process into the group."""

    @property
    def oom_kills(self) -> int:
        """How many of its processes the kernel killed for its memory limit."""

    @property
    def cpu_s(self) -> float | None:
        """The CPU seconds that it has used, or None where nobody counts them."""

    def kill(self) -> None:
        """Kills whatever is still in it, such as daemons that left every process group."""

    def remove(self, patience_s: float = 2.0) -> None:
        """Removes the group once it is empty; what is still in it after `patience_s` is left to the kernel."""


class Own:
    """A worker's own group: a folder, or under version 1 one for each controller."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)

    def join(self) -> None:
        """Puts this process into the group."""
        for folder in self._folders:
            (folder / "cgroup.procs").write_text("0")

    @property
    def oom_kills(self) -> int:
        """How many of its processes the kernel killed for its memory limit."""
        return sum(_oom_kills(folder) for folder in self._folders)

    @property
    def cpu_s(self) -> float | None:
        """The CPU seconds that it has used, or None where no controller counts them."""
        for folder in self._folders:
            if (folder / "cpuacct.usage").exists():
                return int((folder / "cpuacct.usage").read_text()) / 1e9
            if (folder / "cpu.stat").exists():
                return _number(folder / "cpu.stat", "usage_usec") / 1e6
        return None

    def kill(self, patience_s: float = 2.0) -> None:
        """Kills whatever is still in it; nothing in it can fork meanwhile."""
        deadline = time.monotonic() + patience_s
        for folder in self._folders:
            if (folder / "pids.max").exists():
                (folder / "pids.max").write_text("0")
        while (pids := self._pids()) and time.monotonic() < deadline:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.001)

    def remove(self, patience_s: float = 2.0) -> None:
        """Removes the group once it is empty."""
        deadline = time.monotonic() + patience_s
        for folder in self._folders:
            while folder.exists():
                try:
                    folder.rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        return
                    time.sleep(0.002)

    def _pids(self) -> set[int]:
        """Who is in it; a process that is just going away, or of another pid namespace, is told as 0."""
        told = [(folder / "cgroup.procs").read_text().split() for folder in self._folders if folder.exists()]
        return {int(pid) for pids in told for pid in pids} - {0}


class Shared:
    """The container's group, which the grader can only read: it counts the memory kills since a worker began."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before = _oom_kills(folder)

    def join(self) -> None:
        """Whatever runs in the container is in it."""

    @property
    def oom_kills(self) -> int:
        """How many processes of the container the kernel has killed since."""
        return _oom_kills(self._folder) - self._before

    @property
    def cpu_s(self) -> float | None:
        """Its CPU time is that of all workers together."""
        return None

    def kill(self) -> None:
        """The grader itself is in it."""

    def remove(self, patience_s: float = 2.0) -> None:
        """It stays for the next worker."""


class Groups:
    """Makes a group for each worker: below the grader's own, or else the container's for all of them."""

    def __init__(self, limits: Limits, mounts: Path = MOUNTS) -> None:
        self._limits = limits
        self._parents, self._why = _parents(mounts)
        self._shared = None if self._parents else _container(mounts)
        self._count = 0

    @property
    def available(self) -> bool:
        """Whether the sum of a worker's memory can be limited."""
        return bool(self._parents) or self._shared is not None

    @property
    def each(self) -> bool:
        """Whether each worker's memory is limited by itself, rather than by the container's limit for all."""
        return bool(self._parents)

    @property
    def layers(self) -> tuple[str, ...]:
        """The limits that the groups bring, as they are stamped on a grade."""
        if self._shared is not None:
            return ("memory of the container",)
        if not self._parents:
            return ()
        return ("memory", "processes", *(("cpu share",) if any(map(_deals_out, self._parents)) else ()))

    def require(self) -> None:
        """Raises WallsError where the sum of a worker's memory cannot be limited."""
        if not self.available:
            raise SandboxError(f"no limit on the sum of a worker's memory can be had: {self._why}. {_ADVICE}")

    def make(self) -> Group | None:
        """A group for the next worker, or None where there are none; raises WallsError if it cannot be made."""
        if self._shared is not None:
            return Shared(self._shared)
        if not self._parents:
            return None
        self._count += 1
        try:
            return Own([self._one(parent) for parent in self._parents])
        except OSError as error:
            raise SandboxError(f"a control group could not be made: {error}. {_ADVICE}") from error

    def remove(self) -> None:
        """Removes the parents that this process made."""
        Own(self._parents).remove(0.1)

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


def sweep(mounts: Path = MOUNTS) -> None:
    """Removes the control groups of zygotes that are gone without having done so."""
    own = own_paths(Path("/proc/self/cgroup").read_text())
    found = {folder for all_of in places(mounts, own) for each in all_of for folder in each.glob("gradetape-*-*")}
    for folder in found:
        with contextlib.suppress(OSError):  # somebody has it, or it is gone
            os.close(tempdirs.hold(folder, wait=False))
            for group in (*folder.glob("worker-*"), folder):
                Own((group,)).remove(0.1)


def own_paths(told: str) -> dict[str, str]:
    """The path of a process's group by its controller, from its /proc/PID/cgroup; version 2 is the empty name."""
    found = {}
    for line in told.splitlines():
        _, controllers, path = line.split(":", 2)
        found.update(dict.fromkeys(controllers.split(","), path))
    return found


def _parents(mounts: Path) -> tuple[tuple[Path, ...], str]:
    """New folders below which this process can make workers' groups, or none and the reason why not."""
    why = "there are no control groups for memory and processes here"
    for folders in places(mounts, own_paths(Path("/proc/self/cgroup").read_text())):
        made: list[Path] = []
        try:
            for folder in folders:
                made.append(_parent(folder))
            _try(made)
            return tuple(made), ""
        except OSError as error:
            why = f"{folders[0]} cannot be used: {error.strerror}"
            Own(made).remove(0.1)
    return (), why


def places(mounts: Path, own: dict[str, str]) -> Iterator[list[Path]]:
    """The folders where groups might be made, the best first; `own` are the paths of this process's groups."""
    if (mounts / "memory").is_dir():
        yield from _version_1(mounts, own)
        return
    unified = mounts if (mounts / "cgroup.controllers").is_file() else mounts / "unified"
    if not (unified / "cgroup.controllers").is_file():
        return
    yield [unified]
    inner = unified / own.get("", "/").lstrip("/")
    yield [inner.parent if inner.name == LEAF else inner]


def _version_1(mounts: Path, own: dict[str, str]) -> Iterator[list[Path]]:
    """The grader's own folder of each controller; those of CPU time may be missing, and may be one."""
    found = {}
    for name in (*_NEEDED, "cpuacct", "cpu"):
        folder = mounts / name / own.get(name, "/").lstrip("/")
        found[name] = (folder if folder.is_dir() else mounts / name).resolve()
    for some in ((*_NEEDED, "cpuacct", "cpu"), (*_NEEDED, "cpuacct"), _NEEDED):
        yield list(dict.fromkeys(found[name] for name in some))


def _parent(place: Path) -> Path:
    """A folder for this grader's groups, which hands the controllers down."""
    _prepare(place)
    folder = _held(place)
    _prepare(folder)
    for name, (share, most) in _SHARES.items():
        with contextlib.suppress(OSError):  # all workers together are worth one process on every processor
            if (folder / name).exists():
                (folder / name).write_text(str(min(share * (os.cpu_count() or 1), most)))
    return folder


def _prepare(folder: Path) -> None:
    if (folder / "cgroup.subtree_control").exists():
        hand_down(folder)
        with contextlib.suppress(OSError):  # a help, and not required
            hand_down(folder, ("cpu",))


def _deals_out(parent: Path) -> bool:
    """Whether the groups below get their share of the processors."""
    control = parent / "cgroup.subtree_control"
    return "cpu" in control.read_text().split() if control.exists() else (parent / "cpu.shares").exists()


def _held(place: Path) -> Path:
    """A new folder with a lock on it, which ends with this process, in whatever pid namespace that is."""
    while True:
        folder = place / f"gradetape-{os.getpid()}-{secrets.token_hex(4)}"
        folder.mkdir()
        tempdirs.hold(folder, wait=True)  # and never closed
        if folder.exists():  # else a sweep removed it before it was locked
            return folder


def hand_down(folder: Path, needed: tuple[str, ...] = _NEEDED) -> None:
    """Lets the groups below use these controllers; what runs in the folder itself may have to go into its leaf.

    Raises OSError where that is not allowed, or where the folder does not have the controllers itself.
    """
    control = folder / "cgroup.subtree_control"
    missing = [name for name in needed if name not in control.read_text().split()]
    if not missing:
        return
    order = " ".join(f"+{name}" for name in missing)
    for _ in range(10):  # a process that is moved may have forked
        try:
            control.write_text(order)
            return
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            _move_into_leaf(folder)
    raise OSError(errno.EBUSY, "its processes do not leave it")


def _move_into_leaf(folder: Path) -> None:
    leaf = folder / LEAF
    leaf.mkdir(exist_ok=True)
    for pid in (folder / "cgroup.procs").read_text().split():
        with contextlib.suppress(ProcessLookupError):
            (leaf / "cgroup.procs").write_text(pid)


def _try(parents: list[Path]) -> None:
    """A process that joins a group shows that this may be done; raises OSError."""
    group = Own(parent / "trial" for parent in parents)
    for parent in parents:
        (parent / "trial").mkdir()
    pid = os.fork()
    if pid == 0:
        status = errno.EPERM
        try:
            group.join()
            status = 0
        except OSError as error:
            status = error.errno or status
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    group.remove()
    if status:
        raise OSError(status, os.strerror(status))


def _container(mounts: Path) -> Path | None:
    """The container's own group, if its memory is limited."""
    for folder, name in ((mounts / "memory", "memory.limit_in_bytes"), (mounts, "memory.max")):
        try:
            limit = (folder / name).read_text().strip()
        except OSError:
            continue
        if limit.isdigit() and int(limit) < _UNLIMITED:
            return folder
    return None


def _oom_kills(folder: Path) -> int:
    for name in ("memory.events", "memory.oom_control"):
        if (folder / name).exists():
            return _number(folder / name, "oom_kill")
    return 0


def _number(file: Path, name: str) -> int:
    """A number of a file whose lines are a name and a number."""
    lines = (line.split() for line in file.read_text().splitlines())
    return next((int(words[1]) for words in lines if words[0] == name), 0)
