"""Walls from Linux namespaces, as root or as an ordinary user; see the package's theory of operation."""

from __future__ import annotations

import os
import resource
import socket
import sys
import tempfile
from collections.abc import Callable
from typing import NoReturn

from gradetape.errors import WallsError
from gradetape.sandbox import landlock, root, syscalls
from gradetape.sandbox.base import STUDENT_UIDS, Policy, Reports
from gradetape.sandbox.limits import restrict

_ALL = syscalls.NEWNS | syscalls.NEWPID | syscalls.NEWNET | syscalls.NEWIPC | syscalls.NEWUTS | syscalls.NEWCGROUP
LAYERS = ("mount", "pid", "network", "ipc", "uts", "cgroup")


class Namespaces:
    """A private root, a process tree of its own, no network, and a uid without privileges."""

    def __init__(self, policy: Policy, aggregate_memory: bool) -> None:
        self._policy = policy
        self._aggregate = aggregate_memory
        self._as_root = os.geteuid() == 0
        self._root = os.path.join(os.path.dirname(policy.socket), "root")

    def check(self) -> None:
        """Raises WallsError where namespaces cannot be had, or would show what is secret."""
        if sys.platform != "linux":
            raise WallsError("the walls need Linux. Grade with --isolation container, or on a Linux machine.")
        root.refuse_secrets(self._policy.secret)
        os.makedirs(self._root, exist_ok=True)
        pid = os.fork()
        if pid == 0:
            self._try_unsharing()
        if os.waitpid(pid, 0)[1] != 0:
            raise WallsError(
                "this machine gives no user namespaces. Let them be (sysctl kernel.unprivileged_userns_clone=1, or "
                "kernel.apparmor_restrict_unprivileged_userns=0), grade as root, or use --isolation container."
            )

    def enter(self, role: str, work: Callable[[], None], reports: Reports, keep: int) -> NoReturn:
        """A: new namespaces, then waits for B, the init."""
        os.setsid()
        syscalls.die_with_parent()
        self._unshare()
        init = os.fork()
        if init == 0:
            self._init(role, work, reports, keep)
        os.close(keep)
        reports.init(init)
        os.waitpid(init, 0)
        os._exit(0)

    def _try_unsharing(self) -> NoReturn:
        try:
            self._unshare()
            os._exit(0)
        finally:
            os._exit(1)

    def _unshare(self) -> None:
        if self._as_root:
            syscalls.unshare(_ALL)
            return
        uid, gid = os.getuid(), os.getgid()
        syscalls.unshare(_ALL | syscalls.NEWUSER)
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)

    def _init(self, role: str, work: Callable[[], None], reports: Reports, keep: int) -> NoReturn:
        """B: the private root, then C; reaps whatever ends, and ends with C."""
        syscalls.die_with_parent()
        syscalls.mount(None, "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
        root.build(self._root, self._policy.limits)
        root.enter(self._root)
        syscalls.set_dumpable(False)  # else code of the same uid could open what this process has open
        worker = os.fork()
        if worker == 0:
            self._worker(role, work, reports)
        os.close(keep)
        while True:
            pid, status, used = os.wait4(-1, 0)
            if pid == worker:
                reports.ended(status, used.ru_utime + used.ru_stime, used.ru_maxrss >> 10)
                os._exit(0)

    def _worker(self, role: str, work: Callable[[], None], reports: Reports) -> NoReturn:
        """C: no privileges, then the student's code."""
        syscalls.die_with_parent()
        syscalls.set_dumpable(True)
        os.chdir(root.HOME)
        restrict(self._policy.limits, own_memory=not self._aggregate)
        syscalls.empty_bounding_set()
        if self._as_root:
            uid = STUDENT_UIDS[role]
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            syscalls.die_with_parent()  # setresuid cleared it
        syscalls.drop_capabilities()
        syscalls.no_new_privileges()
        tempfile.tempdir = None
        os.environ.update(HOME=root.HOME, TMPDIR="/tmp")
        self._try_the_walls()
        files = landlock.restrict(root.readable(), root.PRIVATE, root.DEVICES)
        syscalls.load_filter(self._policy.filter)
        _try_the_filter()
        reports.ready((*LAYERS, "uid" if self._as_root else "user", "no_new_privs", "rlimits", *files, "seccomp"))
        work()
        os._exit(0)

    def _try_the_walls(self) -> None:
        """The walls are tried before any of the student's code is accepted; raises WallsError."""
        seen = [folder for folder in (*self._policy.secret, self._policy.socket) if os.path.lexists(folder)]
        if seen:
            raise WallsError(f"the walls stand, but {seen[0]} is visible inside")
        if _reaches_the_network():
            raise WallsError("the walls stand, but the network can be reached from inside")
        if os.readlink("/proc/self") != str(os.getpid()) and not self._as_root:
            raise WallsError("the walls stand, but /proc shows processes outside. Grade as root, or in a container.")
        with open("/proc/self/status") as file:
            status = dict(line.split(":\t", 1) for line in file)
        if int(status["CapEff"], 16) or int(status["CapBnd"], 16) or int(status["NoNewPrivs"]) != 1:
            raise WallsError("the walls stand, but privileges could be had inside")
        if resource.getrlimit(resource.RLIMIT_CORE)[1] != 0:
            raise WallsError("the walls stand, but the resource limits are not in force")


def _try_the_filter() -> None:
    """What the filter must refuse is tried too; raises WallsError."""
    tried: dict[str, Callable[[], object]] = {
        "a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "a new namespace": lambda: syscalls.unshare(syscalls.NEWUSER),
        "tracing": syscalls.trace_me,
    }
    for what, attempt in tried.items():
        try:
            attempt()
        except OSError:
            continue
        raise WallsError(f"the walls stand, but {what} can be had inside")


def _reaches_the_network() -> bool:
    """Whether there is a route to anywhere; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return False
    return True
