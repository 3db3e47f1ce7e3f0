"""Walls from Linux namespaces, as root or as an ordinary user; see the package's theory of operation."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from collections.abc import Callable
from typing import NoReturn

from gradetape.errors import WallsError
from gradetape.sandbox import root
from gradetape.sandbox import syscalls
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
            os._exit(self._trial())
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

    def _trial(self) -> int:
        try:
            self._unshare()
        except OSError:
            return 1
        return 0

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
        worker = os.fork()
        if worker == 0:
            self._worker(role, work, reports)
        os.close(keep)
        syscalls.not_dumpable()
        while True:
            pid, status, used = os.wait4(-1, 0)
            if pid == worker:
                reports.ended(status, used.ru_utime + used.ru_stime, used.ru_maxrss >> 10)
                os._exit(0)

    def _worker(self, role: str, work: Callable[[], None], reports: Reports) -> NoReturn:
        """C: no privileges, then the student's code."""
        syscalls.die_with_parent()
        os.chdir(root.HOME)
        restrict(self._policy.limits, own_memory=not self._aggregate)
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
        reports.ready((*LAYERS, "uid" if self._as_root else "user", "no_new_privs", "rlimits"))
        work()
        os._exit(0)

    def _try_the_walls(self) -> None:
        """The walls are tried before any of the student's code is accepted; raises WallsError."""
        seen = [folder for folder in (*self._policy.secret, self._policy.socket) if os.path.lexists(folder)]
        if seen:
            raise WallsError(f"the walls stand, but {seen[0]} is visible inside")
        if os.listdir("/sys/class/net") if os.path.isdir("/sys/class/net") else []:
            raise WallsError("the walls stand, but network devices are visible inside")
        if resource.getrlimit(resource.RLIMIT_CORE)[1] != 0:
            raise WallsError("the walls stand, but the resource limits are not in force")
