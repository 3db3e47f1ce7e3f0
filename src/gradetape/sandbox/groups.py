"""Control groups: one per worker, for its total memory, its processes and its CPU time.

If the CPU controller is available too, each worker gets the same share of the processors, however many processes it
starts: otherwise a busy worker would take CPU time from the worker beside it.

In version 1 a worker's group is one folder per controller below the grader's own; in version 2 it is a single folder.
In version 2 a group that holds processes cannot enable controllers for the groups below it. If the grader may not use
the root of the tree, as an ordinary user with a delegated group may not, it moves the processes of its own group into a
leaf of that group, and creates the workers' groups beside the leaf. A grader that starts in such a leaf, because a
moved process started it, uses the leaf's parent.

Inside a container the tree is often read-only. There the container's own limit, which the engine set, takes the place
of a group per worker: only in a container does the root of the mounted tree have a limit.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from gradetape import tempdirs
from gradetape.errors import SandboxError
from gradetape.records import Limits

MOUNTS = Path("/sys/fs/cgroup")
LEAF = "gradetape-grader"
_MB = 1 << 20
_NEEDED = ("memory", "pids")
_SHARES = {"cpu.shares": (1024, 262_144), "cpu.weight": (100, 10_000)}  # the share of one process, and the maximum
_NEARLY = 4 << 20  # the kernel gives memory in larger pieces, and refuses the last one
_UNLIMITED = 1 << 62  # without a limit, version 1 shows a number near the largest possible
_ADVICE = (
    "Grade as root; or, as an ordinary user, in your own control groups: "
    "systemd-run --user --scope -p Delegate=yes gradetape …; or use --isolation container."
)


class Group(Protocol):
    """The control group of one worker; `shared` if other processes are in it too."""

    shared: bool

    def join(self) -> None:
        """Moves this process into the group."""

    @property
    def oom_kills(self) -> int:
        """The number of its processes that the kernel killed at the memory limit."""

    def exceeded(self, *, alone: bool) -> bool:
        """Whether its own limit was reached, so that memory kills in it are its own fault.

        `alone`: no other submission's worker shared the memory meanwhile.
        """

    @property
    def cpu_s(self) -> float | None:
        """The CPU seconds that it has used, or None if they are not counted."""

    def kill(self) -> None:
        """Kills every process in it, such as daemons that left every process group."""

    def remove(self, patience_s: float = 2.0) -> None:
        """Removes the group once it is empty; gives up after `patience_s` seconds."""


class OwnGroup:
    """A group for one worker: a folder, or in version 1 one folder per controller."""

    shared = False

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)

    def join(self) -> None:
        """Moves this process into the group."""
        for folder in self._folders:
            (folder / "cgroup.procs").write_text("0")

    @property
    def oom_kills(self) -> int:
        """The number of its processes that the kernel killed at the memory limit."""
        return sum(_oom_kills(folder) for folder in self._folders)

    def exceeded(self, *, alone: bool) -> bool:
        """Whether its own limit was reached: the kernel also kills below it, when the machine or a group above is full.

        In version 1, which does not count that, whether it has used as much as its limit.
        """
        return any(_met_its_limit(folder) for folder in self._folders)

    @property
    def cpu_s(self) -> float | None:
        """The CPU seconds that it has used, or None if no controller counts them."""
        for folder in self._folders:
            if (folder / "cpuacct.usage").exists():
                return int((folder / "cpuacct.usage").read_text()) / 1e9
            if (folder / "cpu.stat").exists():
                return _number(folder / "cpu.stat", "usage_usec") / 1e6
        return None

    def kill(self, patience_s: float = 2.0) -> None:
        """Kills every process in it; none of them can fork meanwhile."""
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
        """The pids in it; a process that is about to end, or of another pid namespace, shows as 0 and is left out."""
        lists = [(folder / "cgroup.procs").read_text().split() for folder in self._folders if folder.exists()]
        return {int(pid) for pids in lists for pid in pids} - {0}


class SharedGroup:
    """The container's group, which the grader can only read; counts the memory kills since a worker started."""

    shared = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before = _oom_kills(folder)

    def join(self) -> None:
        """Does nothing: every process of the container is in it."""

    @property
    def oom_kills(self) -> int:
        """The number of processes of the container that the kernel has killed since."""
        return _oom_kills(self._folder) - self._before

    def exceeded(self, *, alone: bool) -> bool:
        """Whether the memory was its own to use up: which of several workers did, nobody can tell."""
        return alone

    @property
    def cpu_s(self) -> float | None:
        """None: its CPU time is that of all workers together."""
        return None

    def kill(self) -> None:
        """Does nothing: the grader itself is in it."""

    def remove(self, patience_s: float = 2.0) -> None:
        """Does nothing: the group stays for the next worker."""


class Groups:
    """Creates a group per worker below the grader's own, or uses the container's group for all of them."""

    def __init__(self, limits: Limits, mounts: Path = MOUNTS) -> None:
        self._limits = limits
        self._parents, self._reason = _parents(mounts)
        self._shared = None if self._parents else _container(mounts)
        self._count = 0

    @property
    def available(self) -> bool:
        """Whether a worker's total memory can be limited."""
        return bool(self._parents) or self._shared is not None

    @property
    def each(self) -> bool:
        """Whether each worker has a memory limit of its own, rather than the container's limit for all."""
        return bool(self._parents)

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the limits that the groups enforce, as recorded in a grade."""
        if self._shared is not None:
            return ("memory of the container",)
        if not self._parents:
            return ()
        return ("memory", "processes", *(("cpu share",) if any(map(_shares_cpu, self._parents)) else ()))

    def require(self) -> None:
        """Raises SandboxError if a worker's total memory cannot be limited."""
        if not self.available:
            raise SandboxError(f"no limit on a worker's total memory is available: {self._reason}. {_ADVICE}")

    def make(self) -> Group | None:
        """A group for the next worker, or None without control groups; raises SandboxError if it cannot be created."""
        if self._shared is not None:
            return SharedGroup(self._shared)
        if not self._parents:
            return None
        self._count += 1
        try:
            return OwnGroup([self._create(parent) for parent in self._parents])
        except OSError as error:
            raise SandboxError(f"a control group could not be created: {error}. {_ADVICE}") from error

    def remove(self) -> None:
        """Removes the parent groups that this process created."""
        OwnGroup(self._parents).remove(0.1)

    def _create(self, parent: Path) -> Path:
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
    """Removes the control groups that zygotes left behind when they ended."""
    own = own_paths(Path("/proc/self/cgroup").read_text())
    found = {folder for all_of in places(mounts, own) for each in all_of for folder in each.glob("gradetape-*-*")}
    for folder in found:
        with contextlib.suppress(OSError):  # it is in use, or already removed
            os.close(tempdirs.hold(folder, wait=False))
            for group in (*folder.glob("worker-*"), folder):
                OwnGroup((group,)).remove(0.1)


def own_paths(text: str) -> dict[str, str]:
    """The path of a process's group by controller, from its /proc/PID/cgroup; version 2 has the empty name."""
    found = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        found.update(dict.fromkeys(controllers.split(","), path))
    return found


def _parents(mounts: Path) -> tuple[tuple[Path, ...], str]:
    """New folders in which this process can create workers' groups, or none and the reason."""
    reason = "there are no control groups for memory and processes here"
    for folders in places(mounts, own_paths(Path("/proc/self/cgroup").read_text())):
        made: list[Path] = []
        try:
            for folder in folders:
                made.append(_parent(folder))
            _try_to_join(made)
            return tuple(made), ""
        except OSError as error:
            reason = f"{folders[0]} cannot be used: {error.strerror}"
            OwnGroup(made).remove(0.1)
    return (), reason


def places(mounts: Path, own: dict[str, str]) -> Iterator[list[Path]]:
    """The folders where groups may be created, best first; `own` holds the paths of this process's groups."""
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
    """The grader's own folder of each controller; those of CPU time may be missing, or share a folder."""
    found = {}
    for name in (*_NEEDED, "cpuacct", "cpu"):
        folder = mounts / name / own.get(name, "/").lstrip("/")
        found[name] = (folder if folder.is_dir() else mounts / name).resolve()
    for some in ((*_NEEDED, "cpuacct", "cpu"), (*_NEEDED, "cpuacct"), _NEEDED):
        yield list(dict.fromkeys(found[name] for name in some))


def _parent(place: Path) -> Path:
    """A folder for this grader's groups, with the controllers enabled in it."""
    _prepare(place)
    folder = _held(place)
    _prepare(folder)
    for name, (share, most) in _SHARES.items():
        with contextlib.suppress(OSError):  # all workers together get the share of one process per processor
            if (folder / name).exists():
                (folder / name).write_text(str(min(share * (os.cpu_count() or 1), most)))
    return folder


def _prepare(folder: Path) -> None:
    if (folder / "cgroup.subtree_control").exists():
        hand_down(folder)
        with contextlib.suppress(OSError):  # useful, but not required
            hand_down(folder, ("cpu",))


def _shares_cpu(parent: Path) -> bool:
    """Whether the groups below get a share of the processors."""
    control = parent / "cgroup.subtree_control"
    return "cpu" in control.read_text().split() if control.exists() else (parent / "cpu.shares").exists()


def _held(place: Path) -> Path:
    """A new folder with a lock that ends with this process, whatever its pid namespace."""
    while True:
        folder = place / f"gradetape-{os.getpid()}-{secrets.token_hex(4)}"
        folder.mkdir()
        tempdirs.hold(folder, wait=True)  # never closed
        if folder.exists():  # else a sweep removed it before it was locked
            return folder


def hand_down(folder: Path, needed: tuple[str, ...] = _NEEDED) -> None:
    """Enables these controllers for the groups below; moves the folder's own processes into its leaf if necessary.

    Raises OSError if that is not allowed, or if the folder does not have the controllers itself.
    """
    control = folder / "cgroup.subtree_control"
    missing = [name for name in needed if name not in control.read_text().split()]
    if not missing:
        return
    request = " ".join(f"+{name}" for name in missing)
    for _ in range(10):  # a process may have forked while it was moved
        try:
            control.write_text(request)
            return
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            _move_into_leaf(folder)
    raise OSError(errno.EBUSY, "its processes cannot be moved")


def _move_into_leaf(folder: Path) -> None:
    leaf = folder / LEAF
    leaf.mkdir(exist_ok=True)
    for pid in (folder / "cgroup.procs").read_text().split():
        with contextlib.suppress(ProcessLookupError):
            (leaf / "cgroup.procs").write_text(pid)


def _try_to_join(parents: list[Path]) -> None:
    """Lets a child process join a trial group; raises OSError if that fails."""
    group = OwnGroup(parent / "trial" for parent in parents)
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


def memory_around(mounts: Path = MOUNTS) -> int:
    """The smallest memory limit of the groups that this process is in, in bytes; `sys.maxsize` without one."""
    own, least = own_paths(Path("/proc/self/cgroup").read_text()), sys.maxsize
    for base, name in ((mounts / "memory", "memory"), (mounts, "")):
        inner = base / own.get(name, "/").lstrip("/")
        for folder in (inner, *inner.parents):
            if folder.is_relative_to(base):
                least = min(least, _limit_of(folder) or sys.maxsize)
    return least


def _limit_of(folder: Path) -> int | None:
    for name in ("memory.limit_in_bytes", "memory.max"):
        with contextlib.suppress(OSError):
            text = (folder / name).read_text().strip()
            return int(text) if text.isdigit() and int(text) < _UNLIMITED else None
    return None


def _container(mounts: Path) -> Path | None:
    """The container's own group, if it has a memory limit."""
    return next((folder for folder in (mounts / "memory", mounts) if _limit_of(folder) is not None), None)


def _oom_kills(folder: Path) -> int:
    for name in ("memory.events", "memory.oom_control"):
        if (folder / name).exists():
            return _number(folder / name, "oom_kill")
    return 0


def _met_its_limit(folder: Path) -> bool:
    if (folder / "memory.events").exists():
        return _number(folder / "memory.events", "oom") > 0
    limit, most = (folder / f"memory.{name}_in_bytes" for name in ("limit", "max_usage"))
    return most.exists() and int(most.read_text()) >= int(limit.read_text()) - _NEARLY


def _number(file: Path, name: str) -> int:
    """A number by its name, from a file with a name and a number per line."""
    lines = (line.split() for line in file.read_text().splitlines())
    return next((int(words[1]) for words in lines if words[0] == name), 0)
